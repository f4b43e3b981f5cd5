"""Pages for community liaisons: print, enter paper forms, answer questions, write debriefs."""

from engage.sites.liaison import (
    conversations,
    data_entry,
    data_entry_index,
    debrief_writing,
    debriefs,
    packets,
    pointing_cards,
    print_request,
)
from engage.sites.liaison.blueprint import blueprint

TEXT_DOMAIN = "staff"

__all__ = [
    "blueprint",
    "conversations",
    "data_entry",
    "data_entry_index",
    "debrief_writing",
    "debriefs",
    "packets",
    "pointing_cards",
    "print_request",
]

"""Pages for community liaisons: print, enter paper forms, answer questions."""

from engage.sites.liaison import data_entry, data_entry_index, packets, pointing_cards, print_request, questions
from engage.sites.liaison.blueprint import blueprint

TEXT_DOMAIN = "staff"

__all__ = ["blueprint", "data_entry", "data_entry_index", "packets", "pointing_cards", "print_request", "questions"]

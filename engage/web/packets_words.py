"""Why a packet cannot be, in sentences for people: the same on the staff page and on the command line."""

from gettext import NullTranslations

from engage.records.sheets import Packet
from engage.web.packets import Refused


def sentence(refused: Refused, words: NullTranslations) -> str:
    """Why, and what to do."""
    raise NotImplementedError


def problem(packet: Packet, words: NullTranslations) -> str:
    """Why drawing failed; empty where it did not."""
    raise NotImplementedError

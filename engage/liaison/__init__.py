"""The liaison's door: print, key what comes back, carry questions and answers."""

from engage.liaison import batch, cards, keying, packets, printing, questions
from engage.liaison.door import blueprint

__all__ = ["batch", "blueprint", "cards", "keying", "packets", "printing", "questions"]

"""The liaison's door: print, key what comes back, carry questions and answers."""

from engage.liaison import batch, keying, printing, questions
from engage.liaison.door import blueprint

__all__ = ["batch", "blueprint", "keying", "printing", "questions"]

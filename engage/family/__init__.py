"""The family's door: choose a language, answer, ask back, read what came of it."""

from engage.family import answering, asking, beginning, checking, coding, front, inspecting, paper, replying, results
from engage.family.door import blueprint

__all__ = [
    "answering",
    "asking",
    "beginning",
    "blueprint",
    "checking",
    "coding",
    "front",
    "inspecting",
    "paper",
    "replying",
    "results",
]

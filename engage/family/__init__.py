"""The family's door: choose a language, answer, ask back, read what came of it."""

from engage.family import (
    addresses,
    answering,
    asking,
    beginning,
    checking,
    coding,
    front,
    inspecting,
    paper,
    replying,
    results,
    stopping,
)
from engage.family.door import blueprint

__all__ = [
    "addresses",
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
    "stopping",
]

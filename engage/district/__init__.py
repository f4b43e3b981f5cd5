"""The district leader's door: waves, checkpoints, promises and what families see of them."""

from engage.district import codes, opening, waves
from engage.district.door import blueprint

__all__ = ["blueprint", "codes", "opening", "waves"]

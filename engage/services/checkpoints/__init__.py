"""Checkpoints: figures over waves, what was promised, and every document made of them."""

TEXT_DOMAIN = "family"

"""Checkpoints: figures over waves, commitments, and the documents made of them."""

TEXT_DOMAIN = "family"

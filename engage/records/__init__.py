"""What we keep: all tables, no decisions."""

from engage.records import checkpoints, responses, schools, sheets, staff, threads

__all__ = ["checkpoints", "responses", "schools", "sheets", "staff", "threads"]

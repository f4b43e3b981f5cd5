"""Errors that a page of the district adds to its forms."""

from typing import Any


def add_problem(form: Any, name: str, sentence: str) -> None:
    """Add an error to a field of a form that was validated. Raises KeyError."""
    form[name].errors = [*form[name].errors, sentence]

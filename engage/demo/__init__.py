"""Riverbend, an invented district, generated the same way each time."""

"""Riverbend, an invented district: everything here is made up, and made the same each time."""

"""Exports that a spreadsheet opens without running anything."""

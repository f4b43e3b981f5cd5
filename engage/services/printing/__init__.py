"""Packets of paper forms: orders, recipients, layouts, rendering and what was returned."""

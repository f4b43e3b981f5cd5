"""Packets of paper forms: orders, recipients, layouts, rendering and what was returned."""

TEXT_DOMAIN = "staff"

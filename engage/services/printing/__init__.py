"""Packets of paper forms: orders, recipients, layouts, rendering, and the ledger of returned sheets."""

TEXT_DOMAIN = "staff"

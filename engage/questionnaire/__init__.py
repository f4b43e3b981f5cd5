"""Floor 1: what we ask. Pure: no web, no database, no clock."""

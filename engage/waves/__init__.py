"""Opening waves, and how far they have come."""

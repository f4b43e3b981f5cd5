"""Entering paper forms: finding the form, its fields, saving, duplicates, retention."""

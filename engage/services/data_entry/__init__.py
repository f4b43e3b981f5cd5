"""Data entry of paper forms: looking up the sheet, its fields, saving, duplicates, retention."""

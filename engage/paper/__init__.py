"""Floor 3: sheets and documents to print, in every language. Millimetres until `draw.py`; no web, no database."""

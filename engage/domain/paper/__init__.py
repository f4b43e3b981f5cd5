"""Forms and documents to print, in every language. Millimetres until `pdf/canvas.py`; no web, no database."""

TEXT_DOMAIN = "family"

"""Paper forms and printed documents, in every language. Lengths are in mm up to `pdf/canvas.py`; no web, no
database."""

TEXT_DOMAIN = "family"

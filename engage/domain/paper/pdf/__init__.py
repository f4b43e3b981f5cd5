"""PDF: objects, pages, tags, and overlays."""

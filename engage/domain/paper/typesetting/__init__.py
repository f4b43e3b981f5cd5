"""Text into glyphs: fonts, shaping, line breaking, embedding."""

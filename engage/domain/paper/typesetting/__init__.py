"""From text to glyphs: fonts, shaping, line breaking, embedding."""

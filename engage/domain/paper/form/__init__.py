"""The printed form: its elements, geometry, and layout."""

"""The printed questionnaire: its elements, geometry and layout."""

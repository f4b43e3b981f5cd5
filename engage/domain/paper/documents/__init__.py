"""Documents around the questionnaire: packets, lists, separators, cards, meeting packets."""

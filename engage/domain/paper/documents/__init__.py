"""Printed documents other than the form itself: packets, lists, separators, pointing cards, meeting packets."""

"""Questionnaires: surveys, their rules, and answers to them. Pure functions: no web, no database, no clock."""

TEXT_DOMAIN = "family"

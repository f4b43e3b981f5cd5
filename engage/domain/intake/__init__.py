"""Intake: drafts of answers, and their storage as responses."""

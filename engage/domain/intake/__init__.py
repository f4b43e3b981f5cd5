"""Intake: drafts, and how answers become stored responses."""

"""Intake: drafts and the one gate through which answers become stored responses."""

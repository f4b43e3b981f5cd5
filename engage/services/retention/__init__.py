"""Deleting what is stored no longer, every night: policies, runs, and erasing what deleted rows leave behind."""

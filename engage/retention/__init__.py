"""Deleting what is stored no longer, every night: policies, runs, and erasing what deleted rows leave behind.

What is deleted is decided at the top (cli/policies.py), where every part of the site is known; here it is run."""

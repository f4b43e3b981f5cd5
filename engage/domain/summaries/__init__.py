"""Summaries: counting, tables, suppression of small numbers."""

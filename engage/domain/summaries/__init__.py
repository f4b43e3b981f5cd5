"""Summaries: counting of answers, tables, and suppression of small numbers."""

"""Nightly deletion of data past its retention period: policies, runs, and erasing the traces of deleted rows."""

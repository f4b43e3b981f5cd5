"""Exports to CSV and XLSX in which no cell can run as a formula."""

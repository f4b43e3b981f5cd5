"""Waves: opening, access codes, schedule, reminders, screening, retention."""

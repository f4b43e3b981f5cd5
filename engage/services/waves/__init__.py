"""Waves: opening, access codes, schedule, reminders, screening, retention."""

TEXT_DOMAIN = "staff"

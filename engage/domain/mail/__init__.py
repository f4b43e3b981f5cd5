"""Email: an outbox in the database, and delivery by SMTP exactly once."""

TEXT_DOMAIN = "staff"

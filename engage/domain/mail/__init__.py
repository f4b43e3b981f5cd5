"""Email: an outbox in the database, sent once each by SMTP."""

TEXT_DOMAIN = "staff"

"""Durable tasks of the worker (DBOS): sending email, drawing packets, retention. Serving processes never load it."""

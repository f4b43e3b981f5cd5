"""Durable tasks of the worker (DBOS): sending email, drawing packets,
counting figures, making files, retention. Serving processes never load it."""

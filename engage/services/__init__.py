"""Work that combines domains. No Flask; the caller commits."""

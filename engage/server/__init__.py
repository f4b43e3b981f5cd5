"""The serving processes: supervisor, HTTP connections and uploads."""

"""Settings, languages, catalogs, files, and exports: used by every layer, and independent of surveys."""

"""Tests of a site that two machines serve: two data directories, one shared directory, one database."""

"""The pages people open, one package for each audience. They do not import one another."""

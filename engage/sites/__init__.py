"""The pages of the site, one package for each audience. These packages do not import one another."""

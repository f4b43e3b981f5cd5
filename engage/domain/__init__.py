"""One package for each thing Engage does. They do not import one another; work that needs two of them is a service."""

"""The loyalty warehouse: pull, check, land, build, estimate, publish."""

__version__ = "0.1.0"

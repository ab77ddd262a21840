"""The command `loyalty`."""

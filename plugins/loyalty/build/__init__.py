"""Accepted loads become core, estimates and marts in the work file."""

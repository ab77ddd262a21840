"""An export becomes a checked load in landing, or is rejected; bad rows go to quarantine."""

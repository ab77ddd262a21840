"""Sources: where exports come from. Each file is copied whole before anything looks at it."""

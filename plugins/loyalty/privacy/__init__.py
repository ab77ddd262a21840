"""Personal data: the key that hashes it, and the list of who is forgotten."""

"""Personal data: the key that hashes it, and the list of forgotten people."""

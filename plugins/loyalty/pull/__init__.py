"""What comes in: the canonical feeds, each feed's YAML, where an export lies (sources), how it is read (formats)."""

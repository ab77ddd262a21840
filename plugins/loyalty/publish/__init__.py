"""A finished build becomes an immutable generation that BI tools read."""

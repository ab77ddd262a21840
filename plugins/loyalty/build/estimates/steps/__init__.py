"""One module per estimate: statistics read, a model fitted, its parameter tables written.

Each has `TABLES` (its tables in the schema `estimates`, with their types) and `fit(connection, as_of)`, which
replaces them and returns what was fitted and what was not.
"""

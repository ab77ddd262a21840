"""Formats: an export file becomes batches of text cells with their line numbers.

Nothing is typed here. A file that is damaged or not what its feed declares is rejected whole with
LoadRejected; a single line with too few or too many cells becomes a BadLine and the rest goes on.
"""

"""Finding again: full text and vectors over conversations, files and notes.

The database holds the truth; full text stands beside it and the vector index in a process of its own.
"""

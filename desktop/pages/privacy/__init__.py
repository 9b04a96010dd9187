"""Privacy: everything about the life of the office's data, one part a module."""

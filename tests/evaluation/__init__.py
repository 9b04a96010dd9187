"""Measurements of quality on real documents: slow, and printed as figures."""

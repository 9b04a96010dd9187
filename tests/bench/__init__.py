"""Benchmarks: speed, memory and quality, one printed line per figure."""

"""The local socket through which later processes reach the one that owns the office."""

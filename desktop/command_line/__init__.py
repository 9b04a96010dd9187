"""The terminal face of the office."""

from desktop.command_line.entry import main

__all__ = ["main"]

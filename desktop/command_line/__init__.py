"""The terminal face of the office."""

from desktop.command_line.entry import main, program

__all__ = ["main", "program"]

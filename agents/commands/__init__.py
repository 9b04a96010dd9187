"""What the terminal's commands do; the same code serves them here and through the door."""

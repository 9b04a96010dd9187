"""Pictures of every page and state, taken from a real office through the window's own start."""

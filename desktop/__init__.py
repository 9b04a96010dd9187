"""The two faces of the office: the window and the terminal commands."""

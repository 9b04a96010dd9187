"""A window with every state of the building blocks, for screenshots and for the eye."""

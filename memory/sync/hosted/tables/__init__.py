"""The tables of the three databases. A test compares them with what the service says that it can see."""

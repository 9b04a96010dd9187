"""Documents to text: recognised by content, read in a limited process, cut into passages with places."""

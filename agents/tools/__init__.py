"""The built-in tools that agents may call."""

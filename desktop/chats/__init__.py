"""The list of conversations, one conversation with its composer, and the inspector beside it."""

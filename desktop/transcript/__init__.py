"""The transcript: streaming Markdown in a virtual list of pooled widgets."""

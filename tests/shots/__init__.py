"""Pictures of every page and state, taken from a real office through the window's own start."""

PASSPHRASE = "correct horse battery"  # pragma: allowlist secret  # of an office made for pictures

"""The documents that the set-up lays beside the other test peers."""

import sys
from pathlib import Path


def document(name: str) -> Path:
    """Return the path of a document of ``documents.json``. Raises FileNotFoundError naming the set-up."""
    path = Path(sys.prefix) / "peers" / "documents" / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; run `{sys.executable} packaging/peers.py`")
    return path

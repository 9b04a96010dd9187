"""How long a text is for the embedder, told without loading its tokenizer."""

import re

_PIECE = re.compile(r"[A-Za-z]{1,7}(?![A-Za-z])|[A-Za-z]{5}|\d{1,2}|[^\sA-Za-z\d]")


def piece_estimate(text: str) -> int:
    """Return about how many word pieces a text has, a little high."""
    return len(_PIECE.findall(text))

"""How many tokens something will be: the likely number to show, and the most it can be to reserve."""

import re

_ASCII = re.compile(r"[\x00-\x7f]+")
IMAGE = 1_600
PDF_PAGE = 2_300
"""A page goes to a model as its text and as a picture."""
MOST_PER_IMAGE = 6_000
MOST_PER_PDF_PAGE = 6_000
OVERHEAD = 16
"""Role and separators of one message."""


def likely_tokens(text: str) -> int:
    """Return about how many tokens a text is: a quarter of its ASCII letters, 0.6 of every other letter."""
    plain = sum(len(run) for run in _ASCII.findall(text))
    return -(-(plain * 5 + (len(text) - plain) * 12) // 20)


def most_tokens(text: str) -> int:
    """Return a number that the tokens of a text do not exceed in practice: one for every two bytes."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // 2)

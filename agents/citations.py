"""Finds the places an answer names: ``[survey.pdf, p. 12]``."""

import re
from collections.abc import Mapping
from typing import Any

from memory.attachments import Attachment

_CITED = re.compile(
    r"\[(?P<file>[^\[\]\n]{1,200}?),\s*(?P<place>"
    r"(?:pp?\.|pages?)\s*(?P<page>\d+)(?:\s*[-–]\s*\d+)?"
    r"|slides?\s+(?P<slide>\d+)"
    r"|lines?\s+(?P<line>\d+)(?:\s*[-–]\s*\d+)?"
    r"|sheet\s+(?P<sheet>[^,\[\]]+)(?:,\s*[^\[\]]*)?"
    r"|rows?\s+\d+(?:\s*[-–]\s*\d+)?)\]",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"“([^”]{3,600})”|\"([^\"\n]{3,600})\"")


def citations_in(text: str, files: Mapping[str, Attachment]) -> list[dict[str, Any]]:
    """Return the citations of a text that name one of the files, in order, each place once.

    Each holds ``file``, ``place`` in words, ``quote`` (what stands in quotation marks before it in the same
    paragraph, else empty), ``attachment_id``, and of ``page``, ``slide``, ``line``, ``sheet`` what applies.
    """
    by_name = {name.casefold(): attachment for name, attachment in files.items()}
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for match in _CITED.finditer(text):
        attachment = by_name.get(match["file"].strip().casefold())
        if attachment is None:
            continue
        quote = _quote_before(text, match.start())
        citation: dict[str, Any] = {
            "file": attachment.name,
            "place": match["place"].strip(),
            "quote": quote,
            "attachment_id": attachment.id,
        }
        for name in ("page", "slide", "line"):
            if match[name]:
                citation[name] = int(match[name])
        if match["sheet"]:
            citation["sheet"] = match["sheet"].strip()
        found.setdefault((attachment.id, citation["place"].casefold(), quote), citation)
    return list(found.values())


def _quote_before(text: str, end: int) -> str:
    start = text.rfind("\n\n", 0, end) + 1
    quoted = list(_QUOTED.finditer(text, start, end))
    if quoted:
        return (quoted[-1][1] or quoted[-1][2]).strip()
    lines = text[start:end].strip().splitlines()
    return " ".join(line[1:].strip() for line in lines if line.startswith(">"))

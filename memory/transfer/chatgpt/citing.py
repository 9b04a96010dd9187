"""What ChatGPT cites: its marks in a text become links."""

import re
from typing import Any

from memory.transfer.incoming import words

_MARK = re.compile("\ue200[^\ue200\ue201]*\ue201")
_OPENING = ("\ue200", "【")


def with_links(text: str, metadata: dict[str, Any]) -> str:
    """Return the text with a link in place of each mark whose source is known; other private marks go."""
    for reference in _records(metadata.get("content_references")):
        mark = words(reference.get("matched_text"))
        if mark.startswith(_OPENING):
            text = text.replace(mark, _alternative(reference))
    # From the end, so that the places of those before still hold.
    cited = [one for one in _records(metadata.get("citations")) if isinstance(one.get("start_ix"), int)]
    for citation in sorted(cited, key=lambda one: -one["start_ix"]):
        start, end = citation["start_ix"], citation.get("end_ix")
        if isinstance(end, int) and 0 <= start < end and text[start:end].startswith(_OPENING):
            text = text[:start] + _link(citation.get("metadata")) + text[end:]
    return _MARK.sub("", text)


def _alternative(reference: dict[str, Any]) -> str:
    if alternative := words(reference.get("alt")):
        return alternative
    links = [_link(item) for item in (reference, *_records(reference.get("items")))]
    return " ".join(link for link in links if link)


def _link(source: object) -> str:
    if not isinstance(source, dict):
        return ""
    title = " ".join(words(source.get("title")).split()).replace("[", "(").replace("]", ")")
    address = words(source.get("url"))
    if address.startswith(("https://", "http://")) and not set(address) & set(" <>\n"):
        return f"([{title or address}](<{address}>))"
    return f"({title})" if title else ""


def _records(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []

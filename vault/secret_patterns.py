"""What keys and tokens look like, for those that this process never held as a `Secret`."""

import re

MARK = "[redacted]"


def _token(prefix: str, rest: str) -> str:
    """Match a token at the start of a word; after an escaped character too: "%3Dsk-…", "\\nsk-…".

    The prefix comes first and is checked from behind, because the search for a plain prefix is fast.
    """
    start = rf"(?:(?<![A-Za-z0-9]{prefix})|(?<=%[0-9A-Fa-f]{{2}}{prefix})|(?<=\\[nrt]{prefix}))"
    return prefix + start + rest


_NAMES = (
    r"(?:api[_-]?key|apikey|x-api-key|x-goog-api-key|access[_-]?token|refresh[_-]?token|id[_-]?token"
    r"|auth[_-]?token|client[_-]?secret|password|passphrase|passwd|secret)"
)
_PATTERNS = (
    r"sk-ant-[A-Za-z0-9_-]{8,}",
    _token("sk-", r"[A-Za-z0-9_-]{16,}"),
    _token("AIza", r"[A-Za-z0-9_-]{30,}"),
    _token("gh", r"[opsur]_[A-Za-z0-9]{20,}"),
    _token("github_pat_", r"[A-Za-z0-9_]{20,}"),
    _token("xox", r"[a-z]-[A-Za-z0-9-]{10,}"),
    _token("xapp-", r"[A-Za-z0-9-]{10,}"),
    _token("eyJ", r"[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    r"(?:(?<!\d)|(?<=%[0-9A-Fa-f]{2}))\d{8,10}(?::|%3[Aa])[\w-]{35}",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
)
_UNCUT = rf"(?!{re.escape(MARK)})"
# Between a name and its value; the comma is that of pairs: (b'x-api-key', b'…').
_SEPARATOR = r"(?:\s*[:=]\s*|(?<=[\"'])\s*,\s*)"
# What stands before the value stays, so that people see which header or parameter was cut.
_NAMED = (
    r"(?i:\bbearer(?:\s+|%20|\+))(?P<value>(?=[^\s\"',;]{8})[A-Za-z0-9._~+/%=-]+)",
    r"(?i:\bbasic(?:\s+|%20|\+))(?P<value>(?=[^\s\"',;]{16})[A-Za-z0-9+/%=_-]+)",
    r"(?<=/bot)(?P<value>\d+(?::|%3[Aa])[\w-]+)",
    rf"(?i:[?&;](?:key|token|sig|signature|code|{_NAMES})=){_UNCUT}(?P<value>[^&\s\"'<>#]+)",
    rf"(?i:\b{_NAMES}(?:\\*[\"'])?{_SEPARATOR}(?:b?\\*[\"'])?){_UNCUT}(?P<value>(?=[^\s\"',;]{{8}})[^\s\"',;&\\}}\])]+)",
)
_WHOLE = tuple(re.compile(pattern) for pattern in _PATTERNS)
_VALUES = tuple(re.compile(pattern) for pattern in _NAMED)


def _cut(match: re.Match[str]) -> str:
    start = match.start("value") - match.start()
    return match.group()[:start] + MARK


def replace_patterns(text: str) -> str:
    """Return the text with everything that looks like a key, token or private key replaced by `MARK`."""
    for pattern in _WHOLE:
        text = pattern.sub(MARK, text)
    for pattern in _VALUES:
        text = pattern.sub(_cut, text)
    return text

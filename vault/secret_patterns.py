"""What keys and tokens look like, for those that this process never held as a `Secret`."""

import re

MARK = "[redacted]"

# A word boundary that also holds after an escaped character: "%3Dsk-…", "\nsk-…".
_START = r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt]))"
_NAMES = (
    r"(?:api[_-]?key|apikey|x-api-key|x-goog-api-key|access[_-]?token|refresh[_-]?token|id[_-]?token"
    r"|auth[_-]?token|client[_-]?secret|password|passphrase|passwd|secret)"
)
_PATTERNS = (
    r"sk-ant-[A-Za-z0-9_-]{8,}",
    _START + r"sk-[A-Za-z0-9_-]{16,}",
    _START + r"AIza[A-Za-z0-9_-]{30,}",
    _START + r"gh[opsur]_[A-Za-z0-9]{20,}",
    _START + r"github_pat_[A-Za-z0-9_]{20,}",
    _START + r"xox[a-z]-[A-Za-z0-9-]{10,}",
    _START + r"xapp-[A-Za-z0-9-]{10,}",
    _START + r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
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
_WHOLE = re.compile("|".join(_PATTERNS))
_VALUES = tuple(re.compile(pattern) for pattern in _NAMED)


def _cut(match: re.Match[str]) -> str:
    start = match.start("value") - match.start()
    return match.group()[:start] + MARK


def replace_patterns(text: str) -> str:
    """Return the text with everything that looks like a key, token or private key replaced by `MARK`."""
    text = _WHOLE.sub(MARK, text)
    for pattern in _VALUES:
        text = pattern.sub(_cut, text)
    return text

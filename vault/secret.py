"""A string that never prints itself."""

import hashlib
import hmac
from typing import Never, SupportsIndex

from vault import live_secrets

_FAMILIES = ("sk-ant-", "sk-", "AIza", "github_pat_", "ghp_", "gho_", "xoxb-", "xoxp-", "xapp-")
_TAIL = 4
_HIDDEN = 12


class Secret:
    """One key, token or passphrase; only ``reveal()`` gives its text.

    It cannot be pickled or put into JSON, and its representation is its mask. While it lives, redaction
    replaces its text (of at least ``live_secrets.SHORTEST`` characters) wherever it would be printed.
    """

    __slots__ = ("__weakref__", "_text")
    _text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "_text", text)
        live_secrets.register(self, text)

    def reveal(self) -> str:
        """Return the text, for the one call that sends or derives from it."""
        return self._text

    def mask(self) -> str:
        """Return what people may see, such as ``sk-…a1b2``: a public prefix and at most four characters.

        Nothing of a secret is shown unless at least twelve characters stay hidden.
        """
        family = next((prefix for prefix in _FAMILIES if self._text.startswith(prefix)), "")
        if len(self._text) - len(family) < _HIDDEN + _TAIL:
            return "…"
        return f"{family}…{self._text[-_TAIL:]}"

    def fingerprint(self, salt: bytes) -> str:
        """Return eight hexadecimal digits that recognise this secret among those seen with the same salt."""
        return hmac.new(salt, _bytes(self._text), hashlib.sha256).hexdigest()[:8]

    def __repr__(self) -> str:
        return f"Secret({self.mask()})"

    def __str__(self) -> str:
        return self.mask()

    def __format__(self, specification: str) -> str:
        return format(self.mask(), specification)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_bytes(self._text), _bytes(other._text))

    __hash__ = None  # type: ignore[assignment]  # a hash would be a fast oracle for short secrets

    def __setattr__(self, name: str, value: object) -> Never:
        raise AttributeError("a Secret cannot be changed")

    def __delattr__(self, name: str) -> Never:
        raise AttributeError("a Secret cannot be changed")

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> "Secret":
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> Never:
        raise TypeError("a Secret cannot be pickled")

    def __getstate__(self) -> Never:
        raise TypeError("a Secret cannot be pickled")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")

"""The secrets alive in this process, held weakly, so that redaction knows how each may be written.

An entry disappears with the object that owns it; nothing here keeps a secret alive.
"""

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from vault.secret_forms import SecretForms

SHORTEST = 8
"""Texts shorter than this are never substituted: replacing every "test" would mangle what people read."""

_Texts = Callable[[], tuple[str, ...]]


@dataclass(slots=True)
class _Entry:
    reference: weakref.ref[object]
    forms: tuple[SecretForms, ...]


_lock = threading.RLock()
_entries: dict[int, _Entry] = {}
_ordered: tuple[SecretForms, ...] | None = None


def register(owner: object, *texts: str) -> None:
    """Redact these texts, where they are long enough, for as long as the owner lives."""
    global _ordered
    forms = tuple(SecretForms(text) for text in texts if len(text) >= SHORTEST)
    if not forms:
        return
    identity = id(owner)

    def forget(_reference: weakref.ref[object]) -> None:
        global _ordered
        with _lock:
            _entries.pop(identity, None)
            _ordered = None

    with _lock:
        _entries[identity] = _Entry(weakref.ref(owner, forget), forms)
        _ordered = None


def live_forms() -> tuple[SecretForms, ...]:
    """Return the forms of every live secret, longest first, so that none is cut by one inside it."""
    global _ordered
    with _lock:
        if _ordered is None:
            every = [forms for entry in list(_entries.values()) for forms in entry.forms]
            _ordered = tuple(sorted(every, key=lambda forms: len(forms.text), reverse=True))
        return _ordered

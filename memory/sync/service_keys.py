"""The keys by which a service signs receipts and what expired: those that it shows first count, and no other ones.

OfficeSync has no way for a key to hand over to another one, so the owner decides: joining anew takes what is shown.
"""

import hashlib
from collections.abc import Mapping

from sqlalchemy.orm import Session

from memory import audit
from memory.sync import base64url, space

MOST = 16
"""The most keys that a service may show."""


def fingerprint(key: bytes) -> str:
    """Return how a key is named for its owner, whatever the service calls it."""
    return hashlib.sha256(key).hexdigest()[:16]


def meet(session: Session, shown: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the keys that count, by their ids, where the service shows these now.

    The first that are shown are remembered. Others beside them are noted, until they are shown no more.
    """
    here = space.of(session)
    if here is None:
        return {}
    if not here.service_keys:
        here.service_keys = {name: base64url.encode(key) for name, key in shown.items()}
    counting = {name: base64url.decode(key, 32) for name, key in here.service_keys.items()}
    others = sorted(fingerprint(key) for key in set(shown.values()) - set(counting.values()))
    for name in set(others) - set(here.other_keys):
        audit.append(session, "sync service shows another key", name)
    if others != here.other_keys:
        here.other_keys = others
    return counting


def is_met(session: Session) -> bool:
    """Say whether keys of the service are remembered."""
    here = space.of(session)
    return here is not None and bool(here.service_keys)

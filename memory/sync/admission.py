"""Whose records a device takes: what a revoked device and the service together must not achieve.

Signature and seal are checked by `envelope` and `markers`; here the account log decides.
"""

from memory.sync.account import Account
from memory.sync.errors import SignerRefused
from memory.sync.header import Header

REVOKED = "revoked, and not wrapped anew"
"""Why a put of a device that was taken off is refused."""


def admit_put(account: Account, header: Header, wrapped_under: int, *, held_before: bool) -> None:
    """Raise SignerRefused unless a put may be taken.

    A put of a revoked device that was not held before the revocation is taken only once an active device has
    wrapped its key anew: under ``wrapped_under``, the epoch that the revocation opened in this space, or a later one.
    """
    revoked = account.device(header.device_id).revoked
    if revoked is None or held_before:
        return
    opened = account.opened_after(header.space_id, revoked)
    if opened is None or wrapped_under < opened:
        raise SignerRefused(REVOKED)


def may_rewrap(account: Account, header: Header, *, held_before: bool) -> bool:
    """Whether a rotation may carry a revision into the new epoch: it was held before, or its device is active."""
    return held_before or account.device(header.device_id).revoked is None


def erases_at_once(account: Account, header: Header) -> bool:
    """Whether a device's marker erases; that of a revoked device only sets aside."""
    return account.device(header.device_id).revoked is None

"""What the service refuses: to those who call it, as an HTTP answer; to those who run it, as a sentence.

HostedError
├── SettingsInvalid    the service cannot start so; the message names the setting and what it must be
├── ServiceFault       something the operator must see to; the message names it
│   └── StoreAway      a database does not answer, or refused to take a transaction
└── Refusal            the answer to one request
"""

from typing import Any


class HostedError(Exception):
    """A fault of the service."""


class SettingsInvalid(HostedError):
    """The service cannot start with these settings; the message is a sentence that names the fix."""


class ServiceFault(HostedError):
    """Something that the operator must see to; the message is a sentence that names it."""


class StoreAway(ServiceFault):
    """A database does not answer, or ended a transaction: whether it was taken is not known. It may be sent again."""


class Refusal(HostedError):
    """The answer ``{"error": code, "detail": sentence, …}`` with an HTTP status.

    ``code`` is what clients decide by and say in their reader's language; ``detail`` is English, for logs and those
    who write clients. ``more`` are further members. ``retry_after`` is in seconds.
    """

    def __init__(
        self, status: int, code: str, detail: str, *, retry_after: int | None = None, **more: Any
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.more = more


def not_found() -> Refusal:
    """What is not there, or belongs to somebody else: the answer is the same."""
    return Refusal(404, "not_found", "There is nothing of yours under this address.")


def malformed(reason: str) -> Refusal:
    """A body or parameter that is not what the protocol says."""
    return Refusal(400, "malformed", f"The request is not as the protocol says: {reason}.")

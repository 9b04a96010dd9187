"""What the vault asks of one keyring of the system, whichever it is."""

from typing import Protocol

SERVICE = "Bureau"
"""The service name of every item."""


class SystemKeyring(Protocol):
    """Blocking calls in terms of texts; each opens its own connection, so any thread may make them.

    `deadline` is a time of `time.monotonic()`: what waits for the owner's answer gives up then, and a write
    whose prompt is answered later no longer happens.
    """

    @property
    def identity(self) -> str:
        """The id that the office remembers."""

    @property
    def name(self) -> str:
        """The name for people."""

    @property
    def longest(self) -> int | None:
        """The most characters of one value; None without a limit that matters."""

    def get(self, item: str, deadline: float) -> str | None:
        """Raises StoreUnusable, TimeoutError."""

    def set(self, item: str, label: str, value: str, deadline: float) -> None:
        """Raises StoreUnusable, TimeoutError."""

    def delete(self, item: str, deadline: float) -> None:
        """Raises StoreUnusable, TimeoutError."""

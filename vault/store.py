"""Where secrets rest: what every such place can do."""

from typing import Protocol

from vault.secret import Secret


class SecretStore(Protocol):
    """A keyring of the system, or the passphrase vault; every method may block and is safe in any thread."""

    @property
    def identity(self) -> str:
        """The stable id that the office remembers, so that it is never moved silently to a weaker place."""

    @property
    def name(self) -> str:
        """The name for people, such as "GNOME Keyring"."""

    def read(self, item: str) -> Secret | None:
        """Return the secret of an item, or None if there is none.

        Raises StoreUnusable, SealedFileDamaged.
        """

    def write(self, item: str, secret: Secret, label: str) -> None:
        """Keep a secret under an item, in place of the former one; it has been read back on return.

        The label is what the owner sees in the system's key manager.

        Raises StoreUnusable, SavingFailed.
        """

    def delete(self, item: str) -> None:
        """Destroy an item; none being there is no error.

        Raises StoreUnusable, SavingFailed.
        """

    def probe(self) -> None:
        """Write a random value, read it back and delete it, past every cache.

        Raises StoreUnusable, SavingFailed.
        """

"""KDE Wallet, macOS Keychain and Windows Credential Manager through the keyring library."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from vault.errors import KeyringAbsent, KeyringGone, KeyringLocked
from vault.system_keyring import SERVICE

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_LONGEST = {"windows-credentials": 1280}  # 2,560 bytes, stored as UTF-16
# Where one item per service can be read without its user name, that name is free for the owner's label.
_LABELLED = {"windows-credentials", "kwallet", "secret-service"}


class LibraryKeyring:
    """One allow-listed backend of the keyring library."""

    def __init__(self, backend: "KeyringBackend", identity: str, name: str) -> None:
        self._backend = backend
        self.identity = identity
        self.name = name
        self.longest = _LONGEST.get(identity)
        self._worked = False

    @classmethod
    def load(cls, backend: str, identity: str, name: str) -> "LibraryKeyring":
        """Load a backend by module and class.

        Raises KeyringAbsent if this system cannot run it.
        """
        module, _, class_name = backend.rpartition(".")
        try:
            kind = getattr(import_module(module), class_name)
            _ = kind.priority  # raises RuntimeError where the backend is not viable
            instance = kind()
        except (ImportError, AttributeError, RuntimeError) as error:
            raise KeyringAbsent from error
        if identity == "windows-credentials":
            instance.persist = "local machine"  # the default roams through a domain
        return cls(instance, identity, name)

    def get(self, item: str, deadline: float) -> str | None:
        with self._translated():
            return self._get(item)

    def set(self, item: str, label: str, value: str, deadline: float) -> None:
        with self._translated():
            if self.identity not in _LABELLED:
                self._write(SERVICE, item, value, deadline)
                return
            service = f"{SERVICE}/{item}"
            former = self._backend.get_credential(service, None)
            self._write(service, label, value, deadline)
            if former is not None and former.username != label:
                self._backend.delete_password(service, former.username)

    def delete(self, item: str, deadline: float) -> None:
        with self._translated():
            if self.identity not in _LABELLED:
                if self._get(item) is not None:
                    self._backend.delete_password(SERVICE, item)
                return
            service = f"{SERVICE}/{item}"
            while (found := self._backend.get_credential(service, None)) is not None:
                self._backend.delete_password(service, found.username)

    def _get(self, item: str) -> str | None:
        if self.identity not in _LABELLED:
            return self._backend.get_password(SERVICE, item)
        found = self._backend.get_credential(f"{SERVICE}/{item}", None)
        return found.password if found is not None else None

    def _write(self, service: str, username: str, value: str, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise TimeoutError
        self._backend.set_password(service, username, value)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        import keyring.errors

        try:
            yield
            self._worked = True
        except keyring.errors.KeyringLocked as error:
            raise KeyringLocked(self.name) from error
        except (keyring.errors.InitError, keyring.errors.NoKeyringError) as error:
            raise (KeyringGone(self.name) if self._worked else KeyringAbsent()) from error
        except keyring.errors.KeyringError as error:
            # Refused by its owner: the prompt was cancelled, or access was denied.
            raise KeyringLocked(self.name) from error

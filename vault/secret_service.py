"""GNOME Keyring, KDE Wallet and others through the Secret Service of the D-Bus session.

It is spoken to directly, not through the keyring library: that one writes labels of its own, so the owner
would not recognise an item in the system's key manager.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vault.errors import KeyringAbsent, KeyringGone, KeyringLocked
from vault.system_keyring import SERVICE

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection
    from secretstorage import Collection, Item

_BUS_NAME = "org.freedesktop.secrets"
_IS_LOCKED = "org.freedesktop.Secret.Error.IsLocked"
_PROVIDERS = {
    "gnome-keyring": "GNOME Keyring",
    "kwalletd": "KDE Wallet",
    "ksecretd": "KDE Wallet",
    "keepassxc": "KeePassXC",
    "oo7-daemon": "oo7",
}
_ANONYMOUS = "Secret Service"


class SecretServiceKeyring:
    """Items are found by the attributes service and username, in whichever collection they lie."""

    identity = "secret-service"
    longest = None

    def __init__(self) -> None:
        self.name = _ANONYMOUS
        self._owner: str | None = None

    def is_there(self) -> bool:
        """Tell whether a Secret Service runs or can be started, without asking it anything."""
        try:
            with self._connection() as connection:
                from secretstorage import check_service_availability

                self.name = _provider(connection)
                return check_service_availability(connection)
        except KeyringAbsent:
            return False

    def get(self, item: str, deadline: float) -> str | None:
        with self._session(deadline) as connection:
            found = self._find(connection, item, deadline)
            return found.get_secret().decode("utf-8") if found is not None else None

    def set(self, item: str, label: str, value: str, deadline: float) -> None:
        with self._session(deadline) as connection:
            found = self._find(connection, item, deadline)
            if found is None:
                collection = self._default_collection(connection, deadline)
                collection.create_item(label, _attributes(item), value.encode("utf-8"), replace=True)
                return
            found.set_secret(value.encode("utf-8"))
            if found.get_label() != label:
                found.set_label(label)

    def delete(self, item: str, deadline: float) -> None:
        with self._session(deadline) as connection:
            while (found := self._find(connection, item, deadline)) is not None:
                found.delete()

    def _find(self, connection: "DBusConnection", item: str, deadline: float) -> "Item | None":
        import secretstorage

        attributes = _attributes(item)
        found = next(secretstorage.search_items(connection, attributes), None)
        if found is None:
            try:
                collection = secretstorage.Collection(connection)
            except secretstorage.ItemNotFoundException:
                return None
            if not collection.is_locked():
                return None
            # Some services do not search locked collections.
            self._unlock(collection, deadline)
            found = next(secretstorage.search_items(connection, attributes), None)
        if found is not None and found.is_locked():
            self._unlock(found, deadline)
        return found

    def _default_collection(self, connection: "DBusConnection", deadline: float) -> "Collection":
        import secretstorage

        collection = secretstorage.get_default_collection(connection)
        if collection.is_locked():
            self._unlock(collection, deadline)
        _check(deadline)
        return collection

    def _unlock(self, what: "Collection | Item", deadline: float) -> None:
        what.unlock(timeout=max(deadline - time.monotonic(), 0.0))
        if what.is_locked():
            raise KeyringLocked(self.name)
        _check(deadline)

    @contextmanager
    def _connection(self) -> Iterator["DBusConnection"]:
        import secretstorage

        try:
            connection = secretstorage.dbus_init()
        except (secretstorage.SecretServiceNotAvailableException, OSError) as error:
            raise self._unreachable() from error
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _session(self, deadline: float) -> Iterator["DBusConnection"]:
        """Yield a connection and translate every failure of the service."""
        import secretstorage
        from jeepney import DBusErrorResponse

        with self._connection() as connection:
            try:
                if not secretstorage.check_service_availability(connection):
                    raise self._unreachable()
                yield connection
                self._remember(connection)
            except TimeoutError:
                raise
            except (secretstorage.PromptDismissedException, secretstorage.LockedException) as error:
                raise self._locked(connection) from error
            except KeyringLocked as error:
                raise self._locked(connection) from error
            except (secretstorage.SecretStorageException, ConnectionError, EOFError) as error:
                raise self._unreachable() from error
            except DBusErrorResponse as error:
                raise (
                    self._locked(connection) if error.name == _IS_LOCKED else self._unreachable()
                ) from error

    def _remember(self, connection: "DBusConnection") -> None:
        """Keep who answered, to tell a restarted service from one that was always locked."""
        owner = _owner(connection)
        if owner is not None and owner != self._owner:
            self._owner, self.name = owner, _provider(connection)

    def _unreachable(self) -> KeyringAbsent | KeyringGone:
        return KeyringGone(self.name) if self._owner is not None else KeyringAbsent()

    def _locked(self, connection: "DBusConnection") -> KeyringLocked | KeyringGone:
        owner = _owner(connection)
        if self._owner is not None and owner != self._owner:
            return KeyringGone(self.name)
        return KeyringLocked(_provider(connection))


def _attributes(item: str) -> dict[str, str]:
    return {"service": SERVICE, "username": item, "application": SERVICE}


def _check(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError


def _owner(connection: "DBusConnection") -> str | None:
    """Return the unique bus name of the process that serves the secrets, if one does."""
    answer = _ask_bus(connection, "GetNameOwner", _BUS_NAME)
    return answer if isinstance(answer, str) else None


def _provider(connection: "DBusConnection") -> str:
    pid = _ask_bus(connection, "GetConnectionUnixProcessID", _BUS_NAME)
    if not isinstance(pid, int):
        return _ANONYMOUS
    try:
        command = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8")
    except OSError:
        return _ANONYMOUS  # a system without /proc, or a process that ended
    return next((name for start, name in _PROVIDERS.items() if command.startswith(start)), _ANONYMOUS)


def _ask_bus(connection: "DBusConnection", method: str, name: str) -> object:
    """Return the first value of the bus daemon's answer, None if it is an error."""
    from jeepney import DBusAddress, MessageType, new_method_call

    bus = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
    try:
        reply = connection.send_and_get_reply(new_method_call(bus, method, "s", (name,)))
    except (ConnectionError, EOFError):
        return None  # the bus itself has ended
    return None if reply.header.message_type is MessageType.error else reply.body[0]

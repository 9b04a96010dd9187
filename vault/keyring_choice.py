"""Which keyring of the system is used: an allow-list, never whatever a setting happens to name."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from vault.errors import KeyringAbsent, KeyringRefused, KeyringSettingsDamaged
from vault.system_keyring import SystemKeyring

_CHAINER = "keyring.backends.chainer.ChainerBackend"
_VARIABLE = "PYTHON_KEYRING_BACKEND"
_SECRET_SERVICE = "keyring.backends.SecretService.Keyring"  # noqa: S105 - the name of a class
_KWALLET = "keyring.backends.kwallet.DBusKeyring"
_KEYCHAIN = "keyring.backends.macOS.Keyring"
_CREDENTIAL_MANAGER = "keyring.backends.Windows.WinVaultKeyring"

IDENTITIES = {
    _SECRET_SERVICE: "secret-service",
    "keyring.backends.libsecret.Keyring": "secret-service",
    _KWALLET: "kwallet",
    _KEYCHAIN: "macos-keychain",
    _CREDENTIAL_MANAGER: "windows-credentials",
}
"""The backends that keep secrets safe, by module and class, and the identity that an office remembers."""


def choose_keyring() -> SystemKeyring:
    """Return the keyring to use: the one that a setting names, if it is a safe one, else the system's own.

    Nothing is asked of the keyring yet, except on Linux whether one is there at all.

    Raises KeyringRefused, KeyringAbsent.
    """
    redirect = _redirect()
    if redirect is None:
        return _system_keyring()
    backend, source = redirect
    if backend == _CHAINER:
        backend = _first_of_chain(source)
    if backend not in IDENTITIES:
        raise KeyringRefused(backend, source)
    return _open(backend)


def display_name(identity: str) -> str:
    """Return the name for people of a place that is not open now."""
    return {
        "secret-service": "GNOME Keyring",
        "kwallet": "KDE Wallet",
        "macos-keychain": "macOS Keychain",
        "windows-credentials": "Windows Credential Manager",
    }.get(identity, identity)


def _redirect() -> tuple[str, str] | None:
    """Return the backend that a setting of the keyring library names, and that setting's name."""
    named = os.environ.get(_VARIABLE, "").strip()
    if named:
        return named, _VARIABLE
    file = _settings_folder() / "keyringrc.cfg"
    if not file.exists():
        return None
    import configparser

    settings = configparser.RawConfigParser()
    try:
        settings.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, OSError) as error:
        raise KeyringSettingsDamaged(str(file)) from error
    named = settings.get("backend", "default-keyring", fallback="").strip()
    return (named, str(file)) if named else None


def _settings_folder() -> Path:
    if sys.platform == "win32":
        root = os.environ.get("LOCALAPPDATA", os.environ.get("PROGRAMDATA", "."))
        return Path(root, "Python Keyring")
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config", "python_keyring")


def _first_of_chain(source: str) -> str:
    """Return the backend that a chain would ask first; a chain with an unsafe member is refused."""
    from keyring.backends.chainer import ChainerBackend

    members = [f"{type(each).__module__}.{type(each).__qualname__}" for each in ChainerBackend.backends]
    for member in members:
        if member not in IDENTITIES:
            raise KeyringRefused(f"{_CHAINER} ({member})", source)
    if not members:
        raise KeyringAbsent
    return members[0]


def _system_keyring() -> SystemKeyring:
    if sys.platform == "darwin":
        return _open(_KEYCHAIN)
    if sys.platform == "win32":
        return _open(_CREDENTIAL_MANAGER)
    service = _secret_service()
    if service is not None:
        return service
    # KDE Wallet answers as a Secret Service since 5.97; an older one needs the library python-dbus.
    if find_spec("dbus") is not None:
        return _open(_KWALLET)
    raise KeyringAbsent


def _open(backend: str) -> SystemKeyring:
    identity = IDENTITIES[backend]
    if identity == "secret-service":
        service = _secret_service()
        if service is None:
            raise KeyringAbsent
        return service
    from vault.library_keyring import LibraryKeyring

    return LibraryKeyring.load(backend, identity, display_name(identity))


def _secret_service() -> SystemKeyring | None:
    from vault.secret_service import SecretServiceKeyring

    service = SecretServiceKeyring()
    return service if service.is_there() else None

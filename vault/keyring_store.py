"""Secrets as items of the system's keyring."""

import base64
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from vault.errors import KeyringLying, KeyringPromptTimeout, SealedFileDamaged
from vault.keyring_choice import choose_keyring
from vault.sealed_files import SealedFiles
from vault.secret import Secret
from vault.system_keyring import SystemKeyring

PROMPT_SECONDS = 60.0
"""How long a keyring may wait for its owner to answer a prompt."""

_ENVELOPE = "bureau-sealed-1:"
_KIND = "keyring"
_Result = TypeVar("_Result")


class KeyringStore:
    """Reads each item once and keeps it in memory, because a keyring may ask its owner at every read.

    A value too long for the backend is sealed into a file of the office; the item then holds that file's key.
    """

    def __init__(
        self, folder: Path, keyring: SystemKeyring, *, prompt_seconds: float = PROMPT_SECONDS
    ) -> None:
        self._keyring = keyring
        self._sealed = SealedFiles(folder)
        self._prompt_seconds = prompt_seconds
        self._known: dict[str, Secret] = {}
        self._lock = threading.RLock()

    @classmethod
    def open(cls, folder: Path, *, prompt_seconds: float = PROMPT_SECONDS) -> "KeyringStore":
        """Choose the keyring of this system; `folder` is the office's, for sealed files.

        Raises KeyringAbsent, KeyringRefused, KeyringPromptTimeout.
        """
        keyring = _call_within(prompt_seconds, "D-Bus", lambda _deadline: choose_keyring())
        return cls(folder, keyring, prompt_seconds=prompt_seconds)

    @property
    def identity(self) -> str:
        return self._keyring.identity

    @property
    def name(self) -> str:
        return self._keyring.name

    def read(self, item: str) -> Secret | None:
        with self._lock:
            if item not in self._known:
                found = self._fetch(item)
                if found is None:
                    return None
                self._known[item] = found
            return self._known[item]

    def write(self, item: str, secret: Secret, label: str) -> None:
        with self._lock:
            former = self._get(item)
            value = secret.reveal()
            longest = self._keyring.longest
            if value.startswith(_ENVELOPE) or (longest is not None and len(value) > longest):
                value = self._seal(item, secret, label)
            self._known.pop(item, None)
            self._within(lambda deadline: self._keyring.set(item, label, value, deadline))
            if self._fetch(item) != secret:
                raise KeyringLying(self.name)
            self._known[item] = secret
            self._discard_file(item, former)

    def delete(self, item: str) -> None:
        with self._lock:
            former = self._get(item)
            self._within(lambda deadline: self._keyring.delete(item, deadline))
            self._known.pop(item, None)
            self._discard_file(item, former)

    def probe(self) -> None:
        item = f"probe-{secrets.token_hex(8)}"
        value = secrets.token_hex(32)
        with self._lock:
            self._within(lambda deadline: self._keyring.set(item, "Bureau – test", value, deadline))
            returned = self._get(item)
            self._within(lambda deadline: self._keyring.delete(item, deadline))
            if returned != value or self._get(item) is not None:
                raise KeyringLying(self.name)

    def _fetch(self, item: str) -> Secret | None:
        value = self._get(item)
        if value is None:
            return None
        if not value.startswith(_ENVELOPE):
            return Secret(value)
        file, key = _envelope(value)
        found = self._sealed.read(_file_item(item, file), _KIND, key)
        if found is None:
            raise SealedFileDamaged(item)
        return found

    def _get(self, item: str) -> str | None:
        return self._within(lambda deadline: self._keyring.get(item, deadline))

    def _seal(self, item: str, secret: Secret, label: str) -> str:
        """Write a new file, so that the former one stays valid until the item names the new one."""
        file, key = secrets.token_hex(8), secrets.token_bytes(32)
        self._sealed.write(_file_item(item, file), _KIND, secret, label, key)
        return f"{_ENVELOPE}{file}:{base64.b64encode(key).decode('ascii')}"

    def _discard_file(self, item: str, value: str | None) -> None:
        if value is not None and value.startswith(_ENVELOPE):
            self._sealed.delete(_file_item(item, _envelope(value)[0]))

    def _within(self, call: Callable[[float], _Result]) -> _Result:
        return _call_within(self._prompt_seconds, self.name, call)


def _call_within(seconds: float, name: str, call: Callable[[float], _Result]) -> _Result:
    """Make a call of the keyring in a thread of its own, because a prompt nobody answers never returns.

    Raises KeyringPromptTimeout; the thread then ends by itself when the keyring answers.
    """
    deadline = time.monotonic() + seconds
    future: Future[_Result] = Future()

    def run() -> None:
        try:
            future.set_result(call(deadline))
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, which raises it
            future.set_exception(error)

    threading.Thread(target=run, name="keyring", daemon=True).start()
    try:
        return future.result(seconds + 0.5)
    except TimeoutError:
        raise KeyringPromptTimeout(name, seconds) from None


def _file_item(item: str, file: str) -> str:
    return f"{item}/{file}"


def _envelope(value: str) -> tuple[str, bytes]:
    """Return the file id and the key of an item that points to a sealed file."""
    try:
        file, key = value.removeprefix(_ENVELOPE).split(":")
        return file, base64.b64decode(key, validate=True)
    except ValueError:
        raise SealedFileDamaged(_ENVELOPE) from None

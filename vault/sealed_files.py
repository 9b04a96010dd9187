"""One secret in one encrypted file: AES-256-GCM, bound to the name of its item."""

import hashlib
import json
import secrets
from pathlib import Path

from vault.durable_file import remove_durably, saving_failed, write_durably
from vault.errors import ReadingFailed, SealedFileDamaged
from vault.secret import Secret

FOLDER = "sealed"
_HEADER = b"bureau-sealed-1\n"
_NONCE = 12


class SealedFiles:
    """The folder of sealed secrets of one office; names of files say nothing about what is inside."""

    def __init__(self, office_folder: Path) -> None:
        self._folder = office_folder / FOLDER

    def write(self, item: str, kind: str, secret: Secret, label: str, key: bytes) -> None:
        """Seal a secret and its label under a 32-byte key.

        Raises SavingFailed; a secret sealed before under this name is then still there.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(_NONCE)
        content = json.dumps({"label": label, "secret": secret.reveal()}).encode("utf-8")
        sealed = AESGCM(key).encrypt(nonce, content, _context(item, kind))
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise saving_failed(self._folder, error) from error
        write_durably(self._path(item), _HEADER + nonce + sealed)

    def read(self, item: str, kind: str, key: bytes) -> Secret | None:
        """Return the secret, or None if there is no such file.

        Raises SealedFileDamaged if the file was changed, cut, exchanged or sealed under another key; ReadingFailed if
        the system does not let it be read.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        path = self._path(item)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ReadingFailed(str(path), error.strerror or "") from error
        body = data.removeprefix(_HEADER)
        if body == data or len(body) < _NONCE + 16:
            raise SealedFileDamaged(str(path))
        try:
            content = AESGCM(key).decrypt(body[:_NONCE], body[_NONCE:], _context(item, kind))
        except InvalidTag:
            raise SealedFileDamaged(str(path)) from None
        return Secret(json.loads(content)["secret"])

    def delete(self, item: str) -> None:
        """Remove the file if it is there. Raises SavingFailed."""
        remove_durably(self._path(item))

    def _path(self, item: str) -> Path:
        return self._folder / hashlib.sha256(item.encode("utf-8")).hexdigest()[:32]


def _context(item: str, kind: str) -> bytes:
    return json.dumps(["bureau/v1/sealed", item, kind]).encode("ascii")

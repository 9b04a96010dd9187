"""Unlocking the vault while the rest of the start goes on."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from memory.locations import Locations
from vault.secret import Secret

if TYPE_CHECKING:
    from vault.office_keys import Vault

log = logging.getLogger(__name__)


def passphrase_in(file: Path) -> Secret:
    """Return the passphrase in a file, without its line end and the mark that some editors put before it.

    Raises OSError, or UnicodeDecodeError for what is no text.
    """
    return Secret(file.read_text(encoding="utf-8-sig").rstrip("\r\n"))


class VaultAhead:
    """Opens the vault of an office that exists, in a thread of its own: a passphrase is stretched for 0.2 s.

    Whoever makes it has forbidden core dumps and installed redaction before.
    """

    def __init__(self, locations: Locations, passphrase: Callable[[], Secret | None]) -> None:
        self._locations = locations
        self._passphrase = passphrase
        self._vault: Vault | None = None
        # A keyring may keep its prompt open for minutes; the process must be able to end meanwhile.
        self._thread = threading.Thread(target=self._open, name="vault", daemon=True)
        self._thread.start()

    def result(self) -> "Vault | None":
        """Wait for the vault; None where there is none or it did not open.

        What went wrong is told when the office is opened.
        """
        self._thread.join()
        return self._vault

    def _open(self) -> None:
        from vault.errors import VaultError
        from vault.office_keys import open_vault

        try:
            if not self._locations.keyslots.exists():
                return
            self._vault = open_vault(self._locations.home, passphrase=self._passphrase(), create=False)
        except (VaultError, OSError, UnicodeDecodeError) as error:
            log.info("the vault did not open ahead: %s", type(error).__name__)

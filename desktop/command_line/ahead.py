"""What a command begins before it imports the office's code, so that all three go on side by side."""

import asyncio
import logging
from typing import TYPE_CHECKING

from desktop.command_line.options import GlobalOptions
from desktop.command_line.passphrase import passphrase_of
from desktop.vault_ahead import VaultAhead
from memory.locations import Locations
from memory.recall.ahead import RecallAhead

if TYPE_CHECKING:
    from vault.office_keys import Vault

NEED_RECALL = {"ask", "memory search", "memory why"}
"""Commands that wait for the recall process."""

log = logging.getLogger(__name__)


class Ahead:
    """The vault, being unlocked, and the recall process, loading its model, of an office that exists."""

    def __init__(self, options: GlobalOptions, locations: Locations, command: str) -> None:
        """Begin both. Raises UsageFault where the passphrase cannot be read."""
        passphrase = passphrase_of(options)
        self._vault = VaultAhead(locations, lambda: passphrase)
        self.recall = _recall() if command in NEED_RECALL and locations.database.exists() else None

    async def vault(self) -> "Vault | None":
        """Return the open vault; None where it did not open or there is none."""
        return await asyncio.to_thread(self._vault.result)

    def close(self) -> None:
        """End the recall process where no office took it."""
        if self.recall is not None:
            self.recall.close()


def _recall() -> RecallAhead | None:
    try:
        return RecallAhead()
    except OSError as error:
        log.info("the recall process was not started ahead: %s", error)
        return None

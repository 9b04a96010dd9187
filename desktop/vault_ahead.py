"""Unlocking the vault while the office's code is still being imported."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from memory.locations import Locations
from vault.secret import Secret

if TYPE_CHECKING:
    from vault.office_keys import Vault

log = logging.getLogger(__name__)


def open_vault_ahead(locations: Locations, passphrase: Callable[[], Secret | None]) -> "Vault | None":
    """Open the vault of an office that exists; blocks, for a passphrase is stretched for some 0.2 s.

    None where there is none or it did not open: what went wrong is told when the office is opened.
    """
    if not locations.keyslots.exists():
        return None
    from vault.errors import VaultError
    from vault.office_keys import open_vault

    try:
        return open_vault(locations.home, passphrase=passphrase(), create=False)
    except (VaultError, OSError) as error:
        log.info("the vault did not open ahead: %s", type(error).__name__)
        return None

"""Opens the office behind the painted window, and asks its owner where it does not open by itself."""

import asyncio
import contextlib
import importlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from desktop import timing
from desktop.awaiting import emitted
from desktop.diagnostics import Diagnostics
from desktop.faults import sentence_of
from desktop.keys_watch import KeysWatch
from desktop.tasks import Tasks
from desktop.vault_ahead import VaultAhead, passphrase_in
from desktop.window import Window
from memory.errors import DatabaseDamaged, DatabaseKeyWrong, OfficeInUse, StorageError
from memory.locations import Locations
from resources.language import gettext as _
from vault import errors as vault_errors
from vault.secret import Secret

if TYPE_CHECKING:
    from agents.office import Office
    from desktop.contents import Contents
    from desktop.pages.gates import Gate
    from desktop.session import Session
    from vault.office_keys import Vault

log = logging.getLogger(__name__)

_RECOVERABLE = (
    vault_errors.KeysMissing,
    vault_errors.KeysDamaged,
    vault_errors.KeyringChanged,
    vault_errors.KeyringAbsent,
    vault_errors.KeyringGone,
    DatabaseKeyWrong,
)

_MODULES = (
    "desktop.session",
    "desktop.contents",
    "desktop.chats.listing",
    "desktop.chats.page",
)
"""What the window needs to be filled; read in a thread, so that it stays awake, while the office is opened."""

_HANDOVER_SECONDS = 20.0
"""How long a command that holds the office has to make way."""
_HANDOVER_PAUSE_SECONDS = 0.05


class Opening:
    """``session`` is None until the office is open."""

    def __init__(
        self,
        window: Window,
        tasks: Tasks,
        locations: Locations,
        passphrase_file: Path | None,
        vault: VaultAhead | None = None,
    ) -> None:
        """``vault`` is this office's, where opening it has begun already."""
        self._window = window
        self._tasks = tasks
        self._locations = locations
        self._passphrase_file = passphrase_file
        self._passphrase: Secret | None = None
        self._keys_put_back = False
        self._vault_ahead = vault
        self._vault: Vault | None = None
        self.session: Session | None = None
        self.contents: Contents | None = None
        self._door = contextlib.AsyncExitStack()
        self.gone = False

    async def open(self, diagnostics: Diagnostics) -> None:
        """Open the office, asking as often as it takes, then fill the window."""
        vault = self._vault_ahead or VaultAhead(self._locations, self._known_passphrase)
        await asyncio.to_thread(importlib.import_module, "agents.office")
        self._vault = await asyncio.to_thread(vault.result)
        office, _none = await asyncio.gather(self._ask_until_open(), asyncio.to_thread(_read_modules))
        from desktop.contents import Contents
        from desktop.session import Session

        contents = Contents(self._window)
        self.session = Session(office, self._window, self._tasks)
        diagnostics.write_to(self._locations)
        self._window.open_gate()
        await contents.fill(self.session)
        self.contents = contents
        timing.mark("ready")
        await self._open_door(office)
        self._tasks.spawn(office.warm(), name="warm the office")

    def _known_passphrase(self) -> Secret | None:
        return passphrase_in(self._passphrase_file) if self._passphrase_file is not None else None

    async def close_door(self) -> None:
        """Let no other process in any more."""
        await self._door.aclose()

    async def _open_door(self, office: "Office") -> None:
        from agents.commands.serving import Served, door_open

        served = Served(office, self._window.raise_to_front, leave=self._leave)
        await self._door.enter_async_context(door_open(served))

    def _leave(self) -> None:
        """Close the window of an office that was erased: nothing is written where it was."""
        self.gone = True
        if self.session is not None:
            self.session.forget_unsaved()
        self._window.closing.emit()

    async def _ask_until_open(self) -> "Office":
        from agents.commands.serving import take_over
        from agents.office import Office

        given_up_at = asyncio.get_running_loop().time() + _HANDOVER_SECONDS
        while True:
            try:
                if self._passphrase_file is not None:
                    self._passphrase = await asyncio.to_thread(passphrase_in, self._passphrase_file)
                    self._passphrase_file = None  # once read, what the owner types counts
                return await Office.open(self._locations, passphrase=self._passphrase, vault=self._vault)
            except (vault_errors.PassphraseNeeded, vault_errors.PassphraseWrong) as error:
                await self._unlock(
                    "" if isinstance(error, vault_errors.PassphraseNeeded) else sentence_of(error)
                )
            except OfficeInUse as error:
                if asyncio.get_running_loop().time() > given_up_at or not await take_over(self._locations):
                    await self._offer_ways(error)
                await asyncio.sleep(_HANDOVER_PAUSE_SECONDS)
            except (vault_errors.VaultError, StorageError, OSError) as error:
                log.warning("the office did not open: %s", sentence_of(error))
                await self._offer_ways(error)

    async def _unlock(self, fault: str) -> None:
        """Ask for the passphrase; what was typed is tried by the caller."""
        from desktop.pages.gates import UnlockGate

        gate = UnlockGate()
        self._show(gate)
        if self._keys_put_back and not fault:
            fault = _("The office was unlocked with its recovery key: type the passphrase it has now.")
        self._keys_put_back = False
        if fault:
            gate.show_fault(fault)
        verb, text = await emitted(gate.decided)
        if verb == "recover":
            await self._recover(with_passphrase=True)
        elif verb == "again":
            self._passphrase = None
            self._keys_put_back = True
        else:
            self._passphrase = Secret(text)

    async def _offer_ways(self, error: Exception) -> None:
        """Show what happened and follow the way that the owner takes; returns when opening may be tried again."""
        from desktop.pages.gates import TroubleGate, Way

        new_office = not self._locations.keyslots.exists() and not self._locations.database.exists()
        ways = [Way(_("Try again"), "again")]
        if new_office and isinstance(error, vault_errors.StoreUnusable):
            ways.insert(0, Way(_("Use a passphrase instead"), "protect"))
        elif isinstance(error, _RECOVERABLE) and await asyncio.to_thread(_recoverable, self._locations):
            ways.insert(0, Way(_("Use the recovery key"), "recover"))
        if isinstance(error, DatabaseDamaged):
            ways.append(Way(_("Show the backups"), "backups"))
        if isinstance(error, vault_errors.PassphraseNotUsed):
            ways = [Way(_("Open with the keyring"), "keyring")]
        if isinstance(error, OfficeInUse):
            ways.append(Way(_("Quit"), "quit"))
        gate = TroubleGate(sentence_of(error), ways)
        self._show(gate)
        while True:
            verb, _text = await emitted(gate.decided)
            if verb == "backups":
                QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._locations.backups)))
                gate.setEnabled(True)
            elif verb == "quit":
                self._window.closing.emit()
                await asyncio.Event().wait()  # the end cancels this task
            else:
                break
        if verb == "protect":
            await self._protect(sentence_of(error))
        elif verb == "recover":
            await self._recover(with_passphrase=isinstance(error, vault_errors.KeyringAbsent))
        elif verb == "keyring":
            self._passphrase = None

    async def _protect(self, reason: str) -> None:
        from desktop.pages.gates import NewPassphraseGate

        gate = NewPassphraseGate(reason)
        self._show(gate)
        verb, text = await emitted(gate.decided)
        if verb == "protect":
            self._passphrase = Secret(text)

    async def _recover(self, *, with_passphrase: bool) -> None:
        """Ask for the recovery key until it opens the vault, or the owner goes back."""
        from desktop.pages.gates import RecoveryGate
        from vault.office_keys import unlock_with_recovery

        gate = RecoveryGate(with_passphrase=with_passphrase)
        self._show(gate)
        while True:
            verb, text = await emitted(gate.decided)
            if verb in ("back", "again"):
                return
            passphrase = Secret(gate.passphrase.text()) if gate.passphrase is not None else None
            try:
                await asyncio.to_thread(
                    unlock_with_recovery, self._locations.home, Secret(text), passphrase=passphrase
                )
            except vault_errors.VaultError as error:
                gate.show_fault(sentence_of(error))
                continue
            self._passphrase = passphrase
            return

    def _show(self, gate: "Gate") -> None:
        self._vault = None  # whatever its owner does now, the keys may be others afterwards
        KeysWatch(self._locations.keyslots, lambda: gate.decide("again"), gate)
        self._window.show_gate(gate)
        gate.setFocus()


def _read_modules() -> None:
    for name in _MODULES:
        importlib.import_module(name)


def _recoverable(locations: Locations) -> bool:
    """Say whether a recovery key was made for this office; where nobody can tell, it may be tried."""
    from vault.keyslots import KeyslotFile

    try:
        file = KeyslotFile.load(locations.home)
    except vault_errors.VaultError as error:
        log.info("the key slots could not be read: %s", sentence_of(error))
        return True
    return file is not None and file.slots.recovery is not None

"""The app lock: while it is on, the window shows nothing of the office and the door answers nobody.

It guards the screen, not the disk: runs go on, and the keys stay in memory. Its passphrase is also what an owner is
asked for again before everything is exported or something erased.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from agents.errors import OwnerUnknown
from agents.events import AppLocked, AppUnlocked, EventBus
from memory import audit, settings
from memory.database import Database
from memory.errors import Refused
from resources.language import gettext as _
from vault import lock_passphrase
from vault.errors import PassphraseWrong
from vault.office_keys import Vault
from vault.secret import Secret

_VERIFIER = "lock.verifier"
FRESH_SECONDS = 300.0
"""How long a passphrase that was given vouches for whoever exports or erases."""

Clock = Callable[[], float]
"""Returns seconds."""


class AppLock:
    """Locks and unlocks one open office; ``locked`` is asked by the door and by the window.

    Of several ``clocks`` the one that went furthest counts: one stands still while the machine sleeps, another can
    be set back.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        bus: EventBus,
        clocks: Sequence[Clock] = (time.monotonic, time.time),
    ) -> None:
        self._database = database
        self._vault = vault
        self._bus = bus
        self._clocks = tuple(clocks)
        self._turn = asyncio.Lock()
        # An office behind a passphrase was opened with it, or with the recovery key, this very moment.
        self._given_at = self._now() if vault.has_passphrase else None
        self.locked = False

    @property
    def by_vault(self) -> bool:
        """Whether the office's own passphrase opens the lock; else one that was chosen for it."""
        return self._vault.has_passphrase

    async def usable(self) -> bool:
        """Return whether there is a passphrase to unlock with."""
        return self.by_vault or bool(await self._database.read(settings.value, _VERIFIER))

    async def begin(self) -> None:
        """Lock at once where the office was locked when it was last open."""
        was = (await self._database.read(settings.value, "lock.state")).get("locked")
        if was and await self.usable():
            await self.lock()

    async def lock(self) -> None:
        """Lock now. Raises Refused where nothing could unlock it again."""
        if not await self.usable():
            raise Refused(_("Choose a passphrase for the lock first: see Settings."))
        if not self.locked:
            self.locked, self._given_at = True, None
            self._bus.publish(
                AppLocked()
            )  # first: the window hides its content also where nothing can be written
            await self._database.write(_keep, locked=True)

    async def unlock(self, passphrase: Secret) -> None:
        """Unlock. Raises PassphraseWrong; the try is in the audit trail."""
        async with self._turn:  # one guess at a time
            await self._take(passphrase)
            if self.locked:
                await self._database.write(_keep, locked=False)
                self.locked = False
                self._bus.publish(AppUnlocked())

    async def asks(self) -> bool:
        """Whether the passphrase is to be given again before an export or an erasure.

        It is not where there is none, nor where it was given less than FRESH_SECONDS ago.
        """
        if not await self.usable():
            return False
        if self._given_at is None:
            return True
        return any(now - then >= FRESH_SECONDS for now, then in zip(self._now(), self._given_at, strict=True))

    async def authenticate(self, passphrase: Secret) -> None:
        """Take the passphrase of whoever is about to export or erase.

        Raises PassphraseWrong; the try is in the audit trail.
        """
        async with self._turn:
            await self._take(passphrase)

    async def require(self) -> None:
        """Raise OwnerUnknown where the passphrase is to be given first."""
        if await self.asks():
            raise OwnerUnknown(_("Give your passphrase first: only you may export or erase."))

    async def choose_passphrase(self, new: Secret | None, former: Secret | None = None) -> None:
        """Set the passphrase of the lock of an office on a keyring, or take it away with None.

        Raises Refused where the office's own passphrase is used, PassphraseWrong where there is a former one that was
        not given, PassphraseTooShort.
        """
        if self.by_vault:
            raise Refused(
                _("The lock opens with the passphrase of your office: there is no other one to choose.")
            )
        kept = await self._database.read(settings.value, _VERIFIER)
        if kept and (former is None or not await self._right(former)):
            raise PassphraseWrong
        value = await asyncio.to_thread(lock_passphrase.verifier, new) if new is not None else {}
        await self._database.write(_choose, value)
        self._given_at = self._now()

    def _now(self) -> tuple[float, ...]:
        return tuple(clock() for clock in self._clocks)

    async def _take(self, passphrase: Secret) -> None:
        if not await self._right(passphrase):
            await self._database.write(audit.append, "app lock refused", "app")
            raise PassphraseWrong
        self._given_at = self._now()

    async def _right(self, passphrase: Secret) -> bool:
        if self.by_vault:
            return await asyncio.to_thread(self._vault.opens_with, passphrase)
        kept = await self._database.read(settings.value, _VERIFIER)
        return await asyncio.to_thread(lock_passphrase.recognises, kept, passphrase)


def _keep(session: Session, *, locked: bool) -> None:
    settings.change(session, "lock.state", {"locked": locked})
    audit.append(session, "app locked" if locked else "app unlocked", "app")


def _choose(session: Session, value: dict[str, object]) -> None:
    settings.change(session, _VERIFIER, value)
    audit.append(session, "lock passphrase set" if value else "lock passphrase removed", "app")

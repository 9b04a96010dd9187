"""How this office becomes a device of an account at a service: it begins one, or joins by recovery key or six words."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.sync_service.account import Comparison, Rounds
from agents.sync_service.connecting import Connecting, reaching
from agents.sync_service.device_item import DeviceItem
from memory import audit
from memory.database import Database
from memory.errors import Refused
from memory.identifiers import now
from memory.sync.membership import Begun, Member
from memory.sync.service import membership, sign_in
from memory.sync.service.calls import Calls, Session
from memory.sync.service.enrolling import Joining
from memory.sync.service.log import AccountLog
from memory.sync.service.sign_in import Asked, Promises
from resources.language import gettext as _

if TYPE_CHECKING:
    from memory.sync.exchange import Round


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A device that has announced itself and waits to be let in."""

    url: str
    joining: Joining


class ServiceJoining:
    """Begins and joins accounts. Every call raises NotReached, StorageError or VaultError."""

    def __init__(self, database: Database, item: DeviceItem, connecting: Connecting, rounds: Rounds) -> None:
        self._database, self._item, self._connecting, self._rounds = database, item, connecting, rounds
        self._under_way: _UnderWay | None = None
        self._signed_in: tuple[Asked, str, Calls] | None = None

    async def ask_code(self, address: str, email: str, verifier: bytes | None = None) -> Asked:
        """Have a code mailed; it is worth something only together with what is returned here.

        ``verifier`` are 32 new random bytes of whoever keeps them for the next call.

        Raises Refused for an address that is none, or where no service is.
        """
        await self._rounds.refuse_if_joined()
        url = sign_in.service_address(address)
        calls = await self._connecting.calls(Session(url))
        with reaching(url):
            await sign_in.promises(calls)
            return await sign_in.ask_code(calls, email.strip(), verifier)

    async def promises(self, address: str) -> Promises:
        """Return what a service says of itself, before anything is told to it. Raises Refused as `ask_code`."""
        url = sign_in.service_address(address)
        calls = await self._connecting.calls(Session(url))
        with reaching(url):
            return await sign_in.promises(calls)

    async def sign_in(self, asked: Asked, code: str, *, begins: bool) -> None:
        """Take the code before anything is shown or typed that would be of no use without it.

        Raises Refused where the account has devices and this one ``begins`` it, or has none and this one is to join.
        """
        await self._rounds.refuse_if_joined()
        with reaching(asked.url):
            log = AccountLog(await self._by_mail(asked, code))
            await (membership.require_free(log) if begins else membership.require_begun(log))

    async def found(
        self, asked: Asked, code: str, recovery_key: bytes, types: Collection[str] | None = None
    ) -> "Round":
        """Begin an account with this device; ``recovery_key`` are 32 new random bytes that the owner has noted.

        ``types`` are the types of records that sync, None for all.
        """

        async def join() -> tuple[Member, bool]:
            with reaching(asked.url):
                calls = await self._by_mail(asked, code)
                begun = await self._item.read_begun()
                return await membership.found_or_go_on(calls, recovery_key, now(), begun, self._keep)

        return await self._rounds.enter(asked.url, join, types)

    async def join(
        self,
        asked: Asked,
        code: str,
        recovery_key: bytes,
        space_id: str | None = None,
        types: Collection[str] | None = None,
    ) -> "Round":
        """Become a device of the account by its recovery key; a code may be given again after a refusal.

        ``space_id`` is how the id of one of several offices begins, or `membership.NEW` for another one. Raises
        `membership.SeveralOffices` where one is to be chosen.
        """

        async def join() -> tuple[Member, bool]:
            with reaching(asked.url):
                calls = await self._by_mail(asked, code)
                begun = await self._item.read_begun()
                return await membership.join(calls, recovery_key, now(), space_id, begun, self._keep)

        return await self._rounds.enter(asked.url, join, types)

    async def announce(self, asked: Asked, code: str) -> None:
        """Announce this device, so that another one lets it in: see `compare`, then `finish`."""
        await self._rounds.refuse_if_joined()
        with reaching(asked.url):
            joining = Joining(await self._by_mail(asked, code))
            await joining.begin()
        self._under_way = _UnderWay(asked.url, joining)

    async def compare(self) -> Comparison | None:
        """Return what both screens must show alike, None until the other device has answered."""
        under_way = self._announced()
        with reaching(under_way.url):
            compared = await under_way.joining.compare()
        return None if compared is None else Comparison.of(compared)

    async def finish(
        self, space_id: str | None = None, types: Collection[str] | None = None
    ) -> "Round | None":
        """Join once the other device has let this one in, None until then: its owner saw the same words on both."""
        under_way = self._announced()
        with reaching(under_way.url):
            admitted = await under_way.joining.admitted(now(), space_id)
        if admitted is None:
            return None

        async def join() -> tuple[Member, bool]:
            return admitted

        done = await self._rounds.enter(under_way.url, join, types)
        self._under_way = None
        return done

    def give_up(self) -> None:
        """Announce nothing any more: the words differed."""
        self._under_way = None

    async def _by_mail(self, asked: Asked, code: str) -> Calls:
        """Return calls in the session by mail; a code is worth one, which lasts for another try with it."""
        if self._signed_in is not None and self._signed_in[:2] == (asked, code):
            former = self._signed_in[2]
            if not former.session.signs:  # it is no device's yet
                return former
        calls = await self._connecting.calls(Session(asked.url, keep=self._item.write_tokens))
        promises = await sign_in.promises(calls)
        await sign_in.redeem(calls, asked, code)
        accepted = {"policy": promises.policy, "version": promises.policy_version}
        await self._database.write(audit.append, "sync policy accepted", promises.server, accepted)
        self._signed_in = (asked, code, calls)
        return calls

    async def _keep(self, begun: Begun) -> None:
        await asyncio.to_thread(self._item.keep_begun, begun)

    def _announced(self) -> _UnderWay:
        if self._under_way is None:
            raise Refused(_("This device has not announced itself: begin again with “bureau sync join”."))
        return self._under_way

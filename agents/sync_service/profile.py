"""The owner’s account at a service as a whole: how it stands, its mail address, freezing it, who is signed in."""

from agents.sync_service.account import ServiceAccount
from agents.sync_service.connecting import reaching
from memory import audit
from memory.database import Database
from memory.errors import Refused
from memory.sync.service import profile, seen, sign_in
from memory.sync.service.profile import Summary
from memory.sync.service.seen import SessionSeen
from memory.sync.service.sign_in import Asked
from resources.language import gettext as _


class ServiceProfile:
    """What this device changes of the account. Every call raises NotReached, StorageError or VaultError."""

    def __init__(self, database: Database, account: ServiceAccount) -> None:
        self._database, self._account = database, account

    async def summary(self) -> Summary:
        """Return how the account stands."""
        calls, space_id = await self._account.calls(), await self._account.space_id()
        with reaching(calls.session.url):
            return await profile.summary(calls, space_id)

    async def freeze(self, *, frozen: bool) -> None:
        """Let the service take nothing new into the account, or take it again; reading and erasing go on."""
        calls = await self._account.calls()
        with reaching(calls.session.url):
            await profile.freeze(calls, frozen=frozen)
        await self._database.write(
            audit.append, "sync account frozen" if frozen else "sync account unfrozen", ""
        )

    async def ask_address(self, email: str, verifier: bytes | None = None) -> Asked:
        """Have a code mailed to a new address; it is worth something only together with what is returned here.

        ``verifier`` as for `ServiceJoining.ask_code`. Raises Refused for what is no address.
        """
        if "@" not in email.strip():
            raise Refused(_("Type the new mail address: a code is sent there."))
        calls = await self._account.calls()
        with reaching(calls.session.url):
            return await sign_in.ask_code(calls, email.strip(), verifier)

    async def change_address(self, asked: Asked, code: str) -> None:
        """Let codes be mailed to the new address from now on; ``code`` came there."""
        calls = await self._account.calls()
        with reaching(calls.session.url):
            await profile.change_address(calls, asked, code)
        await self._database.write(audit.append, "sync address changed", "")

    async def sessions(self) -> tuple[SessionSeen, ...]:
        """Return the sessions of the account."""
        calls = await self._account.calls()
        with reaching(calls.session.url):
            return await seen.sessions_seen(calls)

    async def end_session(self, beginning: str) -> None:
        """End one session, named by its id or how it begins. Raises Refused where that fits none or several."""
        found = [each for each in await self.sessions() if each.id.startswith(beginning)]
        if not beginning or len(found) != 1:
            raise Refused(
                _("“{id}” names no session, or several: see “bureau sync sessions”.").format(id=beginning)
            )
        calls = await self._account.calls()
        with reaching(calls.session.url):
            await seen.end_session(calls, found[0].id)
        await self._database.write(audit.append, "sync sessions ended", "", {"count": 1})

    async def end_other_sessions(self) -> int:
        """End every session but this one, those of a browser too; devices of the account sign others."""
        calls = await self._account.calls()
        with reaching(calls.session.url):
            ended = await seen.end_other_sessions(calls)
        await self._database.write(audit.append, "sync sessions ended", "", {"count": ended})
        return ended

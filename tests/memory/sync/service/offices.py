"""Offices with real databases and the real client, at the real service in one process: no socket is between them.

The account with its devices is made once, by the client, and copied for each run.
"""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.indexing import index_said
from memory.database import Database
from memory.identifiers import now
from memory.lifecycle import erasure
from memory.lifecycle.subjects import Subject
from memory.sync import space
from memory.sync.arrival import Trust
from memory.sync.drain import drain
from memory.sync.envelope import Signer
from memory.sync.exchange import Parts, Round, exchange
from memory.sync.hosted import jobs, lifetime, replaying, rounds
from memory.sync.hosted.application import application
from memory.sync.hosted.service import Service, make_service
from memory.sync.hosted.settings import Settings
from memory.sync.known import revisions
from memory.sync.membership import Member
from memory.sync.service import calls as calling
from memory.sync.service import membership, sign_in
from memory.sync.service.carrier import HostedCarrier
from memory.sync.service.log import AccountLog
from memory.sync.space import Credentials
from memory.sync.space_keys import SpaceKeys
from memory.tables import SyncRecordTable
from tests.memory.conftest import KEY
from tests.memory.sync.devices import TYPES, make_empty, reindex, state_of
from tests.memory.sync.hosted.running import Clock, Inbox, settings_for

Result = TypeVar("Result")
HIDDEN = ("aside", "missing", "kept")


class Wire(httpx2.AsyncBaseTransport):
    """Brings requests to the service in this process, unless the next one is to be lost, doubled, or changed."""

    def __init__(self, app: Any) -> None:
        self._to = httpx2.ASGITransport(app=app)
        self.plan: list[str] = []
        """What happens to the next requests: ``""``, ``lose``, ``lose answer`` or ``twice``."""
        self.unheard = ""
        """The end of a path: the next answer from there is lost."""
        self.twist: Any = None
        """Changes an answer: takes path and response, returns a response."""
        self.between: tuple[int, Callable[[], Awaitable[None]]] | None = None
        """What happens before the how manieth request."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await self._meanwhile()
        what = self.plan.pop(0) if self.plan else ""
        if what == "lose":
            raise httpx2.ConnectError("lost", request=request)
        content = await request.aread()
        response = await self._sent(request, content)
        if what == "twice" and "/auth/" not in request.url.path:  # a challenge is worth one answer
            response = await self._sent(request, content)
        if self.unheard and request.url.path.endswith(self.unheard):
            self.unheard, what = "", "lose answer"
        if what == "lose answer":
            raise httpx2.ReadError("lost", request=request)
        return self.twist(request.url.path, response) if self.twist is not None else response

    async def _meanwhile(self) -> None:
        if self.between is not None:
            count, work = self.between
            self.between = (count - 1, work) if count > 1 else None
            if count == 1:
                await work()

    async def _sent(self, request: httpx2.Request, content: bytes) -> httpx2.Response:
        again = httpx2.Request(request.method, request.url, headers=request.headers, content=content)
        await asyncio.sleep(0)  # a network gives other tasks their turn, on the way there and back
        response = await self._to.handle_async_request(again)
        await response.aread()
        await asyncio.sleep(0)
        headers = [(name, value) for name, value in response.headers.items() if name != "content-length"]
        return httpx2.Response(response.status_code, headers=headers, content=response.content)


_spare: list[FastAPI] = []
"""Applications that nobody uses now: making one takes longer than most schedules."""


class Hosted:
    """A service in this process, on a folder."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.clock = clock
        self.settings = settings
        self.runner = asyncio.Runner()
        self.open()

    def open(self) -> None:
        made = make_service(self.settings, self.clock)
        self.app = _spare.pop() if _spare else application(made, working=False)
        self.service: Service = self.app.state.service
        vars(self.service).update(vars(made))
        self.run(lifetime.open_service(self.service))

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    def do_jobs(self) -> None:
        self.run(jobs.run_due(self.service, lifetime.HANDLERS))

    def do_day(self) -> None:
        """Do what the service does by itself at night."""

        async def night() -> None:
            await rounds.expire(self.service)
            await rounds.forget(self.service)
            await rounds.trim_markers(self.service)
            await rounds.sweep_keys(self.service)

        self.run(night())

    def become(self, **changed: Any) -> None:
        """Run under other settings from now on."""
        self.service.settings = replace(self.service.settings, **changed)

    @property
    def records(self) -> Path:
        return self.settings.data / "records.sqlite"

    def back_up(self, to: Path) -> None:
        """Copy the records, as the nightly backup does."""
        self.run(self.service.stores.records.checkpoint())
        shutil.copy(self.records, to)
        self.run(replaying.mark_tide(self.service))

    def restore(self, backup: Path) -> None:
        """Start on records of an earlier day; ledger and keys stay as they are."""
        self._stop()
        shutil.copy(backup, self.records)
        for rest in ("-wal", "-shm"):
            self.records.with_name(self.records.name + rest).unlink(missing_ok=True)
        self.open()

    def live(self, space_id: str) -> dict[str, str]:
        """Return the revisions of the records that the service gives out."""
        from memory.sync.hosted.tables.records import records

        async def ask() -> dict[str, str]:
            async with self.service.stores.records.read() as connection:
                chosen = select(records.c.rid, records.c.rev).where(records.c.space_id == space_id)
                return {row.rid: row.rev for row in await connection.execute(chosen)}

        return self.run(ask())

    def close(self) -> None:
        self._stop()
        self.runner.close()

    def _stop(self) -> None:
        self.run(lifetime.close_service(self.service))
        _spare.append(self.app)


@dataclass(frozen=True)
class Template:
    """A service's folder with an account of some devices in one space, and the office of each, to be copied."""

    folder: Path
    members: tuple[Member, ...]
    homes: Path


def make_template(
    folder: Path, count: int, *, met: bool = False, write: Callable[[Session], None] | None = None
) -> Template:
    """Let the client found an account and join it, by mail and recovery key.

    ``met`` lets the devices exchange what they have, so that all of them can write; ``write`` writes on the first
    before that.
    """
    inbox, clock, key = Inbox(), Clock(), os.urandom(32)
    clock.at = now()
    hosted = Hosted(settings_for(folder / "hosted", 8460, inbox.port), clock)
    made: list[Member] = []
    empty = make_empty(folder / "empty.db")
    try:
        for _number in range(count):
            client = _Caller(hosted)
            asked = hosted.run(sign_in.ask_code(client.calls, "ada@example.org"))
            hosted.do_jobs()
            hosted.run(sign_in.redeem(client.calls, asked, inbox.code("ada@example.org")))
            if made:
                made.append(hosted.run(membership.join(client.calls, key, clock()))[0])
            else:
                made.append(hosted.run(membership.found(client.calls, key, clock())))
            hosted.run(client.close())
            clock.pass_days(1)
        offices = []
        for number, member in enumerate(made):
            home = folder / "offices" / str(number)
            home.mkdir(parents=True)
            shutil.copy(empty, home / "office.db")
            offices.append(Office(hosted, member, home))
            offices[-1].join(founds=number == 0)
        if write is not None:
            offices[0].do(write)
        if met:
            settle(*offices)
        for office in offices:
            office.close()
    finally:
        hosted.close()
        inbox.close()
    return Template(folder / "hosted", tuple(made), folder / "offices")


@contextmanager
def hosted_at(template: Template, folder: Path, **settings: Any) -> Iterator[Hosted]:
    """Run a service on a copy of a template."""
    shutil.copytree(template.folder, folder)
    clock = Clock()
    clock.at = now()
    clock.pass_days(30)
    hosted = Hosted(settings_for(folder, 8460, 1, **settings), clock)
    try:
        yield hosted
    finally:
        hosted.close()


class _Caller:
    def __init__(self, hosted: Hosted, member: Member | None = None) -> None:
        self.wire = Wire(hosted.app)
        self.http = httpx2.AsyncClient(transport=self.wire)
        session = calling.Session(hosted.settings.public_url)
        if member is not None:
            session.become(member.device.id, member.device.sign)
        self.calls = calling.Calls(self.http, session)

    async def close(self) -> None:
        await self.http.aclose()


class Office:
    """One office on one device, as the desktop would run it."""

    def __init__(self, hosted: Hosted, member: Member, home: Path) -> None:
        self.hosted, self.member, self.home = hosted, member, home
        self.database = Database.open(home / "office.db", KEY)
        self.parts_database: Any = self.database
        self.reach()

    @classmethod
    def copied(cls, hosted: Hosted, template: Template, number: int, home: Path) -> "Office":
        """Open a copy of an office of a template."""
        shutil.copytree(template.homes / str(number), home)
        return cls(hosted, template.members[number], home)

    def reach(self) -> None:
        """Begin to call the service, as it is reached now."""
        self.caller = _Caller(self.hosted, self.member)
        self.calls = self.caller.calls
        self.wire = self.caller.wire
        self.carrier = HostedCarrier(self.calls, self.member.space_id)

    def reopen(self) -> None:
        """Start again, as after a crash: what is not on the disk is gone."""
        self.database.close()
        self.database = self.parts_database = Database.open(self.home / "office.db", KEY)
        self.hosted.run(self.caller.close())
        self.reach()

    def join(self, *, founds: bool, types: Sequence[str] = TYPES) -> None:
        member = self.member
        self.do(
            space.begin,
            member.space_id,
            member.device.id,
            "service",
            member.account,
            types=types,
            founds=founds,
        )

    def do(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        return self.database.write_now(operation, *args, **kwargs)

    def erase(self, *subjects: Subject) -> None:
        self.do(erasure.erase, list(subjects), reason="owner", reindex=index_said)

    def sync(self, **answers: Any) -> Round:
        """Do one round."""
        return self.hosted.run(self.round(**answers))

    async def round(self, **answers: Any) -> Round:
        """Renew keys and devices, then exchange."""
        account = self.member.account
        log = AccountLog(self.calls, (account.n, account.head))
        self.member = await membership.renew(self.calls, log, self.member, account.n)
        await self.database.write(space.take_account, self.member.account)
        return await exchange(self.parts(), **answers)

    def parts(self) -> Parts:
        member = self.member
        keys = SpaceKeys(member.space_id, *member.keys)
        epoch = member.account.current_epoch(member.space_id)
        return Parts(
            self.parts_database,
            self.carrier,
            Trust(member.account, keys),
            Credentials(Signer(member.device.id, member.device.sign), keys, epoch),
            reindex,
            self._erase,
            self.hosted.clock,
        )

    def seal(self) -> None:
        """Seal what was changed, without a round."""
        self.do(drain, self.parts().credentials, self.hosted.clock())

    async def held(self, rids: Iterable[str]) -> Mapping[str, str]:
        """Return the revisions that are here."""
        return await self.database.read(revisions, rids)

    async def _erase(self, subjects: Sequence[Subject]) -> None:
        await self.database.write(erasure.erase, list(subjects), reason="owner", reindex=index_said)

    def state(self) -> dict[str, dict[str, Any]]:
        """Return every row that syncs and is shown."""
        return self.do(_shown_state)

    def known(self) -> dict[str, tuple[str, str, int]]:
        """Return state, revision and number of every record."""
        return self.do(_known)

    def position(self) -> dict[str, Any]:
        return self.do(_position)

    def close(self) -> None:
        self.hosted.run(self.caller.close())
        self.database.close()


def settle(*offices: Office, rounds: int = 10) -> None:
    """Let every office have rounds until nothing moves."""
    for _turn in range(rounds):
        done = [office.sync() for office in offices]
        if not any(each.pulled or each.pushed or each.erased for each in done):
            return
    raise AssertionError("the offices talk for ever")


def _shown_state(session: Session) -> dict[str, dict[str, Any]]:
    hidden = select(SyncRecordTable.local_id).where(SyncRecordTable.state.in_(HIDDEN))
    gone = set(session.scalars(hidden))
    return {
        type_: {key: values for key, values in rows.items() if key not in gone}
        for type_, rows in state_of(session).items()
    }


def _known(session: Session) -> dict[str, tuple[str, str, int]]:
    chosen = select(SyncRecordTable.rid, SyncRecordTable.state, SyncRecordTable.rev, SyncRecordTable.seq)
    return {row.rid: (row.state, row.rev, row.seq) for row in session.execute(chosen)}


def _position(session: Session) -> dict[str, Any]:
    here = space.of(session)
    assert here is not None
    return dict(here.position)

"""The real service on loopback, and devices of one owner that use the client."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from memory.sync.membership import Member
from memory.sync.service import membership, sign_in
from memory.sync.service.calls import Calls, Session, Tokens
from memory.sync.service.log import AccountLog
from tests.memory.sync.hosted.running import START, Running, running_over
from tests.memory.sync.service.filing_offices import FilingOffice
from tests.memory.sync.service.offices import Office, Template, hosted_at, make_template
from tests.peers.postgres import Postgres

EMAIL = "ada@example.org"


@pytest.fixture(params=["sqlite", "postgresql"])
def hosted(tmp_path: Path, request: pytest.FixtureRequest, postgres: Postgres, s3: str) -> Iterator[Running]:
    with running_over(request.param, tmp_path, postgres, s3) as found:
        yield found


@dataclass
class Client:
    """One device, with its calls; ``kept`` are the tokens as the vault would have them."""

    hosted: Running
    calls: Calls
    kept: list[Tokens] = field(default_factory=list)
    member: Member | None = None

    async def by_mail(self) -> "Client":
        asked = await sign_in.ask_code(self.calls, EMAIL)
        await asyncio.to_thread(self.hosted.do_jobs)
        await sign_in.redeem(self.calls, asked, self.hosted.inbox.code(EMAIL))
        return self

    async def found(self, key: bytes) -> Member:
        await self.by_mail()
        self.member = await membership.found(self.calls, key, START)
        return self.member

    async def join(self, key: bytes) -> Member:
        await self.by_mail()
        self.member, _founded = await membership.join(self.calls, key, START)
        return self.member

    @property
    def mine(self) -> Member:
        assert self.member is not None
        return self.member

    def log(self) -> AccountLog:
        return AccountLog(self.calls, (self.mine.account.n, self.mine.account.head))


class Clients:
    """Makes devices at one service."""

    def __init__(self, hosted: Running) -> None:
        self.hosted = hosted
        self.recovery_key = os.urandom(32)
        self._open: list[httpx2.AsyncClient] = []

    def new(self) -> Client:
        http = httpx2.AsyncClient(trust_env=False)
        self._open.append(http)
        kept: list[Tokens] = []

        async def keep(tokens: Tokens) -> None:
            kept.append(tokens)

        return Client(self.hosted, Calls(http, Session(self.hosted.url, keep=keep)), kept)

    async def close(self) -> None:
        for http in self._open:
            await http.aclose()


@pytest.fixture
async def clients(hosted: Running) -> AsyncIterator[Clients]:
    made = Clients(hosted)
    yield made
    await made.close()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return make_template(tmp_path_factory.mktemp("account"), 4, met=True)


@pytest.fixture
def offices(tmp_path: Path, template: Template) -> Iterator[list[Office]]:
    """Three offices that have met at a service in this process; a fourth device was enrolled."""
    with hosted_at(template, tmp_path / "hosted") as service:
        made = [Office.copied(service, template, number, tmp_path / f"office{number}") for number in range(3)]
        try:
            yield made
        finally:
            for office in made:
                office.close()


@pytest.fixture
def filers(tmp_path: Path, template: Template) -> Iterator[list[FilingOffice]]:
    """Two offices with files that have met."""
    with hosted_at(template, tmp_path / "hosted") as service:
        made = [
            FilingOffice.copied(service, template, number, tmp_path / f"office{number}")
            for number in range(2)
        ]
        try:
            yield made  # type: ignore[misc]  # `copied` makes what it is asked of
        finally:
            for office in made:
                office.close()

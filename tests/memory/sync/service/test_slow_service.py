"""A service that gives one byte after the other, or never stops: a call ends, and says that the service is slow."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx2
import pytest

from memory.sync.service import exports, sign_in
from memory.sync.service.calls import Calls, Session, Tokens
from memory.sync.service.faults import TooSlow, Unreachable
from memory.sync.service.patience import Patience
from tests.memory.sync.service.slow import PAGE, WHERE, Dripping, dripping

SHORT = Patience(seconds=0.6)


@pytest.fixture
async def service() -> AsyncIterator[Dripping]:
    async with dripping() as found:
        yield found


@pytest.fixture
async def calls(service: Dripping) -> AsyncIterator[Calls]:
    async with httpx2.AsyncClient(trust_env=False, timeout=None) as http:

        async def bare(_address: str) -> httpx2.AsyncClient:
            return http

        yield Calls(http, Session(service.url, tokens=Tokens("access")), bare, SHORT)


async def lines(calls: Calls) -> None:
    async for _line in calls.lines("/v1/events"):
        continue


ASKED: dict[str, Callable[[Calls], Awaitable[object]]] = {
    "promises": lambda calls: sign_in.promises(calls),
    "code": lambda calls: sign_in.ask_code(calls, "ada@example.org"),
    "changes": lambda calls: calls.get("/v1/spaces", packed=True),
    "push": lambda calls: calls.send("POST", "/v1/push", {"ops": []}, packed=True),
    "put": lambda calls: calls.put_at(f"{calls.session.url}/piece", b"sealed", 6),
    "piece": lambda calls: calls.get_at(f"{calls.session.url}/piece", 2**40),
    "hints": lines,
}


@pytest.mark.parametrize("where", ["head", "body"])
@pytest.mark.parametrize("asked", ASKED)
async def test_a_call_that_is_answered_byte_after_byte_ends(
    service: Dripping, calls: Calls, asked: str, where: str
) -> None:
    service.where = where
    with pytest.raises(TooSlow):
        await ASKED[asked](calls)
    assert service.asked == 1 and service.given >= 1


@pytest.mark.parametrize("where", WHERE)
async def test_a_file_that_is_shared_ends_too(
    service: Dripping, calls: Calls, where: str, tmp_path: Path
) -> None:
    service.where = where
    shared = tmp_path / "shared.age"
    shared.write_bytes(b"age-encryption.org/v1\n and more")
    with pytest.raises(Unreachable):
        await exports.put_shared(calls, f"{service.url}/put", exports.look_at(shared))


@pytest.mark.parametrize("asked", ["promises", "code", "changes", "push", "put", "hints"])
async def test_an_answer_that_does_not_end_is_cut_at_what_an_answer_may_be(
    service: Dripping, calls: Calls, asked: str
) -> None:
    service.where = "flood"
    calls.patience = Patience()
    with pytest.raises(Unreachable):
        await ASKED[asked](calls)
    assert service.given < 100 * 2**20


async def test_a_piece_that_does_not_end_is_cut_at_its_length(service: Dripping, calls: Calls) -> None:
    service.where = "flood"
    found = await calls.get_at(f"{service.url}/piece", 1000)
    assert found == b"x" * 1000


async def test_what_is_large_has_the_time_that_its_size_needs(service: Dripping, calls: Calls) -> None:
    service.where, calls.patience = "page", Patience(seconds=0.6, rate=1024)
    assert await calls.get("/v1/spaces") == {"page": "x" * PAGE}
    await calls.put_at(f"{service.url}/piece", b"sealed", 6)
    service.where, calls.patience = "page", Patience(seconds=0.6, rate=2**40)
    with pytest.raises(TooSlow):
        await calls.get("/v1/spaces")


async def test_an_answer_that_was_packed_unasked_is_not_unpacked(service: Dripping, calls: Calls) -> None:
    service.where, service.more = "page", b"Content-Encoding: gzip\r\n"
    with pytest.raises(Unreachable, match="packed"):
        await calls.get("/v1/spaces")


async def test_hints_that_were_packed_unasked_are_not_unpacked(service: Dripping, calls: Calls) -> None:
    service.where, service.type, service.more = "flood", b"text/event-stream", b"Content-Encoding: gzip\r\n"
    with pytest.raises(Unreachable, match="packed"):
        await lines(calls)

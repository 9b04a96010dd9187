"""A service that lies or is cut off: nothing counts that no device signed, and nobody is locked out."""

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx2
import msgpack
import pytest

from memory.errors import Refused
from memory.sync import wire
from memory.sync.account import Account
from memory.sync.account_log import Writer
from memory.sync.enrolment import six_words
from memory.sync.envelope import Edit, Envelope, Signer, seal
from memory.sync.errors import EnrolmentRefused, WrapRefused
from memory.sync.header import Header
from memory.sync.hlc import Stamp
from memory.sync.hosted.tables.keys import record_keys
from memory.sync.membership import Member
from memory.sync.plaintext import Entry, Record, encode
from memory.sync.service import deletion, membership, rotation, sign_in
from memory.sync.service.calls import Calls, Session, Tokens
from memory.sync.service.enrolling import Admitting, Joining, waiting_devices
from memory.sync.service.faults import NewerProtocol, ServiceRefused, TooLarge, Unreachable
from memory.sync.service.spaces import space_of, spaces, wraps_of
from tests.memory.sync.hosted.running import START
from tests.memory.sync.service.conftest import Client, Clients

Change = Callable[[httpx2.Request, httpx2.Response, bytes], httpx2.Response | None]


class Between(httpx2.AsyncBaseTransport):
    """Stands between a device and the service, and may answer otherwise, or do something before a request passes."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner
        self.change: Change | None = None
        self.before: Callable[[httpx2.Request], Any] | None = None
        self.seen: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append(f"{request.method} {request.url.path}")
        if self.before is not None:
            await self.before(request)
        response = await self._inner.handle_async_request(request)
        content = await response.aread()
        await response.aclose()
        other = self.change(request, response, content) if self.change else None
        return other or httpx2.Response(response.status_code, headers=response.headers, content=content)

    async def aclose(self) -> None:
        await self._inner.aclose()


def between(client: Client) -> Between:
    """Put something between a client and the service."""
    made = Between(client.calls._http._transport)
    client.calls._http._transport = made
    return made


def by(client: Client) -> Writer:
    return Writer(client.mine.device.id, client.mine.device.sign)


async def nobody(rids: Iterable[str]) -> Mapping[str, str]:
    return {}


async def keep(member: Member) -> None:
    return None


async def renewed(client: Client) -> Member:
    client.member = await membership.renew(client.calls, client.log(), client.mine, client.mine.account.n)
    return client.mine


async def revoked(by_client: Client, device_id: str) -> Account:
    account = await by_client.log().append(lambda now: by(by_client).revoke_device(now, device_id, START))
    await renewed(by_client)
    return account


async def head_of(client: Client) -> tuple[str, int]:
    space = await space_of(client.calls, client.mine.space_id)
    return space.generation, space.head


async def open_next(client: Client) -> Member:
    client.member = await rotation.open_next(
        client.calls, client.log(), client.mine, START, pulled_to=await head_of(client), keep=keep
    )
    return client.mine


async def pushed(client: Client) -> Envelope:
    """Push a new record as a device does."""
    member = client.mine
    edit = Edit(os.urandom(16).hex(), START, 0)
    record = Record("note", 1, {"text": Entry("a secret", Stamp(START, 0, member.device.id))})
    envelope = seal(edit, encode(record), member.keys[-1], Signer(member.device.id, member.device.sign))
    generation, _head = await head_of(client)
    op = {"op_id": os.urandom(16), "env": msgpack.unpackb(wire.to_msgpack(envelope))}
    body = {"generation": generation, "ops": [op]}
    answer = await client.calls.send("POST", f"/v1/spaces/{member.space_id}/push", body, packed=True)
    assert answer["results"][0]["outcome"] == "ok"
    return envelope


async def two(clients: Clients) -> tuple[Client, Client]:
    one, other = clients.new(), clients.new()
    await one.found(clients.recovery_key)
    await other.join(clients.recovery_key)
    await renewed(one)
    return one, other


def changed(path: str, change: Callable[[Any], Any]) -> Change:
    """Change the JSON or MessagePack of what a path is answered with."""

    def answer(request: httpx2.Request, response: httpx2.Response, content: bytes) -> httpx2.Response | None:
        if not request.url.path.endswith(path) or request.method != "GET":
            return None
        packed = "msgpack" in response.headers["Content-Type"]
        members = msgpack.unpackb(content) if packed else json.loads(content)
        change(members)
        body = msgpack.packb(members) if packed else json.dumps(members).encode()
        headers = {"Content-Type": response.headers["Content-Type"]}
        return httpx2.Response(response.status_code, headers=headers, content=body)

    return answer


@pytest.mark.req("R025")
async def test_a_service_that_steps_between_two_devices_is_found_out(clients: Clients) -> None:
    one, new, stranger = clients.new(), clients.new(), clients.new()
    await one.found(clients.recovery_key)
    await new.by_mail()
    joining, other = Joining(new.calls), Joining(stranger.calls)
    await joining.begin()
    (waiting,) = await waiting_devices(one.calls)
    admitting = Admitting(one.calls, one.log(), one.mine.device, waiting)
    await admitting.answer()
    swapped = between(new)
    swapped.change = changed(waiting.enrolment_id, lambda shown: shown["answer"].update(nonce="A" * 43))
    seen_new = await joining.compare()
    seen_old = await admitting.compare()
    assert seen_new is not None and seen_old is not None and six_words(seen_new) != six_words(seen_old)
    lying = between(one)
    lying.change = changed(waiting.enrolment_id, lambda shown: shown.update(reveal=other._reveal()))
    with pytest.raises(EnrolmentRefused):
        await admitting.compare()
    for damaged in ({}, {"nonce": 1}, [], "reveal"):
        lying.change = changed(waiting.enrolment_id, lambda shown, d=damaged: shown.update(reveal=d))
        with pytest.raises(EnrolmentRefused):
            await admitting.compare()


async def test_only_the_first_answer_counts_though_the_reveal_was_cut_off(clients: Clients) -> None:
    one, new = clients.new(), clients.new()
    await one.found(clients.recovery_key)
    await new.by_mail()
    joining = Joining(new.calls)
    await joining.begin()
    (waiting,) = await waiting_devices(one.calls)
    admitting = Admitting(one.calls, one.log(), one.mine.device, waiting)
    await admitting.answer()
    cut = between(new)

    def lose(request: httpx2.Request, response: httpx2.Response, content: bytes) -> httpx2.Response | None:
        if request.method == "POST":
            raise httpx2.ReadError("cut", request=request)
        return None

    cut.change = lose
    with pytest.raises(Unreachable):
        await joining.compare()
    cut.change = changed(waiting.enrolment_id, lambda shown: shown["answer"].update(nonce="A" * 43))
    assert await joining.compare() == await admitting.compare()


async def test_no_epoch_is_opened_where_the_service_holds_other_keys_than_it_was_given(
    clients: Clients,
) -> None:
    one, other = await two(clients)
    await revoked(one, other.mine.device.id)
    lying = between(one)

    def spoil(members: Any) -> None:
        for wrap in members["wraps"]:
            if wrap["epoch"] == 2:
                wrap["output"] = bytes(len(wrap["output"]))

    lying.change = changed("/wraps", spoil)
    with pytest.raises(WrapRefused):
        await open_next(one)
    assert (await one.log().read()).current_epoch(one.mine.space_id) == 1
    lying.change = None
    assert (await open_next(one)).account.current_epoch(one.mine.space_id) == 2


async def test_two_devices_renew_the_key_at_once_and_both_go_on(clients: Clients) -> None:
    one, other = await two(clients)
    third = clients.new()
    await third.join(clients.recovery_key)
    await renewed(other)
    await revoked(one, third.mine.device.id)
    await renewed(other)
    done = await asyncio.gather(open_next(one), open_next(other), return_exceptions=True)
    assert any(isinstance(each, Member) for each in done)
    for client in (one, other, one, other):
        await renewed(client)
    assert one.mine.keys[-1] == other.mine.keys[-1] and one.mine.keys[-1].epoch == 2
    assert (await one.log().read()).current_epoch(one.mine.space_id) == 2
    late = clients.new()
    assert (await late.join(clients.recovery_key)).keys[-1] == one.mine.keys[-1]


async def test_keys_that_another_device_put_in_between_are_put_right_by_who_has_the_right_one(
    clients: Clients,
) -> None:
    one, other = await two(clients)
    third = clients.new()
    await third.join(clients.recovery_key)
    await renewed(other)
    await revoked(one, third.mine.device.id)
    await renewed(other)
    space = await space_of(other.calls, other.mine.space_id)
    step = between(one)

    async def before(request: httpx2.Request) -> None:
        if request.url.path.endswith("/epoch"):
            wrong = membership.SpaceKey.new(space.id, 2)
            wraps = membership.wraps_for_all(other.mine.account, wrong, other.mine.device)
            await membership.put_wraps(other.calls, space, wraps)

        if request.method == "PUT" and step.seen.count(f"PUT /v1/spaces/{space.id}/epoch") > 0:
            step.before = cut

    async def cut(request: httpx2.Request) -> None:
        raise httpx2.ConnectError("cut", request=request)

    kept: list[Member] = []

    async def keep_it(member: Member) -> None:
        kept.append(member)

    step.before = before
    with pytest.raises(Unreachable):
        await rotation.open_next(
            one.calls, one.log(), one.mine, START, pulled_to=await head_of(one), keep=keep_it
        )
    step.before = None
    with pytest.raises(WrapRefused):
        await renewed(other)
    one.member = kept[-1]  # what the vault has after a crash
    await renewed(one)
    assert (await renewed(other)).keys[-1] == one.mine.keys[-1]


@pytest.mark.req("R158")
async def test_what_a_revoked_device_wrote_is_carried_over_only_where_it_was_here_before(
    clients: Clients,
) -> None:
    one, other = await two(clients)
    mine, held, unknown = await pushed(one), await pushed(other), await pushed(other)
    headers = [Header.unpack(each.hdr) for each in (mine, held, unknown)]
    await revoked(one, other.mine.device.id)
    await open_next(one)

    async def known(rids: Iterable[str]) -> Mapping[str, str]:
        return {headers[1].rid: headers[1].rev}

    done = await rotation.wrap_anew(one.calls, one.mine, known)
    assert (done.wrapped, done.left) == (2, (headers[2].rid,))
    space = await space_of(one.calls, one.mine.space_id)
    assert space.rotating and not await rotation.is_done(one.calls, space)
    done = await rotation.wrap_anew(one.calls, one.mine, nobody)
    assert (done.wrapped, done.left) == (0, (headers[2].rid,))


async def test_no_key_is_renewed_on_stale_or_damaged_data(clients: Clients) -> None:
    one, other = await two(clients)
    generation, head = await head_of(one)
    await pushed(other)
    await revoked(one, other.mine.device.id)
    for stale in ((generation, head), ("0" * 32, head + 1), (generation, head + 2)):
        with pytest.raises(rotation.Behind):
            await rotation.open_next(one.calls, one.log(), one.mine, START, pulled_to=stale, keep=keep)
    again, first = between(one), list[Any]()

    def the_same(members: dict[str, Any]) -> None:
        first[:] = first or members["items"]
        members.update(items=first, more=True)

    again.change = changed("/deks", the_same)
    with pytest.raises(ServiceRefused):
        await open_next(one)
    again.change = None
    await asyncio.to_thread(_damage_keys, clients)
    with pytest.raises(Refused, match="does not open here"):
        await open_next(one)
    assert (await one.log().read()).current_epoch(one.mine.space_id) == 1


def _damage_keys(clients: Clients) -> None:
    async def write() -> None:
        async with clients.hosted.service.stores.keys.write() as connection:
            await connection.execute(record_keys.update().values(dek=bytes(64)))

    clients.hosted.run(write())


async def test_many_calls_that_find_the_session_over_renew_it_once(clients: Clients) -> None:
    one = clients.new()
    await one.found(clients.recovery_key)
    clients.hosted.clock.pass_days(0.02)
    before = len(one.kept)
    await asyncio.gather(*(spaces(one.calls) for _each in range(6)))
    assert len(one.kept) == before + 1
    stolen = one.kept[0]
    thief = Calls(one.calls._http, Session(clients.hosted.url, tokens=Tokens("", stolen.refresh)))
    with pytest.raises(ServiceRefused):
        await thief.open("POST", "/v1/auth/session", {"refresh": stolen.refresh})
    await spaces(one.calls)  # the reuse ended the session, and the device signs another one


async def test_answers_that_no_service_gives(clients: Clients) -> None:
    one = clients.new()
    await one.found(clients.recovery_key)
    hotel = between(one)

    def answer(status: int, content: bytes, **headers: str) -> Change:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return lambda _request, _response, _content: httpx2.Response(status, headers=told, content=content)

    for status, content, headers in (
        (200, b"<html>", {}),
        (302, b"", {"Location": "http://hotel.example/"}),
        (200, b"[1]", {}),
        (404, b"not found", {}),
        (502, b"{}", {}),
        (200, b"\xc1", {"Content_Type": "application/msgpack"}),
        (200, b"[" * 100_000, {}),
    ):
        hotel.change = answer(status, content, **headers)
        with pytest.raises(Unreachable) as unreachable:
            await spaces(one.calls)
        assert unreachable.value.retry_after is None
    for said, seconds in (("7", 7), ("99999999", 86_400), ("-1", None), ("soon", None)):
        hotel.change = answer(429, b"{}", Retry_After=said)
        with pytest.raises(Unreachable) as unreachable:
            await spaces(one.calls)
        assert unreachable.value.retry_after == seconds
    for content in (b"{}", b'{"spaces": 1}', b'{"spaces": [{}]}', b'{"spaces": [1]}'):
        hotel.change = answer(200, content)
        with pytest.raises(ServiceRefused) as refused:
            await spaces(one.calls)
        assert refused.value.code == "not_understood"
    for content in (b"{}", b'{"wraps": [{"epoch": 1}]}', b'{"wraps": [{"output": "AA"}]}'):
        hotel.change = changed(
            "/wraps", lambda members, c=content: members.update(wraps=json.loads(c).get("wraps"))
        )
        with pytest.raises(ServiceRefused):
            await wraps_of(one.calls, await space_of(one.calls, one.mine.space_id))
    hotel.change = answer(413, b"<html>413 Request Entity Too Large</html>", Content_Type="text/html")
    with pytest.raises(TooLarge):  # a proxy in front of the service says so in its own words
        await spaces(one.calls)
    hotel.change = changed("/v1/account/data-summary", lambda members: members.update(account_id="mine"))
    with pytest.raises(ServiceRefused):
        await deletion.delete_account(one.calls, "grace")
    hotel.change = answer(426, b'{"error": "newer_protocol", "detail": ""}')
    with pytest.raises(NewerProtocol):
        await spaces(one.calls)
    for said in ({"protocols": [2]}, {"protocol": 2}, {}, {"protocols": 1}, {"protocols": {"a": 1}}):
        hotel.change = answer(200, json.dumps(said).encode())
        with pytest.raises(Refused, match="no service that this Bureau can use"):
            await sign_in.promises(one.calls)
    hotel.change, hotel.seen = answer(401, b'{"error": "signed_out", "detail": ""}'), []
    with pytest.raises(ServiceRefused):
        await spaces(one.calls)
    assert len(hotel.seen) < 6

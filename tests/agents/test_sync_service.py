"""Real offices of one owner meet at the real service: founded, joined, taken off, the key renewed."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from agents.events import Notice
from agents.office import Office
from agents.sync_service.connecting import NotReached
from agents.sync_service.device_item import ITEM, SESSION_ITEM
from memory import attachments, audit, ledger
from memory.errors import Refused
from memory.lifecycle.subjects import Subject
from memory.sync.errors import WrapRefused
from memory.sync.service.faults import DeletionPending, DeviceRevoked
from memory.sync.service.membership import SeveralOffices
from memory.sync.service.sign_in import Asked
from memory.sync.transfers import Moving
from tests.agents.conftest import until
from tests.agents.syncing_offices import device_id, settle, texts
from tests.memory.sync.hosted.running import Running, running, running_over
from tests.peers.postgres import Postgres
from vault.errors import KeyNotFound

Offices = Callable[..., Awaitable[Office]]
EMAIL = "ada@example.org"


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "hosted") as found:
        yield found


async def code_of(office: Office, hosted: Running) -> tuple[Asked, str]:
    asked = await office.syncing.joining.ask_code(hosted.url, EMAIL)
    await asyncio.to_thread(hosted.do_jobs)
    return asked, hosted.inbox.code(EMAIL)


async def found(office: Office, hosted: Running) -> bytes:
    key = os.urandom(32)
    await office.syncing.joining.found(*await code_of(office, hosted), key)
    return key


async def join(office: Office, hosted: Running, key: bytes) -> None:
    await office.syncing.joining.join(*await code_of(office, hosted), key)


async def epoch(office: Office) -> int:
    return (await office.syncing.joined()).epoch


@pytest.mark.req("R009", "R026", "R054")
async def test_what_is_written_on_one_is_on_the_other_and_every_request_is_booked(
    offices: Offices, hosted: Running
) -> None:
    one, other = await offices("one"), await offices("other")
    await one.notes.add("the quetzal sings")
    key = await found(one, hosted)
    await join(other, hosted, key)
    await settle(one, other)
    await other.notes.add("and the owl listens")
    await settle(one, other)
    assert await texts(one) == await texts(other) == ["and the owl listens", "the quetzal sings"]
    assert b"quetzal" not in await asyncio.to_thread(hosted.dump)
    booked = await one.database.read(ledger.outbox)
    assert {row.purpose for row in booked} == {"sync"} and len(booked) > 10
    session = one.vault.read_key(SESSION_ITEM).reveal()
    await one.close()
    token = session.split('"')[3]
    assert len(token) > 30
    for file in one.locations.home.rglob("*"):
        if file.is_file() and file.name != "keyslots.json":
            assert token.encode() not in file.read_bytes()


@pytest.mark.req("R186")
async def test_what_does_not_join(offices: Offices, hosted: Running) -> None:
    one, other = await offices("one"), await offices("other")
    for address in ("http://sync.example.org", "ftp://127.0.0.1", "sync.example.org", "https://a@b.org"):
        with pytest.raises(Refused, match="https"):
            await one.syncing.joining.ask_code(address, EMAIL)
    with pytest.raises(NotReached, match="cannot be reached"):
        await one.syncing.joining.ask_code("http://127.0.0.1:9", EMAIL)
    await found(one, hosted)
    with pytest.raises(Refused, match="has devices already"):
        await found(other, hosted)
    with pytest.raises(WrapRefused):
        await join(other, hosted, os.urandom(32))
    assert (await other.syncing.status()).here is None
    with pytest.raises(KeyNotFound):
        other.vault.read_key(ITEM)
    with pytest.raises(Refused, match="syncs already"):
        await found(one, hosted)


@pytest.mark.req("R025")
async def test_a_device_is_let_in_by_six_words(offices: Offices, hosted: Running) -> None:
    one, other = await offices("one"), await offices("other")
    await one.notes.add("the quetzal sings")
    await found(one, hosted)
    await other.syncing.joining.announce(*await code_of(other, hosted))
    assert await other.syncing.joining.compare() is None
    (waiting,) = await one.syncing.account.waiting()
    await one.syncing.account.answer(waiting)
    seen = await other.syncing.joining.compare()
    assert seen is not None and len(seen.words) == 6 and seen == await one.syncing.account.compare()
    assert await other.syncing.joining.finish() is None
    await one.syncing.account.admit()
    assert await other.syncing.joining.finish() is not None
    assert await texts(other) == ["the quetzal sings"]


@pytest.mark.req("R005")
async def test_a_device_that_is_taken_off_reads_nothing_that_is_written_after(
    offices: Offices, hosted: Running
) -> None:
    one, two, three = await offices("one"), await offices("two"), await offices("three")
    await two.notes.add("before")
    key = await found(one, hosted)
    await join(two, hosted, key)
    await join(three, hosted, key)
    await settle(one, two, three)
    gone = await device_id(three)
    with pytest.raises(Refused, match="names no device"):
        await one.syncing.account.revoke(["zz"])
    with pytest.raises(Refused, match="this device"):
        await one.syncing.account.revoke([await device_id(one)])
    await one.notes.add("written and not yet sent")
    await one.syncing.account.revoke([gone[:8]])
    assert await epoch(one) == 2 and one.syncing.account.rotated is not None
    assert one.syncing.account.rotated.left == ()
    with pytest.raises(DeviceRevoked):
        await three.syncing.now()
    await one.notes.add("after")
    await settle(one, two)
    assert await epoch(two) == 2
    assert await texts(two) == ["after", "before", "written and not yet sent"] and await texts(three) == [
        "before"
    ]
    rows = hosted.rows("keys", "SELECT count(*) FROM space_wraps WHERE epoch = 1")
    assert rows[0][0] == 0
    assert hosted.rows("keys", "SELECT count(*) FROM record_keys WHERE wrap_epoch = 1")[0][0] == 0
    listed = await one.syncing.account.devices()
    assert [each.active for each in listed] == [True, True, False]


async def test_what_one_device_leaves_of_a_rotation_another_finishes(
    offices: Offices, hosted: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three = await offices("one"), await offices("two"), await offices("three")
    key = await found(one, hosted)
    await join(two, hosted, key)
    await join(three, hosted, key)
    await settle(one, two, three)

    async def cut(*_arguments: object, **_more: object) -> None:
        raise OSError("cut off")

    with monkeypatch.context() as cutting:
        cutting.setattr("memory.sync.service.rotation.open_next", cut)
        with pytest.raises(OSError, match="cut off"):
            await one.syncing.account.revoke([await device_id(three)])
    with monkeypatch.context() as cutting:
        cutting.setattr("memory.sync.service.rotation.wrap_anew", cut)
        with pytest.raises(OSError, match="cut off"):
            await two.syncing.now()
    await one.syncing.now()
    assert await epoch(one) == 2
    assert hosted.rows("keys", "SELECT count(*) FROM space_wraps WHERE epoch = 1")[0][0] == 0
    await settle(one, two)
    fresh = await offices("fresh")
    await join(fresh, hosted, key)
    assert await epoch(fresh) == 2


@pytest.mark.req("R186")
async def test_after_everything_was_lost(offices: Offices, hosted: Running) -> None:
    one, lost = await offices("one"), await offices("lost")
    await one.notes.add("all that is left")
    key = await found(one, hosted)
    await join(lost, hosted, key)
    await settle(one, lost)
    fresh, new_key = await offices("fresh"), os.urandom(32)
    await join(fresh, hosted, key)
    await fresh.syncing.account.revoke_others()
    await fresh.syncing.account.replace_recovery(new_key)
    assert await texts(fresh) == ["all that is left"]
    for office in (one, lost):
        with pytest.raises(DeviceRevoked):
            await office.syncing.now()
    late = await offices("late")
    with pytest.raises(WrapRefused):
        await join(late, hosted, key)
    await join(late, hosted, new_key)
    assert await texts(late) == ["all that is left"]
    assert sum(each.active for each in await late.syncing.account.devices()) == 2


async def test_who_leaves_forgets_session_and_keys(offices: Offices, hosted: Running) -> None:
    one = await offices("one")
    key = await found(one, hosted)
    await one.syncing.leave()
    for item in (ITEM, SESSION_ITEM):
        with pytest.raises(KeyNotFound):
            one.vault.read_key(item)
    await join(one, hosted, key)
    await settle(one)


async def test_another_office_of_the_same_account_has_a_space_and_a_key_of_its_own(
    offices: Offices, hosted: Running
) -> None:
    one, work = await offices("one"), await offices("work")
    await one.notes.add("private")
    await work.notes.add("work")
    key = await found(one, hosted)
    await work.syncing.joining.join(*await code_of(work, hosted), key, "new")
    await settle(one, work)
    assert await texts(one) == ["private"] and await texts(work) == ["work"]
    fresh = await offices("fresh")
    asked, code = await code_of(fresh, hosted)
    with pytest.raises(WrapRefused):
        await fresh.syncing.joining.join(asked, code, os.urandom(32))
    with pytest.raises(SeveralOffices, match="several offices") as several:
        await fresh.syncing.joining.join(asked, code, key)
    chosen = (await work.syncing.joined()).space_id
    assert chosen in {each.id for each in several.value.spaces} and len(several.value.spaces) == 2
    # The code was worth one session, which is still there.
    await fresh.syncing.joining.join(asked, code, key, chosen[:8])
    assert await texts(fresh) == ["work"]
    await one.syncing.account.revoke([await device_id(fresh)])
    await settle(one)
    await work.syncing.now()
    assert await epoch(one) == await epoch(work) == 2


@pytest.mark.req("R005", "R175")
async def test_sessions_are_listed_and_ended_and_devices_sign_others(
    offices: Offices, hosted: Running
) -> None:
    one, other = await offices("one"), await offices("other")
    key = await found(one, hosted)
    await join(other, hosted, key)
    listed = await one.syncing.profile.sessions()
    mine = await device_id(one)
    assert [each.device_id for each in listed if each.this] == [mine]
    assert {each.device_id for each in listed} == {mine, await device_id(other), ""}
    gone = next(each for each in listed if not each.device_id)
    with pytest.raises(Refused, match="no session"):
        await one.syncing.profile.end_session("zz")
    await one.syncing.profile.end_session(gone.id)
    assert gone not in await one.syncing.profile.sessions()
    assert await one.syncing.profile.end_other_sessions() == len(listed) - 2
    assert len(await one.syncing.profile.sessions()) == 1
    await settle(one, other)
    assert len(await one.syncing.profile.sessions()) == 2


@pytest.mark.req("R075")
async def test_the_owner_is_told_of_a_device_that_joined(offices: Offices, hosted: Running) -> None:
    one, other = await offices("one"), await offices("other")
    key = await found(one, hosted)
    told: list[str] = []
    one.events.subscribe(lambda event: told.append(event.sentence) if isinstance(event, Notice) else None)
    other.events.subscribe(lambda event: told.append(event.sentence) if isinstance(event, Notice) else None)
    await join(other, hosted, key)
    await settle(one, other)
    assert told == [f"Another device joined your account ({(await device_id(other))[:8]})."]


async def test_two_devices_recover_at_once_and_both_are_listed(offices: Offices, hosted: Running) -> None:
    one, two, three = await offices("one"), await offices("two"), await offices("three")
    key = await found(one, hosted)
    codes = [await code_of(office, hosted) for office in (two, three)]
    await asyncio.gather(
        *(office.syncing.joining.join(*code, key) for office, code in zip((two, three), codes, strict=True))
    )
    await settle(one, two, three)
    assert len((await one.syncing.devices()).active()) == 3


@pytest.mark.req("R098")
async def test_which_policy_was_accepted_stands_in_the_trail(offices: Offices, hosted: Running) -> None:
    one = await offices("one")
    promises = await one.syncing.joining.promises(hosted.url)
    await found(one, hosted)
    entries = await one.database.read(audit.entries)
    (accepted,) = [each for each in entries if each.kind == "sync policy accepted"]
    assert (
        accepted.detail["version"] == promises.policy_version and promises.policy == hosted.url + "/privacy"
    )


async def test_a_device_is_taken_off_while_the_account_is_about_to_be_deleted(
    offices: Offices, hosted: Running
) -> None:
    one, other = await offices("one"), await offices("other")
    key = await found(one, hosted)
    await join(other, hosted, key)
    await settle(one, other)
    await one.syncing.holdings.delete("account", "grace")
    done = await one.syncing.account.revoke([await device_id(other)])
    assert isinstance(done.refusal, DeletionPending) and await epoch(one) == 1
    await one.syncing.holdings.restore("account")
    await one.syncing.now()
    assert await epoch(one) == 2


async def test_an_office_that_syncs_announces_itself_nowhere(offices: Offices, hosted: Running) -> None:
    one = await offices("one")
    await found(one, hosted)
    session = one.vault.read_key(SESSION_ITEM).reveal()
    with pytest.raises(Refused, match="syncs already"):
        await one.syncing.joining.ask_code(hosted.url, EMAIL)
    with pytest.raises(Refused, match="has not announced"):
        await one.syncing.joining.compare()
    with pytest.raises(Refused, match="No device is being let in"):
        await one.syncing.account.compare()
    assert one.vault.read_key(SESSION_ITEM).reveal() == session


@pytest.fixture(params=["sqlite", "postgresql"])
def either(tmp_path: Path, request: pytest.FixtureRequest, postgres: Postgres, s3: str) -> Iterator[Running]:
    """A service over SQLite files and a folder, and the same over PostgreSQL and a bucket on a host of its own."""
    with running_over(request.param, tmp_path, postgres, s3) as found:
        yield found


@pytest.mark.req("R009", "R026")
async def test_files_go_both_ways_and_are_read_on_the_other_device(offices: Offices, either: Running) -> None:
    one, other = await offices("one"), await offices("other")
    key = await found(one, either)
    await join(other, either, key)
    said = b"The deposit is 1900 euros, held by Quince and Sons."
    sent = {}
    for office, name, content in (
        (one, "lease.txt", said),
        (one, "scan.bin", os.urandom(5 * 2**20)),
        (other, "a.txt", said),
    ):
        conversation = await office.create_conversation(title=name)
        file = await office.attach(conversation.id, content, name)
        await office.send(conversation.id, "@Librarian What is the deposit?", attachment_ids=[file.id])
        await until(lambda office=office, chat=conversation.id: not office.runs.busy(chat))  # type: ignore[misc]  # defaults bind
        sent[file.id] = content
    await settle(one, other)
    for office in (one, other):
        for file_id, expected in sent.items():
            await office.files.settled([file_id])
            file = await office.database.read(attachments.attachment, file_id)
            assert file.state == ("ready" if expected is said else "failed"), file.reason
            assert await office.files.content(file) == expected
    assert (await one.syncing.status()).moving == Moving()
    stored = await asyncio.to_thread(either.objects)
    assert len(stored) == 4 and not any(b"Quince" in each for each in stored.values())
    hosts = {row.host for row in await one.database.read(ledger.outbox)}
    assert hosts == {urlsplit(each).netloc for each in (either.url, either.service.objects.get_url("x"))}
    await one.erasing.erase([Subject("file", file_id) for file_id in sent])
    await settle(one, other)
    await asyncio.to_thread(either.do_jobs)
    assert await asyncio.to_thread(either.objects) == {}
    assert await other.database.read(attachments.attachments_in_state, "ready") == ()

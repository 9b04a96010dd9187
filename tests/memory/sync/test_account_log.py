"""The chain of devices: whoever is not in it cannot write it, and it never gets shorter."""

from collections.abc import Callable
from typing import Any

import pytest

from memory.sync import account_log, base64url
from memory.sync.account_log import Writer, genesis
from memory.sync.device_keys import DeviceKeys, DevicePublic
from memory.sync.errors import (
    LogDamaged,
    LogForked,
    LogNewer,
    LogRefused,
    LogShorter,
    SignerRefused,
    WrapRefused,
)
from memory.sync.header import NO_DEVICE
from memory.sync.recovery import RecoveryKeys
from memory.sync.signed_json import canonical, digest, hash_bytes, sign
from memory.sync.space_keys import SpaceKey
from tests.memory.sync.making import AT, SPACE, Office

Entry = dict[str, Any]
PURPOSE = b"aof/v1/log"


def entry(office: Office, key: object = None, **other: object) -> Entry:
    """The next entry of the first device, with other members, signed as if they were right."""
    members = {
        "v": 1,
        "n": office.account.n + 1,
        "prev": "sha256:" + office.account.head.hex(),
        "type": "revoke_device",
        "at": "2026-03-01T12:00:00Z",
        "body": {"device_id": office.second.id},
        "by": office.first.id,
    } | other
    members = {name: value for name, value in members.items() if value is not None}
    return sign(PURPOSE, members, key or office.first.sign)


def test_a_whole_chain_gives_the_devices_at_every_entry(office: Office) -> None:
    account = account_log.verify(office.log)
    assert account == office.account
    assert {device.public.id for device in account.active()} == {office.first.id, office.second.id}
    assert [office.account.device(office.second.id).active_at(n) for n in range(4)] == [
        False,
        True,
        True,
        True,
    ]
    revoked = office.grown(office.writer.revoke_device(account, office.second.id, AT))
    assert [device.public.id for device in revoked.active()] == [office.first.id]
    assert revoked.device(office.second.id).active_at(3)
    assert not revoked.device(office.second.id).active_at(4)
    assert account.current_epoch(SPACE) == 2
    assert account.current_epoch("99" * 16) == 0


def test_the_entry_that_others_are_made_of_is_itself_good(office: Office) -> None:
    assert len(office.grown(entry(office)).active()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": 3},
        {"n": True},
        {"n": None},
        {"v": 0},
        {"v": "1"},
        {"v": None},
        {"at": "yesterday"},
        {"at": "2026-03-01T12:00:00+01:00"},
        {"at": None},
        {"by": "nobody"},
        {"by": "77" * 16},
        {"by": None},
        {"by": NO_DEVICE},
        {"body": None},
        {"body": []},
        {"body": {}},
        {"type": None},
        {"type": "genesis", "body": {}, "v": 0},
        {"body": {"device_id": "77" * 16}},
        {"type": "add_device", "body": {"device": {}}},
        {"type": "new_epoch", "body": {"space_id": SPACE, "epoch": 4, "sk_commit": "sha256:" + "00" * 32}},
        {"type": "new_epoch", "body": {"space_id": SPACE, "epoch": 2, "sk_commit": "sha256:" + "00" * 32}},
        {"type": "new_epoch", "body": {"space_id": SPACE, "epoch": "3", "sk_commit": "sha256:" + "00" * 32}},
        {
            "type": "new_epoch",
            "body": {"space_id": "5A" * 16, "epoch": 1, "sk_commit": "sha256:" + "00" * 32},
        },
        {"type": "new_epoch", "body": {"space_id": SPACE, "epoch": 3, "sk_commit": "00" * 32}},
        {"type": "new_epoch", "body": {"space_id": SPACE, "epoch": 3, "sk_commit": "sha256:00"}},
        {"type": "new_recovery", "body": {"recovery": {"sign": "AA", "kem": "AA"}}},
    ],
)
def test_entries_that_break_a_rule(office: Office, wrong: dict[str, Any]) -> None:
    with pytest.raises(LogDamaged) as damaged:
        office.grown(entry(office, **wrong))
    assert damaged.value.n == 4


def test_an_entry_that_its_signer_did_not_sign(office: Office) -> None:
    for wrong in (
        entry(office, key=office.second.sign),
        entry(office) | {"at": "2026-03-01T12:00:01Z"},
        entry(office) | {"sig": base64url.encode(bytes(64))},
        entry(office) | {"sig": "!"},
        entry(office) | {"sig": None},
        entry(office) | {"more": 1},
    ):
        with pytest.raises(LogDamaged):
            office.grown(wrong)


@pytest.mark.parametrize("wrong", [None, "entry", [], 7])
def test_what_is_no_entry_at_all(office: Office, wrong: Any) -> None:
    for read in (lambda: office.grown(wrong), lambda: account_log.verify([wrong])):
        with pytest.raises(LogDamaged):
            read()


def test_a_signature_for_another_purpose(office: Office) -> None:
    members = {name: value for name, value in entry(office).items() if name != "sig"}
    with pytest.raises(LogDamaged):
        office.grown(sign(b"aof/v1/receipt", members, office.first.sign))


def test_a_revoked_device_signs_nothing_more(office: Office) -> None:
    gone = office.grown(office.writer.revoke_device(office.account, office.second.id, AT))
    for attempt in (
        office.other_writer.add_device(gone, DeviceKeys.new().public, AT),
        office.other_writer.revoke_device(gone, office.first.id, AT),
        office.other_writer.new_recovery(gone, RecoveryKeys.of(bytes(32)).public, AT),
        office.other_writer.new_epoch(gone, SpaceKey.new(SPACE, 3), AT),
    ):
        with pytest.raises(LogDamaged):
            account_log.extend(gone, [attempt])
    with pytest.raises(LogDamaged):  # nor is anybody revoked twice
        account_log.extend(gone, [office.writer.revoke_device(gone, office.second.id, AT)])


def test_device_ids_are_never_zero_and_never_come_twice(office: Office) -> None:
    new, revoked = DeviceKeys.new().public, office.second.id
    gone = office.grown(office.writer.revoke_device(office.account, revoked, AT))
    for device_id in (NO_DEVICE, revoked, office.first.id):
        again = DevicePublic(device_id, new.sign, new.hpke)
        with pytest.raises(LogDamaged):
            account_log.extend(gone, [office.writer.add_device(gone, again, AT)])
    zero = DeviceKeys(NO_DEVICE, office.first.sign, office.first.receive)
    with pytest.raises(LogDamaged):
        account_log.verify([genesis(zero, office.recovery.public, AT)])


def test_a_hpke_key_of_no_suite(office: Office) -> None:
    device = DevicePublic("77" * 16, bytes(32), bytes(33))
    with pytest.raises(LogDamaged):
        office.grown(office.writer.add_device(office.account, device, AT))


def test_the_first_entry_proves_itself(office: Office) -> None:
    first = office.log[0]
    by_another = {name: value for name, value in first.items() if name != "sig"} | {"by": office.second.id}
    for wrong in (
        sign(PURPOSE, by_another, office.first.sign),
        first | {"type": "add_device"},
        first | {"prev": "sha256:" + "11" * 32},
        first | {"by": office.second.id},
        first | {"by": "recovery"},
        first | {"at": "2026-03-01T12:00:01Z"},
        first | {"body": first["body"] | {"recovery": {}}},
        office.log[1],
    ):
        with pytest.raises(LogDamaged):
            account_log.verify([wrong])
    with pytest.raises(LogRefused):  # and there is only one
        office.grown(entry(office, type="genesis", body=first["body"]))


def test_recovery_signs_until_another_recovery_key_takes_its_place(office: Office) -> None:
    former = Writer("recovery", office.recovery.sign)
    latter_keys = RecoveryKeys.of(bytes(32))
    changed = office.grown(former.new_recovery(office.account, latter_keys.public, AT))
    assert changed.recovery == latter_keys.public
    device = DeviceKeys.new().public
    with pytest.raises(LogDamaged):
        account_log.extend(changed, [former.add_device(changed, device, AT)])
    latter = Writer("recovery", latter_keys.sign)
    assert account_log.extend(changed, [latter.add_device(changed, device, AT)]).device(device.id)


def test_shorter_and_forked_logs(office: Office) -> None:
    seen = (office.account.n, office.account.head)
    assert account_log.verify(office.log, seen) == office.account
    longer = [*office.log, entry(office)]
    assert account_log.verify(longer, seen).n == 4
    for shorter in ([], office.log[:1], office.log[:-1]):
        with pytest.raises(LogShorter):
            account_log.verify(shorter, seen)
    before = account_log.verify(office.log[:-1])
    fork = [*office.log[:-1], office.writer.revoke_device(before, office.second.id, AT)]
    for forked in (
        fork,
        [*fork, office.writer.new_epoch(account_log.verify(fork), SpaceKey.new("66" * 16), AT)],
    ):
        account_log.verify(forked)  # a good chain, and not the one that was seen
        with pytest.raises(LogForked):
            account_log.verify(forked, seen)
    with pytest.raises(LogForked):
        office.grown(fork[-1])
    other = account_log.verify([genesis(office.second, office.recovery.public, AT)])
    with pytest.raises(LogForked):
        other.require(office.account.fingerprint, office.account.head)
    with pytest.raises(LogForked):
        account_log.verify(fork).require(office.account.fingerprint, office.account.head)
    office.account.require(office.account.fingerprint, before.head)


@pytest.mark.parametrize(
    "change", [lambda log: log.pop(1), lambda log: log.reverse(), lambda log: log.insert(2, log[1])]
)
def test_entries_left_out_reordered_or_repeated(
    office: Office, change: Callable[[list[Entry]], object]
) -> None:
    log = list(office.log)
    change(log)
    with pytest.raises(LogDamaged):
        account_log.verify(log)


def test_an_entry_that_follows_another_than_the_one_before_it(office: Office) -> None:
    elsewhere = entry(office, prev="sha256:" + office.account.fingerprint.hex())
    with pytest.raises(LogDamaged):
        account_log.verify([*office.log, elsewhere])
    with pytest.raises(LogForked):
        office.grown(elsewhere)


def test_what_a_later_version_wrote_stops_here_instead_of_being_guessed(office: Office) -> None:
    for newer in (entry(office, v=2), entry(office, type="share_space")):
        with pytest.raises(LogNewer, match="update"):
            office.grown(newer)
    with pytest.raises(LogDamaged):  # an unknown type is only believed of a device of the owner
        office.grown(entry(office, key=office.second.sign, type="share_space"))


def test_members_that_were_added_are_signed_and_mean_nothing(office: Office) -> None:
    assert (
        len(office.grown(entry(office, new="🏡", body={"device_id": office.second.id, "why": 1})).active())
        == 1
    )


def test_unknown_devices_and_epochs(office: Office) -> None:
    with pytest.raises(SignerRefused):
        office.account.device("77" * 16)
    with pytest.raises(WrapRefused):
        office.account.epoch(SPACE, 3)


def test_the_canonical_form_is_that_of_rfc_8785() -> None:
    assert canonical({"b": 1, "a": "€\n", "🏡": [], "\ufb33": None}) == (
        '{"a":"€\\n","b":1,"🏡":[],"\ufb33":null}'.encode()
    )
    for wrong in ({"a": 2**53}, {"a": float("nan")}, {"a": "\ud800"}, {1: 1}, {"a": object()}):
        with pytest.raises(ValueError, match="canonical"):
            canonical(wrong)


@pytest.mark.parametrize(
    "text", [None, 5, "AB", "sha256:", "sha256:" + "AB" * 32, "sha256:" + "ab" * 31, "sha256:zz"]
)
def test_hashes_that_are_none(text: object) -> None:
    with pytest.raises(ValueError, match="not a hash"):
        hash_bytes(text)


@pytest.mark.parametrize("text", ["A", "AA==", "A+", "A/AA", "AB", "Ä", "A A", 5, None])
def test_base64url_that_is_none(text: object) -> None:
    with pytest.raises(ValueError, match=r"base64url|text"):
        base64url.decode(text)
    assert base64url.decode(base64url.encode(b"\xff\xfe\xfd"), 3) == b"\xff\xfe\xfd"


def test_the_hash_of_an_entry_covers_its_signature(office: Office) -> None:
    assert digest(office.log[1]) != digest(office.log[1] | {"sig": office.log[0]["sig"]})

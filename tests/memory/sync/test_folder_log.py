"""Files of the account log that are damaged in the folder: named, stopping nothing, and put right by who wrote them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agents.sync_standing import damaged_words
from memory.sync import membership
from memory.sync.errors import LogFileDamaged, LogIncomplete
from memory.sync.folder_log import LogRead, read_log
from tests.memory.sync.folder_members import RECOVERY_KEY, Peer, carry, peers
from tests.memory.sync.making import AT


def rotten(text: bytes, member: bytes) -> bytes:
    """Change one letter of a member's value, which stays JSON."""
    at = text.index(b'"%s":"' % member) + len(member) + 14
    return text[:at] + (b"b" if text[at : at + 1] != b"b" else b"c") + text[at + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _data: b"",
    "half": lambda data: data[: len(data) // 2],
    "other bytes": lambda _data: bytes(range(256)),
    "a list": lambda data: b"[" + data + b"]",
    "sig": lambda data: rotten(data, b"sig"),
    "prev": lambda data: rotten(data, b"prev"),
    "at": lambda data: data.replace(b"Z", b"z"),
    "by": lambda data: rotten(data, b"by"),
}


def met(home: Path) -> tuple[Peer, Peer]:
    """Return two devices that know of each other and keep each other's entries."""
    one, other = peers(home, 2)
    for each in (one, other):
        each.renew()
    carry(one, other)
    return one, other


def log(peer: Peer) -> LogRead:
    return read_log(peer.folder, peer.seen)


def damaged(peer: Peer) -> tuple[str, ...]:
    return log(peer).told()


@pytest.mark.parametrize("name", ["log-0.json", "log-1.json"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_stops_nothing_and_is_put_right_by_who_wrote_it(
    tmp_path: Path, damage: str, name: str
) -> None:
    one, other = met(tmp_path)
    path = one.mine / name
    whole = path.read_bytes()
    path.write_bytes(DAMAGES[damage](whole))
    carry(one, other)
    assert damaged(other) == (f"{one.id}/{name}",)
    other.renew()
    assert other.account == one.account
    one.renew()
    assert path.read_bytes() == whole and damaged(one) == ()


@pytest.mark.parametrize("name", ["log-1.sync-conflict-20261128-105100-ABCDEFG.json", "log-1 (1).json"])
def test_a_copy_that_the_carrier_made_of_a_file_counts_where_it_is_whole_and_goes_where_it_is_not(
    tmp_path: Path, name: str
) -> None:
    one, other = met(tmp_path)
    path = one.mine / "log-1.json"
    whole = path.read_bytes()
    (one.mine / name).write_bytes(whole)
    path.write_bytes(whole[:40])
    for copy in (*one.root.rglob("log.json"), *other.root.rglob("log.json")):
        copy.unlink()
    one.renew()
    assert path.read_bytes() == whole and damaged(one) == ()
    (one.mine / name).write_bytes(whole[:40])
    assert damaged(one) == (f"{one.id}/{name}",)
    one.renew()
    assert not (one.mine / name).exists() and damaged(one) == ()


def test_a_copy_of_the_log_that_is_damaged_is_written_anew(tmp_path: Path) -> None:
    one, _other = met(tmp_path)
    whole = (one.mine / "log.json").read_bytes()
    (one.mine / "log.json").write_bytes(whole[:200])
    assert damaged(one) == (f"{one.id}/log.json",)
    one.renew()
    assert (one.mine / "log.json").read_bytes() == whole and damaged(one) == ()


def test_what_somebody_removed_is_written_again(tmp_path: Path) -> None:
    one, _other = met(tmp_path)
    whole = (one.mine / "log-1.json").read_bytes()
    (one.mine / "log-1.json").unlink()
    one.renew()
    assert (one.mine / "log-1.json").read_bytes() == whole


def test_where_nobody_has_what_stood_in_a_damaged_file_it_is_named(tmp_path: Path) -> None:
    one, other = met(tmp_path)
    path = one.mine / "log-1.json"
    path.write_bytes(path.read_bytes()[:40])
    for copy in one.root.rglob("log.json"):
        copy.unlink()
    with pytest.raises(LogFileDamaged, match=f"{one.id}/log-1.json of the list") as refused:
        one.renew()
    assert refused.value.files == (f"{one.id}/log-1.json",)
    path.unlink()
    with pytest.raises(LogIncomplete, match="is not in the folder"):
        one.renew()
    carry(other, one)  # what the other device keeps is enough
    one.renew()
    assert one.account == other.account and path.exists()


def test_a_device_joins_though_the_first_file_of_the_log_is_damaged(tmp_path: Path) -> None:
    one, other = met(tmp_path)
    for each in (one, other):
        path = each.root / one.member.space_id / one.id / "log-0.json"
        path.write_bytes(path.read_bytes()[:40])
    third = membership.join(other.root, other.member.space_id, RECOVERY_KEY, AT)
    assert third.account.is_active(third.device.id) and third.keys == one.member.keys


def test_of_many_damaged_files_a_few_are_named(tmp_path: Path) -> None:
    one, _other = met(tmp_path)
    for number in range(20, 60):
        (one.mine / f"log-{number}.json").write_bytes(b"no entry")
    assert len(damaged(one)) == 40
    words = damaged_words(damaged(one))
    assert words.count(one.id) == 3 and "log-22.json …" in words
    one.renew()
    assert len(damaged(one)) == 40  # what it might have written there itself, nobody knows


def test_of_a_device_that_is_off_nothing_is_told(tmp_path: Path) -> None:
    one, other = met(tmp_path)
    path = other.mine / "log-2.json"
    one.revoke(other)
    gone = one.root / one.member.space_id / other.id / path.name
    gone.write_bytes(b"")
    assert damaged(one) == ()
    one.renew()

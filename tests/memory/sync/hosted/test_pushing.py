"""Push and pull over HTTP, in the order that the protocol fixes."""

import errno
import os
from typing import NoReturn

import httpx2
import pytest

from memory.sync.envelope import open_sealed
from memory.sync.markers import verify_erase
from tests.memory.sync.hosted.conftest import NewOwner
from tests.memory.sync.hosted.device import WORDS, Device, envelope_of, marker_of
from tests.memory.sync.hosted.running import Running


@pytest.mark.req("R040")
def test_what_one_device_writes_the_other_opens(ada: Device, second: Device) -> None:
    result = ada.pushed(ada.sealed())[0]
    assert result["outcome"] == "ok" and result["seq"] == 1
    page = second.changes()
    assert (page["next"], page["head"], page["more"]) == (1, 1, False)
    opened = open_sealed(envelope_of(page["items"][0]), second.held, ada.keys.sign.public_key())
    assert WORDS.encode() in opened.plaintext


def test_an_edit_replaces_and_a_stale_one_conflicts_with_what_is_there(ada: Device, second: Device) -> None:
    rid = os.urandom(16).hex()
    ada.pushed(ada.sealed(ada.edit(rid)))
    newer = ada.sealed(ada.edit(rid, parent=1))
    assert ada.pushed(newer)[0]["seq"] == 2
    conflict = second.pushed(second.sealed(second.edit(rid, parent=1)))[0]
    assert conflict["outcome"] == "conflict" and conflict["seq"] == 2
    assert envelope_of(conflict) == newer
    assert [item["seq"] for item in second.changes()["items"]] == [2]


def test_a_replay_is_answered_as_before_and_a_changed_one_refused(ada: Device) -> None:
    op_id, envelope = os.urandom(16), ada.sealed()
    first = ada.pushed(envelope, op_ids=[op_id])
    assert ada.pushed(envelope, op_ids=[op_id]) == first
    assert ada.pushed(ada.sealed(), op_ids=[op_id])[0]["outcome"] == "invalid"
    # The same revision under another op_id, after its answer was lost, is no conflict.
    assert ada.pushed(envelope)[0] | {"op_id": ""} == first[0] | {"op_id": ""}
    assert ada.head() == 1


@pytest.mark.req("R112", "R158")
def test_an_erase_wins_over_everything_and_nothing_comes_back(
    service: Running, ada: Device, second: Device
) -> None:
    rid, op_id = os.urandom(16).hex(), os.urandom(16)
    put = ada.sealed(ada.edit(rid))
    ada.pushed(put, op_ids=[op_id])
    assert second.pushed(second.erasing(rid))[0] | {"op_id": ""} == {"outcome": "ok", "seq": 2, "op_id": ""}
    # The put whose ok was lost: refused by the ledger although its op_id was seen with ok.
    again = ada.pushed(put, op_ids=[op_id])[0]
    assert again["outcome"] == "erased"
    verify_erase(marker_of(again), second.keys.sign.public_key())
    assert ada.pushed(ada.sealed(ada.edit(rid)))[0]["outcome"] == "erased"
    page = ada.changes(after=1)
    assert [list(item) for item in page["items"]] == [["seq", "marker"]]
    assert service.rows("keys", "SELECT * FROM record_keys") == []
    assert service.rows("records", "SELECT * FROM records") == []


def test_an_erase_in_the_same_push_is_judged_in_order(ada: Device) -> None:
    rid = os.urandom(16).hex()
    results = ada.pushed(ada.sealed(ada.edit(rid)), ada.erasing(rid), ada.sealed(ada.edit(rid)))
    assert [result["outcome"] for result in results] == ["ok", "ok", "erased"]
    assert ada.head() == 2


def test_an_edit_of_what_is_not_there_is_told_erased(ada: Device) -> None:
    assert ada.pushed(ada.sealed(ada.edit(parent=7)))[0]["outcome"] == "erased"


def test_no_record_is_taken_before_its_key_is_on_the_disk(service: Running, ada: Device) -> None:
    envelope, op_id = ada.sealed(), os.urandom(16)
    with pytest.MonkeyPatch.context() as away:
        for way in ("write", "glance"):
            away.setattr(service.service.stores.keys, way, _full)
        assert ada.push(envelope, op_ids=[op_id]).status_code == 503
    assert service.rows("records", "SELECT * FROM records") == [] and ada.head() == 0
    assert ada.pushed(envelope, op_ids=[op_id])[0]["outcome"] == "ok"
    assert envelope_of(ada.changes()["items"][0]) == envelope


def test_an_edit_destroys_the_key_of_what_it_replaces(service: Running, ada: Device) -> None:
    rid = os.urandom(16).hex()
    ada.pushed(ada.sealed(ada.edit(rid)))
    ada.pushed(ada.sealed(ada.edit(rid, parent=1)))
    rows = service.rows("keys", "SELECT rev FROM record_keys")
    assert [row.rev for row in rows] == [
        row.rev for row in service.rows("records", "SELECT rev FROM records")
    ]


def test_what_is_not_signed_by_the_calling_device_is_invalid(ada: Device, second: Device) -> None:
    results = second.pushed(ada.sealed(), second.sealed())
    assert [result["outcome"] for result in results] == ["invalid", "ok"]
    assert results[0]["reason"] == "device_id"


def test_a_space_of_another_generation_is_refused_as_a_whole(ada: Device) -> None:
    answer = ada.push(ada.sealed(), generation="0" * 32)
    assert answer.status_code == 409
    assert answer.json()["error"] == "generation_changed"
    assert answer.json()["generation"] == ada.generation


def test_too_much_at_once_is_refused_before_it_is_read(ada: Device) -> None:
    answer = ada.http.post(ada.path("/push"), content=b"x" * (5 * 2**20), headers=ada.headers)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
    assert ada.http.post(ada.path("/push"), content=b"[", headers=ada.headers).status_code == 400


def test_json_and_messagepack_say_the_same(ada: Device) -> None:
    ada.pushed(ada.sealed())
    answer = ada.get(ada.path("/changes"), generation=ada.generation)
    assert answer.headers["content-type"] == "application/json"
    from memory.sync import wire

    found = wire.from_json(httpx2.Response(200, json=answer.json()["items"][0]["env"]).content)
    assert found == envelope_of(ada.changes()["items"][0])


@pytest.mark.req("R074")
def test_beyond_the_quota_nothing_is_taken_and_nothing_deleted(service: Running, new_owner: NewOwner) -> None:
    object.__setattr__(service.service.settings, "account_records", 2)
    eve = new_owner("eve")
    results = eve.pushed(*(eve.sealed() for _ in range(3)))
    assert [result["outcome"] for result in results] == ["ok", "ok", "quota"]
    assert (results[2]["used"], results[2]["limit"]) == (2, 2)
    rid = open_sealed(envelope_of(eve.changes()["items"][0]), eve.held, eve.keys.sign.public_key()).header.rid
    assert eve.pushed(eve.erasing(rid), eve.sealed())[1]["outcome"] == "ok"


def test_first_pages_go_on_past_the_horizon_and_later_ones_are_told_to_compare(
    service: Running, ada: Device
) -> None:
    rids = [os.urandom(16).hex() for _ in range(6)]
    ada.pushed(*(ada.sealed(ada.edit(rid)) for rid in rids))
    ada.pushed(ada.erasing(rids[0]))
    service.clock.pass_days(181)
    from memory.sync.hosted import rounds

    service.run(rounds.trim_markers(service.service))
    assert ada.session().status_code == 200
    first = ada.changes(limit=2)
    assert (first["next"], first["more"], first["head"]) == (3, True, 7)
    refused = ada.get(ada.path("/changes"), generation=ada.generation, after=3)
    assert (refused.status_code, refused.json()["error"]) == (410, "resync_required")
    seqs, after = [2, 3], 3
    while len(seqs) < 5:
        page = ada.changes(after, limit=2, begun=first["head"])
        seqs += [item["seq"] for item in page["items"]]
        after = page["next"]
    assert (seqs, after) == ([2, 3, 4, 5, 6], 7)
    live = ada.get(ada.path("/live"), generation=ada.generation).json()
    assert (live["as_of"], len(live["items"]), live["more"]) == (7, 5, False)


def _full(*_who: object) -> NoReturn:
    raise OSError(errno.ENOSPC, "no space left on the disk of the keys")

"""A space's key is replaced after a device was revoked."""

import os

import pytest

from memory.sync import base64url
from memory.sync.envelope import open_sealed, rewrap
from memory.sync.space_keys import SpaceKeys
from tests.memory.sync.hosted.device import Device, envelope_of
from tests.memory.sync.hosted.running import Running


def _page(device: Device) -> dict[str, object]:
    found: dict[str, object] = device.get(device.path("/deks"), generation=device.generation).json()
    return found


def _progress(device: Device) -> dict[str, object]:
    found: dict[str, object] = device.get(device.path("/rotation"), generation=device.generation).json()
    return found


def test_keys_are_wrapped_anew_and_the_former_one_goes_when_none_needs_it(
    service: Running, ada: Device, second: Device
) -> None:
    rids = [os.urandom(16).hex() for _ in range(3)]
    ada.pushed(*(ada.sealed(ada.edit(rid)) for rid in rids))
    late = second.sealed()
    ada.append(ada.writer.revoke_device(ada.account(), second.keys.id, service.clock()))
    assert ada.open_epoch(head=2).json()["error"] == "head_moved"
    before = ada.key
    assert ada.open_epoch().status_code == 200
    assert _progress(ada) == {"epoch": 2, "rotating": True, "remaining": 3, "oldest_epoch": 1}
    # What this device sealed before it knew is taken while the rotation is open.
    assert second.push(late).status_code == 401
    items = {item["rid"]: item for item in _page(ada)["items"]}  # type: ignore[attr-defined]  # JSON
    assert set(items) == set(rids)
    envelopes = [envelope_of(item) for item in ada.changes()["items"]]
    new = [rewrap(each, SpaceKeys(ada.space_id, before), ada.key) for each in envelopes]
    deks = [
        {"rid": item["rid"], "rev": item["rev"], "dek": base64url.encode(wrapped.dek)}
        for item, wrapped in zip((items[rid] for rid in rids), new, strict=True)
    ]
    stale = [{**deks[0], "rev": "0" * 32}]
    first = ada.post(ada.path("/deks"), generation=ada.generation, deks=[*deks[:2], *stale]).json()
    assert first["outcomes"] == ["ok", "ok", "stale"]
    assert _progress(ada)["remaining"] == 1
    assert ada.post(ada.path("/deks"), generation=ada.generation, deks=deks[2:]).json()["outcomes"] == ["ok"]
    assert _progress(ada) == {"epoch": 2, "rotating": False, "remaining": 0, "oldest_epoch": 2}
    held = SpaceKeys(ada.space_id, ada.key)
    for item in ada.changes()["items"]:
        assert open_sealed(envelope_of(item), held, ada.keys.sign.public_key()).header.epoch == 1


def test_a_put_of_the_former_epoch_is_taken_only_while_the_rotation_is_open(ada: Device) -> None:
    ada.pushed(ada.sealed())
    former = [ada.sealed(), ada.sealed()]
    ada.open_epoch()
    assert ada.pushed(former[0])[0]["outcome"] == "ok"
    old = ada.changes()["items"]
    keys = SpaceKeys(ada.space_id, ada.space_keys[1])
    from memory.sync.header import Header

    deks = []
    for item in old:
        envelope = rewrap(envelope_of(item), keys, ada.key)
        header = Header.unpack(envelope.hdr)
        deks.append({"rid": header.rid, "rev": header.rev, "dek": base64url.encode(envelope.dek)})
    ada.post(ada.path("/deks"), generation=ada.generation, deks=deks)
    refused = ada.pushed(former[1])[0]
    assert (refused["outcome"], refused["epoch"]) == ("epoch_stale", 2)


def test_an_epoch_needs_a_wrap_for_everybody(ada: Device, second: Device) -> None:
    from memory.sync.space_keys import SpaceKey

    key = SpaceKey.new(ada.space_id, 2)
    assert ada.put_wraps(key, [(ada.keys.id, ada.keys.public.hpke)]).status_code == 200
    refused = ada.put(
        ada.path("/epoch"),
        generation=ada.generation,
        expected_head=0,
        entry=ada.writer.new_epoch(ada.account(), key, 0),
    )
    assert (refused.status_code, refused.json()["error"]) == (409, "wraps_missing")
    assert refused.json()["missing"] == sorted(["0" * 32, second.keys.id])
    stranger = ada.put_wraps(key, [("ab" * 16, ada.keys.public.hpke)])
    assert stranger.json()["error"] == "not_a_recipient"


@pytest.mark.req("R009")
def test_a_space_is_made_once_and_of_one_owner(ada: Device, second: Device) -> None:
    again = second.post("/v1/spaces", space_id=ada.space_id)
    assert (again.status_code, again.json()["generation"]) == (201, ada.generation)

"""Files between two devices that meet in a folder: the same pieces, each written by whoever has the file."""

from pathlib import Path
from typing import Any

import pytest

from memory.lifecycle.subjects import Subject
from memory.sync import folder_pieces, space, transfers
from memory.sync.folder_pieces import put_in_place
from tests.memory.sync.devices import Device, settle
from tests.memory.sync.filing import Filing, content_of


@pytest.fixture
def filings(devices: list[Device]) -> list[Filing]:
    """The files of both devices."""
    made = [Filing.at(device.do, device.database.path.parent) for device in devices]
    for device, filing in zip(devices, made, strict=True):
        device.blobs = filing.store
    return made


def pieces(device: Device) -> list[Path]:
    """Return the pieces that a device has put into the folder."""
    found = device.carrier._pieces
    return sorted(path for path in found.iterdir()) if found.is_dir() else []


def test_files_go_both_ways(devices: list[Device], filings: list[Filing]) -> None:
    sent = [filing.attach(content_of(2)) for filing in filings]
    settle(*devices)
    for file, here, there in zip(sent, filings, reversed(filings), strict=True):
        assert there.content(file.id) == here.content(file.id)
        assert (there.transfers(), here.transfers()) == ({}, {})
    assert [len(pieces(device)) for device in devices] == [2, 2]
    assert devices[0].state() == devices[1].state()


def test_pieces_lie_there_before_their_record(
    devices: list[Device], filings: list[Filing], monkeypatch: Any
) -> None:
    one, other = devices
    file = filings[0].attach(content_of(3))
    with monkeypatch.context() as pulled_out:
        written: list[Any] = []

        def second_time(parts: Any) -> None:
            written.append(parts)
            if len(written) == 2:
                raise OSError("the disk was pulled out")
            put_in_place(parts)

        pulled_out.setattr(folder_pieces, "put_in_place", second_time)
        with pytest.raises(OSError):
            one.sync()
    assert len([each for each in pieces(one) if not each.name.startswith(".")]) == 1
    other.sync()
    assert filings[1].files() == {}
    first = pieces(one)
    stamps = {path: path.stat().st_mtime_ns for path in first if not path.name.startswith(".")}
    settle(one, other)
    assert all(path.stat().st_mtime_ns == at for path, at in stamps.items())
    assert filings[1].content(file.id) == filings[0].content(file.id)
    assert not [each for each in pieces(one) if each.name.startswith(".")]


def test_a_piece_that_the_folder_brings_late_is_waited_for(
    devices: list[Device], filings: list[Filing]
) -> None:
    one, other = devices
    file = filings[0].attach(content_of(2))
    one.sync()
    late = pieces(one)[0]
    content = late.read_bytes()
    late.unlink()
    other.sync()
    assert other.do(transfers.moving).faults == {"lost": 1}
    late.write_bytes(content[:1000])  # the program that carries the folder writes in place
    other.sync()
    assert other.do(transfers.moving).faults == {"damaged": 1}
    late.write_bytes(content)
    settle(one, other)
    assert filings[1].content(file.id) == filings[0].content(file.id)


@pytest.mark.req("R041", "R045")
@pytest.mark.parametrize("by", [0, 1])
def test_erasing_removes_the_pieces_of_whoever_wrote_them(
    devices: list[Device], filings: list[Filing], by: int
) -> None:
    file, kept = filings[0].attach(content_of(2)), filings[0].attach(content_of(1))
    settle(*devices)
    assert len(pieces(devices[0])) == 3
    devices[by].erase(Subject("file", file.id))
    settle(*devices)
    assert [filing.files().keys() for filing in filings] == [{kept.id}, {kept.id}]
    assert len(pieces(devices[0])) == 1


def test_who_leaves_keeps_what_is_here_and_gets_the_rest_when_he_joins_again(
    devices: list[Device], filings: list[Filing]
) -> None:
    one, other = devices
    here = filings[0].attach(content_of(1))
    settle(one, other)
    coming = filings[0].attach(content_of(1))
    one.sync()
    held = pieces(one)
    for path in held:
        path.rename(path.with_suffix(".away"))
    other.sync()
    other.do(space.leave)
    left = filings[1].files()
    assert left[here.id].state == "pending" and left[coming.id].state == "failed"
    assert "join again" in left[coming.id].reason
    filings[1].sweep()
    for path in held:
        path.with_suffix(".away").rename(path)
    other.join()
    settle(one, other)
    assert filings[1].content(coming.id) == filings[0].content(coming.id)
    assert filings[1].files()[coming.id].state == "pending"
    assert one.state() == other.state()

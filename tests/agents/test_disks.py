"""A disk that fills up or is pulled out in the middle: one sentence, nothing half-done in sight, nothing lost."""

import random
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.lifecycle import going_back
from agents.lifecycle.bringing_in import bring_in
from agents.lifecycle.going_back import STEPS
from agents.office import Office
from memory import chats, integrity, notes
from memory.disk import flush_file
from memory.errors import StorageError
from memory.transfer.comparing import Choice
from memory.transfer.watching import Watch
from tests.memory.disks import Disk, disk_in
from tests.memory.transfer import foreign_archives

FILES, SIZE = 12, 300_000
MOMENTS = (0.0, 0.3, 0.7)
"""Shares of the work after which the disk goes."""

Offices = Callable[..., Awaitable[Office]]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk that this test alone uses."""
    with disk_in(tmp_path / "of its own") as made:
        yield made


async def furnish(office: Office) -> None:
    """Give the office a note and files that no packer makes smaller."""
    await office.notes.add("The quay is 6.4 m deep")
    conversation = await office.create_conversation(title="Sheets")
    chance = random.Random(5)
    for number in range(FILES):
        await office.attach(conversation.id, chance.randbytes(SIZE), f"sheet {number}.bin")


class At:
    """A progress that does something once, after a share of the work."""

    def __init__(self, share: float, happens: Callable[[], None]) -> None:
        self._share, self._happens = share, happens
        self.happened = False

    def __call__(self, done: int, total: int) -> None:
        if not self.happened and done >= self._share * total:
            self.happened = True
            self._happens()


async def failed(work: Awaitable[object]) -> bool:
    """Whether something was refused, in one line that names a fix and speaks no number of the system's."""
    try:
        await work
    except StorageError as error:
        said = str(error)
    else:
        return False
    assert "\n" not in said and "Errno" not in said
    assert any(fix in said for fix in ("free some space", "connect", "check", "choose another")), said
    return True


async def held(office: Office) -> list[str]:
    assert await office.database.read(integrity.check) == ()
    return sorted(note.text for note in await office.database.read(notes.notes))


@pytest.mark.parametrize("how", ["full", "pulled"])
@pytest.mark.parametrize("name", ["out.aofx", "out"])
async def test_an_export(disk: Disk, office: Office, how: str, name: str) -> None:
    await furnish(office)
    for share in MOMENTS:
        happens = At(share, disk.fill if how == "full" else disk.pull)
        assert await failed(office.transfers.export(disk.path / name, watch=Watch(happens)))
        assert happens.happened
        disk.free() if how == "full" else disk.plug_in()
        assert not (disk.path / name).exists()
    written = await office.transfers.export(disk.path / name)
    await office.transfers.verify(written.path)
    assert [path.name for path in disk.path.iterdir()] == [name]
    assert await held(office) == ["The quay is 6.4 m deep"]


@pytest.mark.parametrize("how", ["full", "pulled"])
async def test_a_backup(disk: Disk, office: Office, how: str) -> None:
    await furnish(office)
    await office.backups.choose_folder(disk.path / "backups")
    await office.backups.make()
    failures = 0
    for share in MOMENTS:
        happens = At(share, disk.fill if how == "full" else disk.pull)
        failures += await failed(office.backups.make(progress=happens))
        assert happens.happened and list(office.locations.backups.iterdir()) == []
        disk.free() if how == "full" else disk.plug_in()
        # What was made before, and what was whole when the disk went, is whole.
        known = await office.backups.all()
        assert len(known) == 2 + MOMENTS.index(share) - failures
        for one in known:
            await office.backups.check(one.id)
    assert failures >= 2
    await office.backups.make()
    files = {path.name for path in (disk.path / "backups").glob("Bureau*")}
    assert files == {Path(one.path).name for one in await office.backups.all()}
    assert await held(office) == ["The quay is 6.4 m deep"]


@pytest.mark.parametrize("how", ["full", "pulled"])
async def test_unpacking_a_backup(disk: Disk, offices: Offices, own_home: Path, how: str) -> None:
    """The office is on the disk that fills up, or its backup on the disk that goes."""
    if how == "full":
        (own_home / "office").symlink_to(disk.path)
    office = await offices()
    await furnish(office)
    if how == "pulled":
        await office.backups.choose_folder(disk.path)
    made = await office.backups.make()
    for share in MOMENTS:
        happens = At(share, disk.fill if how == "full" else disk.pull)
        assert await failed(office.backups.prepare_restore(made.id, progress=happens))
        assert happens.happened
        assert not office.locations.restoring.exists()
        disk.free() if how == "full" else disk.plug_in()
        assert await held(office) == ["The quay is 6.4 m deep"]
    await office.backups.prepare_restore(made.id)
    await office.close()
    office = await offices()
    assert office.went_back is not None and not office.went_back.failure
    assert await held(office) == ["The quay is 6.4 m deep"]


@pytest.mark.parametrize("step", STEPS[:-1])
async def test_the_exchange_for_a_backup(
    disk: Disk, offices: Offices, own_home: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    (own_home / "office").symlink_to(disk.path)
    office = await offices()
    await furnish(office)
    made = await office.backups.make()
    await office.notes.add("written later")
    await office.backups.prepare_restore(made.id)
    await office.close()
    original, shown = going_back.finish, "The quay is 6.4 m deep"
    with monkeypatch.context() as filling:
        filling.setattr(
            going_back,
            "finish",
            lambda *parts: original(*parts, step=lambda name: disk.fill() if name == step else None),
        )
        # Before the order is written nothing changes; after it the next opening carries the exchange through.
        await failed(_opened_and_closed(offices))
    disk.free()
    office = await offices()
    stayed = step in STEPS[: STEPS.index("ready")]
    assert await held(office) == ([shown, "written later"] if stayed else [shown])
    assert not office.locations.restoring.exists() and not office.locations.replaced.exists()
    await office.backups.prepare_restore(made.id)
    await office.close()
    office = await offices()
    assert await held(office) == [shown]


async def _opened_and_closed(offices: Offices) -> None:
    await (await offices()).close()


@pytest.mark.parametrize("how", ["full", "pulled"])
@pytest.mark.parametrize("kind", ["aofx", "folder", "chatgpt"])
async def test_an_import(disk: Disk, offices: Offices, own_home: Path, how: str, kind: str) -> None:
    """The office is on the disk that fills up, or the archive on the disk that goes."""
    archive = (own_home if how == "full" else disk.path) / ("in" if kind == "folder" else "in.zip")
    if kind == "chatgpt":
        flush_file(foreign_archives.zipped(archive, illustrated()))
    else:
        source = await offices("source")
        await furnish(source)
        await source.transfers.export(archive)
    if how == "full":
        (own_home / "office").symlink_to(disk.path)
    office = await offices()
    before = await everything(office)
    for share in MOMENTS:
        happens = At(share, disk.fill if how == "full" else disk.pull)
        if kind == "chatgpt":
            assert await failed(bring_in(office, archive, happens))
        else:
            assert await failed(office.transfers.bring_in(archive, Choice(), watch=Watch(happens)))
        assert happens.happened
        assert await office.database.read(chats.conversations) == ()
        disk.free() if how == "full" else disk.plug_in()
        await office.close()  # what a full disk did not let be taken away goes at the next start
        office = await offices()
        office.imports.start()
        await office.imports.settled()
        assert await everything(office) == before
    if kind == "chatgpt":
        await bring_in(office, archive)
    else:
        await office.transfers.bring_in(archive, Choice())
    assert await everything(office) != before


def illustrated() -> dict[str, Any]:
    """Return the members of an export of ChatGPT with a picture in each of its conversations."""
    chance, members, made = random.Random(6), {}, []
    for number in range(FILES):
        members[f"file_{number}.png"] = chance.randbytes(SIZE)
        picture = {"content_type": "image_asset_pointer", "asset_pointer": f"sediment://file_{number}"}
        shown = {"content_type": "multimodal_text", "parts": ["What is this?", picture]}
        nodes = [foreign_archives.node("q", None, "user", shown, 5.0)]
        identity = f"c-{number}"
        made.append(foreign_archives.chatgpt(nodes, "q", id=identity, conversation_id=identity))
    return {"conversations.json": made, **members}


async def everything(office: Office) -> tuple[dict[str, int], list[str]]:
    """Rows by table and the files; the trail of what was tried is no part of it."""
    from tests.memory.transfer.test_arriving import counts

    assert await office.database.read(integrity.check) == ()
    rows = {name: count for name, count in (await office.database.read(counts)).items() if name != "audit"}
    return rows, sorted(path.name for path in office.locations.blobs.iterdir())

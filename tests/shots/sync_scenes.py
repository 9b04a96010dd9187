"""The scenes of the Sync page."""

import os

from PySide6.QtWidgets import QPushButton

from agents.office import Office
from agents.sync_rounds import Pace, Standing
from desktop.pages.page import clear
from desktop.pages.sync.devices import Admission
from desktop.pages.sync.entering import SixWords
from desktop.pages.sync.page import SyncPage
from memory.errors import Refused
from memory.locations import Locations
from memory.sync.service.sign_in import Asked, Promises
from memory.sync.taking import Round
from tests.shots.camera import Camera, Scene
from vault.secret import Secret

PASSPHRASE = "correct horse battery"  # pragma: allowlist secret
_SIX = ("lantern", "orbit", "velvet", "harbor", "pencil", "mosaic")


def sync_empty_scenes() -> dict[str, Scene]:
    """Return the page of an office that never synced, step by step."""
    return {
        "sync-off": _off,
        "sync-off-service": _service,
        "sync-off-refused": _refused,
        "sync-key": _key,
        "sync-join": _join,
        "sync-promises": _promises,
        "sync-code": _code,
    }


def sync_scenes() -> dict[str, Scene]:
    """Return the scenes of an office that syncs in their order; each leaves what the next ones show."""
    return {
        "sync-working": _working,
        "sync-on": _on,
        "sync-conflicts": _conflicts,
        "sync-asks": _asks,
        "sync-error": _error,
        "sync-paused": _paused,
        "sync-six-words": _six,
        "sync-leave": _leave,
    }


async def _page(camera: Camera) -> SyncPage:
    await camera.opened()
    page = await camera.page("sync")
    assert isinstance(page, SyncPage)
    await camera.settle(0.3)
    return page


async def _off(camera: Camera) -> None:
    await _page(camera)


async def _service(camera: Camera) -> None:
    page = await _page(camera)
    page.beginning.by_service.setChecked(True)
    page.beginning.address.setText("https://sync.example.org")


async def _refused(camera: Camera) -> None:
    page = await _page(camera)
    page.beginning.show_choice()
    page.beginning.folder.setText("/media/stick/bureau")
    page.beginning.go_on.click()
    await camera.until(page.beginning.fault.isVisible, "the refusal")
    page.beginning.go_on.setFocus()
    page._states.currentWidget().ensureWidgetVisible(page.beginning.go_on)


async def _key(camera: Camera) -> None:
    page = await _page(camera)
    page.beginning._show_key(lambda _key, _space: camera.settle())


async def _join(camera: Camera) -> None:
    page = await _page(camera)
    page.beginning._show_words(
        "Another device uses this folder already. Its recovery key lets this one join.",
        lambda _key, _space: camera.settle(),
    )
    page.beginning.go_on.click()


async def _promises(camera: Camera) -> None:
    page = await _page(camera)
    said = Promises(
        "sync.example.org", "Nuremberg, Germany", "https://sync.example.org/privacy", "2026-11-01", 14, 60
    )
    page.beginning._show_promises(said, "https://sync.example.org", "owner@example.org")


async def _code(camera: Camera) -> None:
    page = await _page(camera)
    page.beginning._show_code(Asked("https://sync.example.org", "owner@example.org", bytes(32)))


async def _working(camera: Camera) -> None:
    office, shared = camera.office, camera.folder / "shared"
    shared.mkdir()
    office.sync_rounds.pace = Pace(rest=3600.0, look=3600.0, edits=3600.0)
    key = os.urandom(32)
    await office.syncing.found(shared, key)
    other = await Office.open(Locations.find(camera.folder / "other"), passphrase=Secret(PASSPHRASE))
    await other.syncing.join(shared, key)
    for each in (office, other, office):
        await each.syncing.now()
    for each, words in (
        (office, "Write short letters, one thought to a paragraph.\nEnd them with “Yours”."),
        (other, "Write letters as long as they need to be; ask before you leave anything out."),
    ):
        writer = next(agent for agent in await each.roster.all() if agent.name == "Writer")
        await each.roster.change(writer.id, instructions=words)
    await other.syncing.now()
    await other.close()
    page = await _page(camera)
    office.sync_rounds.standing = Standing("working")
    await page._load()


async def _on(camera: Camera) -> None:
    camera.office.sync_rounds.standing = Standing("waiting", 1_795_000_000_000, Round(pulled=3))
    await _page(camera)


async def _conflicts(camera: Camera) -> None:
    await camera.office.sync_rounds.now()
    page = await _page(camera)
    assert page.conflicts.isVisible()


async def _asks(camera: Camera) -> None:
    page = await _page(camera)
    page.conflicts.show_conflicts(())
    done = Round(asks=214, missing=12, generation="0f" * 16, far_ahead=True)
    page.asks.show_round(done)


async def _error(camera: Camera) -> None:
    shared = camera.folder / "shared"
    shared.rename(camera.folder / "not there")
    await camera.contents.chat.session.office.notes.add("Depths are at low water.")
    try:
        await camera.office.sync_rounds.now()
    except Refused:
        page = await _page(camera)
        page.conflicts.show_conflicts(())
        page.asks.show_round(None)


async def _paused(camera: Camera) -> None:
    (camera.folder / "not there").rename(camera.folder / "shared")
    await camera.office.syncing.switch(enabled=False)
    page = await _page(camera)
    page.conflicts.show_conflicts(())


async def _six(camera: Camera) -> None:
    page = await _page(camera)
    admission = Admission(camera.contents.chat.session)
    admission._timer.stop()
    admission.says.setText("Compare them with the new device.")
    admission.column.insertWidget(2, SixWords(_SIX))
    admission.give_up.hide()
    page.devices._admission.addWidget(admission)
    page.recovery.show()
    page.holdings.show()
    page.holdings.deletion.show()
    await camera.settle(0.3)
    page._states.currentWidget().ensureWidgetVisible(page.leaving)


async def _leave(camera: Camera) -> None:
    page = await _page(camera)
    clear(page.devices._admission)
    page.leaving.leave.click()
    await camera.settle(0.3)
    stay = next(each for each in page.leaving.findChildren(QPushButton) if each.text() == "Stay")
    page._states.currentWidget().ensureWidgetVisible(stay)

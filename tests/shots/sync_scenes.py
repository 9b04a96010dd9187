"""The scenes of the Sync page."""

import contextlib
import os
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.office import Office
from agents.sync_rounds import Pace, Standing
from desktop.pages.sync.devices import Admission, _Row
from desktop.pages.sync.entering import SixWords
from desktop.pages.sync.page import SyncPage
from memory.errors import Refused
from memory.identifiers import now
from memory.locations import Locations
from memory.sync import aside
from memory.sync.device_names import DeviceName
from memory.sync.listing import Listed
from memory.sync.outbox import Waiting
from memory.sync.service.faults import ServiceRefused
from memory.sync.service.membership import SeveralOffices
from memory.sync.service.profile import Summary
from memory.sync.service.seen import SessionSeen
from memory.sync.service.sign_in import Asked, Promises
from memory.sync.service.spaces import Space
from memory.sync.taking import Round
from memory.tables import SyncRecordTable
from resources.language import gettext
from tests.shots import PASSPHRASE
from tests.shots.camera import Camera, Scene
from tests.shots.files_scenes import files_scenes
from vault.secret import Secret

_SPACES = (("4be19a07", 1_204), ("d0237c55", 86))
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
        "sync-offices": _offices,
    }


def sync_scenes() -> dict[str, Scene]:
    """Return the scenes of an office that syncs in their order; each sets up what it shows."""
    return {
        "sync-working": _working,
        "sync-on": _on,
        "sync-conflicts": _conflicts,
        "sync-set-aside": _set_aside,
        "sync-let-go": _let_go,
        "sync-apart": _apart,
        "sync-asks": _asks,
        "sync-error": _error,
        "sync-paused": _paused,
        "sync-six-words": _six,
        "sync-devices": _devices,
        "sync-account": _account,
        "sync-address": _address,
        "sync-holdings": _holdings,
        "sync-leave": _leave,
        **files_scenes(_at_rest),
    }


async def _page(camera: Camera) -> SyncPage:
    """Show the page anew, as it stands when nothing has been done on it."""
    await camera.opened()
    camera.forget("sync")
    page = await camera.page("sync")
    assert isinstance(page, SyncPage)
    await camera.still()
    return page


async def _at_rest(camera: Camera) -> SyncPage:
    """Show the page of an office that syncs with another one in a folder, and has nothing to decide."""
    await camera.opened()
    office, shared = camera.office, camera.folder / "shared"
    if (camera.folder / "not there").exists():
        (camera.folder / "not there").rename(shared)
    if await office.syncing.here() is None:
        await _meet(camera)
    if not (await office.syncing.joined()).enabled:
        await office.syncing.switch(enabled=True)
    for one in await office.sync_decisions.conflicts():
        await office.sync_decisions.dismiss(one.id)
    if await office.sync_decisions.set_aside():
        await office.sync_decisions.bring_back()
    await office.sync_rounds.now()
    office.sync_rounds.standing = Standing("waiting", 1_795_000_000_000, Round(pulled=3))
    return await _page(camera)


async def _meet(camera: Camera) -> None:
    """Let the office meet another one; no round is done by itself from then on."""
    office, shared = camera.office, camera.folder / "shared"
    shared.mkdir()
    office.sync_rounds.pace = Pace(rest=3600.0, look=3600.0, edits=3600.0)
    key = os.urandom(32)
    await office.syncing.found(shared, key)
    other = await _other(camera)
    await other.syncing.join(shared, key)
    for each in (office, other, office):
        await each.syncing.now()
    await other.close()


async def _other(camera: Camera) -> Office:
    return await Office.open(Locations.find(camera.folder / "other"), passphrase=Secret(PASSPHRASE))


async def _instruct(office: Office, words: str) -> None:
    writer = next(agent for agent in await office.roster.all() if agent.name == "Writer")
    await office.roster.change(writer.id, instructions=words)


def _alone(page: SyncPage, *shown: QWidget | None) -> None:
    """Let these cards alone be seen, so that a narrow window shows them whole."""
    for each in page.on.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
        each.setVisible(each in shown)


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
    camera.in_sight = page.beginning.go_on


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


async def _offices(camera: Camera) -> None:
    page = await _page(camera)
    there = [Space(f"{part}{'0' * 24}", "", 0, 1, False, count, "active") for part, count in _SPACES]

    async def enter(_key: bytes, _space: str | None) -> None:
        raise SeveralOffices(there)

    await page.beginning._enter(bytes(32), enter)


async def _working(camera: Camera) -> None:
    page = await _at_rest(camera)
    await _instruct(camera.office, "Write letters as they are asked for.")
    camera.office.sync_rounds.standing = Standing("working")
    await page._load()


async def _on(camera: Camera) -> None:
    await _at_rest(camera)


async def _conflicts(camera: Camera) -> None:
    await _at_rest(camera)
    other = await _other(camera)
    await other.syncing.now()
    await _instruct(camera.office, "Write short letters, one thought to a paragraph.\nEnd them with “Yours”.")
    await _instruct(other, "Write letters as long as they need to be; ask before you leave anything out.")
    await other.syncing.now()
    await other.close()
    await camera.office.sync_rounds.now()
    page = await _page(camera)
    assert page.conflicts.isVisible()


async def _set_aside(camera: Camera) -> None:
    await _missing(camera)


async def _missing(camera: Camera) -> SyncPage:
    """Show what went missing elsewhere, for three different reasons."""
    await _at_rest(camera)
    office = camera.office
    said = (
        "Depths are at low water, the lights as of last spring.",
        "# The keeper's name is Ingrid\nShe answers on Sundays.",
        "Bring the long lens.",
    )
    ids = [(await office.notes.add(each)).id for each in said]
    await office.sync_rounds.now()

    def remove(session: Session) -> None:
        for number, local_id in enumerate(ids):
            known = session.scalars(select(SyncRecordTable).where(SyncRecordTable.local_id == local_id)).one()
            aside.remove(session, known, now(), (aside.ABSENT, aside.VERDICT, "9" * 32)[number])

    await office.database.write(remove)
    page = await _page(camera)
    assert page.set_aside.isVisible()
    return page


async def _let_go(camera: Camera) -> None:
    page = await _missing(camera)
    page.set_aside._ask(None, "")
    _alone(page, page.set_aside)
    camera.in_sight = page.set_aside.sure


async def _apart(camera: Camera) -> None:
    page = await _at_rest(camera)
    at = Waiting(0, 0, held=1, too_long=1, erasing=0, opaque=1, kept=1)
    status = await camera.office.syncing.status()
    page.standing.show_state(replace(status, waiting=at), camera.office.sync_rounds.standing)
    page.standing.show_apart(
        [
            Listed("0", "note", "The keeper's name is Ingrid", "kept"),
            Listed("1", "message", "Here is the whole pilot book, chapter by chapter", "too_long"),
            Listed("2", "message", "And the second answer", "held"),
            Listed("3", "contact", "", "opaque"),
        ]
    )
    page.standing.see.setChecked(True)


async def _asks(camera: Camera) -> None:
    page = await _at_rest(camera)
    done = Round(asks=214, missing=12, generation="0f" * 16, far_ahead=True)
    page.asks.show_round(done)


async def _error(camera: Camera) -> None:
    await _at_rest(camera)
    (camera.folder / "shared").rename(camera.folder / "not there")
    await camera.office.notes.add("Depths are at low water.")
    with contextlib.suppress(Refused):
        await camera.office.sync_rounds.now()
    await _page(camera)


async def _paused(camera: Camera) -> None:
    await _at_rest(camera)
    await camera.office.syncing.switch(enabled=False)
    await _page(camera)


async def _six(camera: Camera) -> None:
    page = await _at_rest(camera)
    admission = Admission(camera.contents.chat.session)
    admission._timer.stop()
    admission.says.setText(gettext("Compare them with the new device."))
    admission.column.insertWidget(2, SixWords(_SIX))
    admission.give_up.hide()
    page.devices._admission.addWidget(admission)
    page.recovery.show()
    page.account.show()
    page.holdings.show()
    page.holdings.deletion.show()
    camera.in_sight = page.leaving


async def _devices(camera: Camera) -> None:
    page = await _at_rest(camera)
    devices, here = page.devices, await camera.office.syncing.joined()
    devices._here = replace(here, place="https://sync.example.org")
    ids = (here.device_id, "4f" * 16, "8a" * 16, "c3" * 16)
    devices._listed = tuple(_Row(each, each != ids[3], 20_784) for each in ids)
    devices._names = {
        ids[0]: DeviceName(ids[0], "Desk in the study", "linux"),
        ids[1]: DeviceName(ids[1], "", "macos"),
        ids[2]: DeviceName(ids[2], "Boat", "windows"),
    }
    devices._naming = ids[1]
    devices._show()
    devices._ask_for_others()
    devices.let_in.show()
    _alone(page, devices, page.recovery)


async def _account(camera: Camera) -> None:
    page = await _at_rest(camera)
    card, here = page.account, await camera.office.syncing.joined()
    card.show_names({here.device_id: DeviceName(here.device_id, "Desk in the study", "linux")})
    card._show_frozen(True)
    card._show_room(Summary("frozen", 12_400_000, 2**30, 1_204, 100_000))
    found = (
        SessionSeen("1", here.device_id, 1_795_000_000_000, True),
        SessionSeen("2", "4f" * 16, 1_794_900_000_000, False),
        SessionSeen("3", "", 1_794_990_000_000, False),
    )
    card.sessions.show_all(found, lambda: [*map(card._line, found), *card._end(found)])
    _alone(page, card)


async def _address(camera: Camera) -> None:
    page = await _at_rest(camera)
    card = page.account
    card._begin_address()
    card.email.setText("owner@example.com")
    card._wait_for_code(Asked("https://sync.example.org", "owner@example.com", bytes(32)))
    card.fault.setText(str(ServiceRefused("code_refused", "")))
    card.fault.show()
    _alone(page, card, page.leaving)


async def _holdings(camera: Camera) -> None:
    page = await _at_rest(camera)
    card = page.holdings
    card.show_deletion(1_795_000_000_000)
    card._show_link("https://sync.example.org/x/7b1e0c54a9d2")
    card._say(gettext("There is no receipt: the service has deleted nothing of yours."))
    card.fault.setText(str(ServiceRefused("code_refused", "")))
    card.fault.show()
    card.deletes.click()
    _alone(page, card)


async def _leave(camera: Camera) -> None:
    page = await _at_rest(camera)
    _alone(page, page.standing, page.choices.parentWidget(), page.devices, page.leaving)
    page.leaving.leave.click()
    camera.in_sight = page.leaving.stay

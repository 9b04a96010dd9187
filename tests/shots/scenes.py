"""The scenes: what is done in the window, then photographed."""

import asyncio
from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QScrollArea, QWidget

from desktop.pages.first_minute import Welcome
from desktop.pages.gates import Gate, NewPassphraseGate, RecoveryGate, TroubleGate, Way
from desktop.pages.keys import KeysPage
from desktop.pages.memory import MemoryPage
from desktop.pages.qr_code import QrCode
from desktop.pages.settings import SettingsPage
from desktop.pages.team import TeamPage
from desktop.pages.usage import UsagePage
from tests.shots.camera import Camera, Scene, press
from tests.shots.lock_scenes import lock_scenes
from tests.shots.privacy_scenes import privacy_empty_scenes, privacy_scenes
from tests.shots.sync_scenes import sync_empty_scenes, sync_scenes
from tests.shots.trouble_scenes import trouble_scenes
from vault.errors import KeyringAbsent, KeysMissing


def scenes(part: str) -> dict[str, Scene]:
    """Return the scenes of a part in their order."""
    wanted = {"locked": _locked, "first": _first, "full": _full}[part]()
    if part != "full":
        return wanted

    def opened(act: Scene) -> Scene:
        async def first(camera: Camera) -> None:
            await camera.opened()
            await act(camera)

        return first

    return {name: opened(act) for name, act in wanted.items()}


def _locked() -> dict[str, Scene]:
    async def wrong(camera: Camera) -> None:
        gate = await camera.gate(Gate)
        gate.show_fault("The passphrase does not open this office; try again, or use the recovery key.")

    async def unlock(camera: Camera) -> None:
        await camera.gate(Gate)

    def instead(gate: Callable[[], Gate]) -> Scene:
        async def show(camera: Camera) -> None:
            camera.lifecycle.window.show_gate(gate())

        return show

    return {
        "gate-unlock": unlock,
        "gate-unlock-wrong": wrong,
        "gate-recovery": instead(lambda: RecoveryGate(with_passphrase=True)),
        "gate-new-passphrase": instead(lambda: NewPassphraseGate(str(KeyringAbsent()))),
        "gate-trouble": instead(
            lambda: TroubleGate(
                str(KeysMissing("GNOME Keyring", recoverable=True)),
                [Way("Use the recovery key", "recover"), Way("Try again", "again")],
            )
        ),
    }


def _first() -> dict[str, Scene]:
    async def welcome(camera: Camera) -> None:
        await camera.opened()

    async def unknown_key(camera: Camera) -> None:
        form = _welcome(camera).form
        form.key.setText("some-key-that-no-prefix-names")
        press(form, "Save and check")

    async def starters(camera: Camera) -> None:
        press(_welcome(camera), "Start without a key")

    async def recovery(camera: Camera) -> None:
        press(_welcome(camera), "Make a recovery key")
        await camera.settle(0.5)
        press(_welcome(camera), "QR code")
        await camera.settle(0.2)
        _scroll_to(_welcome(camera).findChildren(QrCode)[0])

    def page(name: str) -> Scene:
        async def show(camera: Camera) -> None:
            await camera.page(name)

        return show

    empty = {f"{name}-empty": page(name) for name in ("memory", "outbox", "usage", "keys")}
    return {
        "first-minute": welcome,
        "first-minute-choose-provider": unknown_key,
        "first-minute-starters": starters,
        "first-minute-recovery-key": recovery,
        **empty,
        **privacy_empty_scenes(),
        **sync_empty_scenes(),
    }


def _scroll_to(widget: QWidget) -> None:
    above: QObject | None = widget
    while not isinstance(above, QScrollArea):
        assert above is not None
        above = above.parent()
    above.ensureWidgetVisible(widget)


def _welcome(camera: Camera) -> Welcome:
    found = camera.lifecycle.window.findChild(Welcome)
    assert found is not None
    return found


def _full() -> dict[str, Scene]:
    def chat(title: str) -> Scene:
        async def show(camera: Camera) -> None:
            await camera.chat(title)

        return show

    return {
        "chat": chat("Harbour"),
        "chat-code": chat("Invoices"),
        "chat-error": chat("Letter"),
        "chat-long-name": chat("so long"),
        "chat-right-to-left": chat("ה"),
        "chat-streaming": _streaming,
        "chat-new": _new,
        "list-search": _search,
        "list-nothing": _search_nothing,
        "palette": _palette,
        "sheet": _sheet,
        "team": _team,
        "team-editor": _editor,
        "keys": _keys,
        "keys-add": _add_key,
        "memory": _memory,
        "memory-inbox": _inbox,
        "memory-tester": _tester,
        "outbox": _outbox,
        "usage": _usage,
        "usage-by-model": _usage_by_model,
        "settings": _settings,
        "settings-search": _settings_search,
        "notice": _notice,
        **trouble_scenes(),
        **privacy_scenes(),
        **sync_scenes(),
        **lock_scenes(),
    }


async def _streaming(camera: Camera) -> None:
    office = camera.contents.chat.session.office
    conversation = await office.create_conversation(title="Slow words")
    await office.send(conversation.id, "@Lead @Writer say this slowly")
    await camera.contents.chat._open(conversation.id, "")
    for _try in range(400):
        feed = camera.contents.chat.feed
        rows = feed.model.rowCount() if feed is not None else 0
        if (
            feed is not None
            and rows > 1
            and all(len(feed.model.text(m.id)) > 90 for m in feed.model.row(1).messages)
        ):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("no answer streams")


async def _new(camera: Camera) -> None:
    office = camera.contents.chat.session.office
    for run_id in office.runs.active:
        await office.stop(run_id)
    await camera.contents.chat._begin_new()


async def _search(camera: Camera) -> None:
    camera.contents.area.show_list()
    camera.contents.area.list.search.setText("low water")
    await camera.settle(0.6)


async def _search_nothing(camera: Camera) -> None:
    camera.contents.area.list.search.setText("zeppelin")
    await camera.settle(0.6)


async def _palette(camera: Camera) -> None:
    camera.contents.area.list.search.clear()
    camera.contents.area.show_list(False)
    camera.contents.open_palette()
    await camera.settle(0.4)
    camera.contents.palette.field.setText("a")


async def _sheet(camera: Camera) -> None:
    camera.contents.palette.leave()
    camera.contents.sheet.toggle()


async def _team(camera: Camera) -> None:
    camera.contents.sheet.leave()
    await camera.page("team")


async def _editor(camera: Camera) -> None:
    page = await camera.page("team")
    assert isinstance(page, TeamPage)
    page.edit(page.cards[1].agent)
    await camera.settle(0.4)


async def _keys(camera: Camera) -> None:
    page = await camera.page("keys")
    assert isinstance(page, KeysPage)
    card = next(iter(page.cards.values()))
    await card._follow(camera.contents.chat.session.office.connections.check(card._connection.id))
    await camera.settle(0.5)


async def _add_key(camera: Camera) -> None:
    page = await camera.page("keys")
    assert isinstance(page, KeysPage)
    page.show_form()
    page.form.provider.setCurrentIndex(page.form.provider.findData("compatible"))


async def _memory(camera: Camera) -> None:
    await camera.page("memory")


async def _inbox(camera: Camera) -> None:
    page = await camera.page("memory")
    assert isinstance(page, MemoryPage)
    page.tabs.setCurrentIndex(1)
    await camera.settle(0.4)


async def _tester(camera: Camera) -> None:
    page = await camera.page("memory")
    assert isinstance(page, MemoryPage)
    page.show_tester("how deep is the water by the crane")
    await camera.settle(1.0)


async def _outbox(camera: Camera) -> None:
    await camera.page("outbox")


async def _usage(camera: Camera) -> None:
    await camera.page("usage")
    await camera.settle(0.5)


async def _usage_by_model(camera: Camera) -> None:
    page = await camera.page("usage")
    assert isinstance(page, UsagePage)
    page.tabs.setCurrentIndex(2)
    await camera.settle(0.4)


async def _settings(camera: Camera) -> None:
    await camera.page("settings")


async def _settings_search(camera: Camera) -> None:
    page = await camera.page("settings")
    assert isinstance(page, SettingsPage)
    page.search.setText("cap")


async def _notice(camera: Camera) -> None:
    page = await camera.page("settings")
    assert isinstance(page, SettingsPage)
    page.search.clear()
    session = camera.contents.chat.session
    session.notify("“Bread, third try” is in the trash.", label="Undo", act=lambda: None)
    session.fail("The provider Anthropic does not accept the key “work”: paste a new one on the Keys page.")

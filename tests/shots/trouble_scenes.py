"""The scenes of what goes wrong, of files and of pictures."""

import errno
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QWidget

from agents.events import AttachmentChanged, OfficePaused, OfficeResumed
from desktop.chats.page import ChatPage
from desktop.pages.keys import KeysPage
from desktop.pages.memory import MemoryPage
from memory import notes
from memory.disk import told_by_system
from memory.lifecycle.marked import marked
from memory.lifecycle.subjects import Subject
from tests.shots.camera import Camera, Scene


def trouble_scenes() -> dict[str, Scene]:
    """Return the scenes in their order; they need the office that ``tests.shots.seed`` fills."""
    return {
        "chat-source": _source,
        "chat-pictures": _chat("Photographs"),
        "chat-picture-opened": _picture,
        "chat-draft-files": _draft_files,
        "chat-drop": _drop,
        "chat-disk-full": _disk_full,
        "chat-no-credit": _chat("No credit"),
        "chat-cut-off": _chat("Cut off"),
        "chat-offline": _chat("Offline"),
        "chat-cap-reached": _chat("Cap reached"),
        "chat-interrupted": _chat("Interrupted"),
        "chat-models": _models,
        "chat-restricted-parts": _restricted_parts,
        "chat-restricted": _restricted,
        "memory-restricted": _restricted_note,
        "chat-paused": _paused,
        "keys-out-of-reach": _keys,
        "memory-recall-down": _recall_down,
    }


def _chat(title: str) -> Scene:
    async def show(camera: Camera) -> None:
        camera.contents.area.hide_source()
        await camera.chat(title)

    return show


async def _restricted_parts(camera: Camera) -> None:
    page = await camera.chat("Harbour")
    rows = page.view.model()
    assert rows is not None
    restrict = camera.office.keeping.restrict
    await restrict(Subject("message", rows.row(1).messages[0].id), restricted=True)
    await restrict(Subject("file", rows.row(0).messages[0].attachments[0].id), restricted=True)


async def _lift(camera: Camera) -> None:
    for one in await camera.office.database.read(marked):
        await camera.office.keeping.restrict(one.subject, restricted=False)


async def _restricted(camera: Camera) -> None:
    await _lift(camera)
    page = await camera.chat("Invoices")
    await camera.office.keeping.restrict(Subject("conversation", page.conversation_id), restricted=True)


async def _restricted_note(camera: Camera) -> None:
    note = (await camera.office.database.read(notes.notes))[0]
    await camera.office.keeping.restrict(Subject("note", note.id), restricted=True)
    page = await camera.page("memory")
    assert isinstance(page, MemoryPage)
    page.tabs.setCurrentIndex(0)
    await page._load()


async def _paused(camera: Camera) -> None:
    await _lift(camera)
    page = await camera.chat("Invoices")
    page.composer.set_text("Which of them are open?")
    camera.office.events.publish(
        OfficePaused("The database is being encrypted anew; everything goes on in a moment.")
    )


async def _source(camera: Camera) -> None:
    page = await camera.chat("Harbour")
    rows = page.view.model()
    assert rows is not None
    message = next(each for each in rows.row(1).messages if each.citations)
    page.view.citation_activated.emit(message.id, 0)
    await camera.until(page.sources.pane.text.isVisible, "the cited page")


async def _picture(camera: Camera) -> None:
    page = await camera.chat("Photographs")
    rows = page.view.model()
    assert rows is not None
    page.sources.open_file(rows.row(0).messages[0].attachments[0].id)
    await camera.until(page.sources.pane.picture.isVisible, "the picture")


async def _draft_files(camera: Camera) -> None:
    page = await _half_a_thought(camera)
    files = list(page.composing._files.values())
    reading = next(file for file in files if file.name == "survey-1907.pdf")
    camera.office.events.publish(AttachmentChanged(replace(reading, state="reading", pages=None)))


async def _half_a_thought(camera: Camera) -> ChatPage:
    camera.contents.area.hide_source()
    page = await camera.chat("Half a thought")
    await camera.until(lambda: len(page.composing._files) == 4, "the files of the draft")
    return page


async def _drop(camera: Camera) -> None:
    camera.contents.area._drop_hint.setGeometry(camera.contents.area.rect())
    camera.contents.area._drop_hint.show()
    camera.contents.area._drop_hint.raise_()


async def _disk_full(camera: Camera) -> None:
    camera.contents.area._drop_hint.hide()
    page = await camera.chat("Half a thought")
    explained = told_by_system(OSError(errno.ENOSPC, "full"), Path())
    page.composing.refused.emit(str(explained))


async def _models(camera: Camera) -> None:
    page = await camera.chat("Trip")
    page.composer.model.open_menu()
    menu: QWidget | None = page.composer.model.menu
    assert menu is not None
    camera.overlay = menu


async def _keys(camera: Camera) -> None:
    camera.office.events.publish(OfficeResumed())
    page = await camera.page("keys")
    assert isinstance(page, KeysPage)
    for identifier, card in list(page.cards.items()):
        if card._connection.label.startswith("The server"):
            await card._follow(camera.office.connections.check(identifier))
            await camera.settle()
            await camera.still()
            camera.in_sight = page.cards[identifier]  # made anew once it was checked


async def _recall_down(camera: Camera) -> None:
    camera.office.recall.keeper.state = "down"  # a killed process is back within a second
    page = await camera.page("memory")
    assert isinstance(page, MemoryPage)
    page.show_tester("how deep is the water by the crane")

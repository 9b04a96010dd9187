"""Where the app lock has a passphrase, the window asks for it again before it exports or erases."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from desktop.pages.privacy.asking import EraseQuestion, ask_to_erase
from desktop.pages.privacy.erase import ErasePart
from desktop.pages.privacy.everything import EverythingCard
from desktop.pages.privacy.exporting import ExportPart
from memory.errors import NotFound
from memory.lifecycle.subjects import Subject
from tests.desktop.conftest import PASSPHRASE
from tests.desktop.waiting import until


def forget_who_is_there(session) -> None:
    session.office.app_lock._given_at = None


async def shown(session, kind):
    part = kind(session)
    session.window.add_page("privacy", part)
    session.window.show_page("privacy")
    await part._load()
    return part


@pytest.mark.req("R012")
async def test_erasing_waits_for_the_right_passphrase(session):
    note = await session.notebook.add("The crane is red")
    forget_who_is_there(session)
    question = await ask_to_erase(session, (Subject("note", note.id),), "The crane")
    assert isinstance(question, EraseQuestion) and question.owner.isHidden()
    QTest.mouseClick(question.erase, Qt.MouseButton.LeftButton)
    await until(question.owner.field.hasFocus)
    QTest.keyClicks(question.owner.field, "wrong horse")
    QTest.keyClick(question.owner.field, Qt.Key.Key_Return)
    await until(question.owner.fault.isVisible)
    assert question.erase.isEnabled()
    assert (await session.office.database.read(_note, note.id)).text == "The crane is red"
    QTest.keyClicks(question.owner.field, PASSPHRASE)
    QTest.mouseClick(question.erase, Qt.MouseButton.LeftButton)
    await until(lambda: not session.window.findChildren(EraseQuestion), "the question is answered")
    with pytest.raises(NotFound):
        await session.office.database.read(_note, note.id)
    assert not await session.office.app_lock.asks()


def _note(database_session, identifier):
    from memory import notes

    return notes.note(database_session, identifier)


@pytest.mark.req("R012")
async def test_an_export_is_not_offered_a_place_before_the_passphrase(session):
    part = await shown(session, ExportPart)
    forget_who_is_there(session)
    QTest.mouseClick(part.begin, Qt.MouseButton.LeftButton)
    await until(part.owner.isVisible)
    assert part.findChildren(QFileDialog) == []
    QTest.keyClicks(part.owner.field, PASSPHRASE)
    QTest.keyClick(part.owner.field, Qt.Key.Key_Return)
    await until(lambda: part.findChildren(QFileDialog), "the question for the place")
    assert part.owner.isHidden() and part.owner.field.text() == ""
    part.findChildren(QFileDialog)[0].close()


@pytest.mark.req("R012")
async def test_the_office_is_not_erased_without_the_passphrase(session):
    part = await shown(session, ErasePart)
    forget_who_is_there(session)
    (card,) = part.findChildren(EverythingCard)
    card.field.setText(card.phrase)
    card.erase.click()
    await until(card.owner.isVisible)
    assert session.office.locations.database.exists() and card.erase.isEnabled()

"""From a citation to the place it names: page, sheet, slide or line, and pictures among the files."""

import re

import pytest
from PySide6.QtCore import QBuffer, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDropEvent, QImage, QPageSize, QPdfWriter, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from agents.files import readable_of
from desktop.chats.page import ChatPage
from desktop.chats.picturing import decoded
from desktop.chats.source_text import find, leaves
from desktop.theme.appearance import look
from desktop.transcript.citing import with_chips, without_chips
from desktop.transcript.embedding import with_pictures, without_pictures
from desktop.transcript.message_menu import as_plain_text
from desktop.transcript.pictures import chip
from desktop.transcript.rows import Attachment, Citation
from desktop.transcript.segments import split
from desktop.widgets.chip import Chip
from desktop.widgets.picture_chip import PictureChip
from memory.lifecycle.subjects import Subject
from memory.readers.document import Document, Place, Section
from memory.readers.recognition import Format
from tests.desktop.waiting import until


def document(*sections: Section) -> Document:
    return Document(Format.TEXT, "text/plain", "", sections)


def read(*sections: Section):
    return leaves(readable_of(document(*sections)))


def test_sections_of_one_page_are_one_leaf_and_the_quotation_is_found_on_its_page():
    found = read(
        Section(Place(page=1), "", "Depths are given\nat low water."),
        Section(Place(page=2), "", "First."),
        Section(Place(page=2), "", "Depths are given at   low water."),
    )
    assert [leaf.label for leaf in found] == ["p. 1", "p. 2"]
    at = find(found, {"page": 2, "quote": "Depths are given at low water."})
    assert (at.leaf, found[1].text[at.start : at.end]) == (1, "Depths are given at   low water.")
    wrong_page = find(found, {"page": 9, "quote": "depths are given at low water"})
    assert wrong_page.leaf == 0 and found[0].text[wrong_page.start :].startswith("Depths are given\nat")


def test_a_quotation_that_was_set_differently_is_found_by_its_beginning():
    found = read(Section(Place(page=4), "", "The mean depth along the quay was 6.4 m-\neters at low water."))
    at = find(found, {"page": 4, "quote": "The mean depth along the quay was 6.4 meters at low water."})
    assert found[0].text[at.start : at.end] == "The mean depth along the quay was 6.4"


def test_sheets_slides_and_lines_are_found_without_a_quotation():
    sheets = read(
        Section(Place(sheet="Depths", cell="A1:B2"), "", "a | b"),
        Section(Place(sheet="Tides", cell="A1:B2"), "", "c | d"),
    )
    assert find(sheets, {"sheet": "Tides"}).leaf == 1 and sheets[1].label == "sheet Tides"
    slides = read(Section(Place(slide=1), "", "one"), Section(Place(slide=2), "", "two"))
    assert find(slides, {"slide": 2}).leaf == 1
    lines = read(
        Section(Place(line=1, last_line=3), "", "one\ntwo\nthree"),
        Section(Place(line=4, last_line=5), "", "four\nfive"),
    )
    assert len(lines) == 1 and lines[0].label == "lines 1–5"
    assert lines[0].text[find(lines, {"line": 5}).start :] == "five"


def test_a_long_file_without_pages_is_cut_between_its_sections():
    found = read(
        *(Section(Place(line=1 + 100 * n, last_line=100 + 100 * n), "", "word " * 2_000) for n in range(5))
    )
    assert [leaf.label for leaf in found] == ["lines 1–200", "lines 201–400", "lines 401–500"]
    assert find(found, {"line": 350}).leaf == 1


def test_named_places_become_chips_and_are_words_again_when_copied():
    cited = (
        Citation("p. 12", "survey_a.pdf"),
        Citation("p. 1", "survey_a.pdf"),
        Citation("p. 12", "survey_a.pdf"),
    )
    text = (
        "So deep [survey_a.pdf, p. 12], `[survey_a.pdf, p. 1]`, [other.pdf, p. 1] [survey_a.pdf, p. 12].\n\n"
        "> low water\n>\n> — survey_a.pdf, p. 1"
    )
    shown = with_chips(text, cited)
    assert shown == (
        "So deep [p. 12](cite:0), `[survey_a.pdf, p. 1]`, [other.pdf, p. 1] [p. 12](cite:2).\n\n"
        "> low water\n>\n> — survey\\_a.pdf [p. 1](cite:1)"
    )
    assert without_chips(shown, cited) == text


def test_a_chip_holds_on_to_what_follows_it_and_is_copied_as_words(qapp):
    text = "so deep [p. 12](cite:0), with [p. 3](cite:1).) [p. 4](cite:2) more"
    html = split(text)[0].html
    assert html.count("<img") == 3 and "</a> with <a" in html and "</a> more" in html
    assert as_plain_text(text) == "so deep p. 12, with p. 3.) p. 4 more"
    assert chip("p. 12", look(), 1.0, ",").width() > chip("p. 12", look(), 1.0).width()


def test_what_is_no_picture_is_not_decoded_and_large_ones_are_made_small():
    image = QImage(1000, 400, QImage.Format.Format_RGB32)
    image.fill(QColor("#336699"))
    small = decoded(bytes_of(image), image.size() / 4)
    assert small is not None and (small.width(), small.height()) == (250, 100)
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    assert decoded(svg, image.size()) is None and decoded(b"", image.size()) is None
    assert decoded(bytes_of(image)[:80], image.size()) is None


def bytes_of(image: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(buffer.data().data())


@pytest.fixture
def page(contents) -> ChatPage:
    return contents.chat


@pytest.fixture
def survey(tmp_path, qapp):
    """A PDF of several pages with one sentence worth finding on the third."""
    file = tmp_path / "survey-1907.pdf"
    writer = QPdfWriter(str(file))
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A5))
    mud = "\n".join(f"Station {number}: mud over gravel." for number in range(30))
    pages = [mud, mud, "The harbour master forbade anchoring beside the crane.\n" + mud, mud]
    html = '<p style="page-break-after: always">'.join(each.replace("\n", "<br>") for each in pages)
    text = QTextDocument()
    text.setHtml(html)
    text.print_(writer)
    return file


async def ready(page: ChatPage) -> None:
    await until(lambda: page.composing._files)
    await until(lambda: all(file.state == "ready" for file in page.composing._files.values()), "read")


async def test_a_citation_opens_the_page_with_the_quotation_marked(page, session, survey, contents):
    page.composing.attach([survey])
    await ready(page)
    page.composer.set_text("@Librarian who forbade anchoring beside the crane?")
    page.composer.submit()
    await until(lambda: page.feed is not None and page.view.model().rowCount() == 2)
    await until(lambda: not page.feed.active_runs())
    await until(lambda: page.view.model().row(1).messages[0].citations)
    answer = page.view.model().row(1).messages[0]
    stored = page.feed.message(answer.id)
    assert "](cite:0)" in answer.text and f"— {survey.name}, {answer.citations[0].label}" in stored.text
    page.view.citation_activated.emit(answer.id, 0)
    pane = page.sources.pane
    await until(lambda: pane.text.isVisible() and pane.text.extraSelections())
    assert pane.place.text() == f"p. {stored.citations[0]['page']}"
    marks = pane.text.extraSelections()
    marked = marks[0].cursor.selectedText()
    assert "harbour master forbade anchoring" in marked and not page.inspector.isVisible()
    shown = pane.text.toPlainText()
    QTest.mouseClick(pane.next, Qt.MouseButton.LeftButton)
    assert pane.text.toPlainText() != shown and pane.text.extraSelections() == []
    QTest.keyClick(pane.text, Qt.Key.Key_Escape)
    await until(lambda: not pane.isVisible())
    assert page.inspector.isVisible()


async def test_a_file_is_opened_from_its_chip_and_what_cannot_be_shown_is_said(page, session, tmp_path):
    good, bad = tmp_path / "tides.txt", tmp_path / "broken.pdf"
    good.write_text("High water at six.\n" * 20)
    bad.write_bytes(b"%PDF-1.7\nnothing more")
    page.composing.attach([good, bad])
    await until(lambda: len(page.composing._files) == 2)
    await until(lambda: {file.state for file in page.composing._files.values()} == {"ready", "failed"})
    chips = {chip.text().split(" ")[0]: chip for chip in page.composer.chips.findChildren(Chip)}
    chips["tides.txt"].click()
    pane = page.sources.pane
    await until(lambda: pane.text.isVisible() and "High water at six." in pane.text.toPlainText())
    chips["broken.pdf"].click()
    await until(lambda: pane.words.isVisible() and "broken.pdf" in pane.words.text())
    page.sources.open_file("gone")
    await until(lambda: pane.words.text() == "This file is no longer in the office.")
    page.sources.open_citation({"file": "elsewhere"})
    await until(lambda: any("names no file" in each for each in session.window.notices.sentences()))


async def test_an_open_file_goes_to_the_trash_by_its_menu(page, session, tmp_path):
    file = tmp_path / "tides.txt"
    file.write_text("High water at six.\n" * 20)
    page.composing.attach([file])
    await ready(page)
    (attached,) = page.composing._files.values()
    page.sources.open_file(attached.id)
    pane = page.sources.pane
    await until(lambda: pane.text.isVisible())
    pane.more.click()
    (menu,) = pane.findChildren(QMenu)
    assert "Erase…" in [action.text() for action in menu.actions()]
    menu.actions()[0].trigger()
    await until(lambda: any("tides.txt" in each for each in session.window.notices.sentences()))
    (thrown,) = await session.office.keeping.trash()
    assert thrown.subject == Subject("file", attached.id)


async def test_pictures_show_themselves_in_composer_transcript_and_source(page, session, tmp_path):
    image = QImage(600, 300, QImage.Format.Format_RGB32)
    image.fill(QColor("#c04020"))
    file = tmp_path / "crane.png"
    image.save(str(file))
    page.composing.attach([file])
    await ready(page)

    def drawn() -> list[PictureChip]:
        return [chip for chip in page.composer.chips.findChildren(PictureChip) if chip.has_picture]

    await until(drawn, "a small picture in the composer")
    page.composer.set_text("@Librarian what is this?")
    page.composer.submit()
    await until(lambda: page.feed is not None and page.view.model().rowCount() == 2)
    await until(lambda: page.view.model().row(0).messages[0].attachments[0].picture)
    sent = page.view.model().row(0).messages[0].attachments[0]
    await until(lambda: [chip for chip in page.view.findChildren(PictureChip) if chip.has_picture])
    page.view.attachment_activated.emit(page.view.model().row(0).messages[0].id, sent.id)
    picture = page.sources.pane.picture
    await until(picture.isVisible)
    await until(lambda: not picture.pixmap().isNull())
    assert picture.pixmap().toImage().pixelColor(5, 5) == QColor("#c04020")
    await until(lambda: not page.feed.active_runs(), "answered")
    page.begin_new()
    await until(lambda: not page.sources.pane.isVisible(), "another chat closes the source")


async def test_files_are_dropped_anywhere_in_the_chats(page, session, tmp_path, contents):
    file = tmp_path / "tides.txt"
    file.write_text("High water at six.")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    drop = QDropEvent(
        QPointF(400, 200),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    contents.area.dropEvent(drop)
    await until(lambda: [each.name for each in page.composing._files.values()] == ["tides.txt"])
    await ready(page)


async def test_a_cited_message_and_a_cited_note_are_gone_to(page, session, contents):
    page.composer.set_text("@Librarian what do you know about tides?")
    page.composer.submit()
    await until(lambda: page.feed is not None and page.view.model().rowCount() == 2)
    await until(lambda: not page.feed.active_runs())
    asked, question = page.conversation_id, page.view.model().row(0).messages[0].id
    page.begin_new()
    await until(lambda: page.conversation_id == "")
    page.sources.open_citation({"message_id": question, "conversation_id": asked})
    await until(lambda: page.conversation_id == asked and page.view.current_message == question)
    note = await session.notebook.add("Depths are given at low water.")
    page.sources.open_citation({"note_id": note.id})
    await until(lambda: session.window.current_page == "memory")


def test_images_that_name_a_picture_of_the_chat_are_shown_and_named_again_when_copied():
    files = [Attachment("aa", "Depth chart.png", picture=b"x"), Attachment("bb", "late.png")]
    text = "![c](<depth CHART.png>) ![d](Depth%20chart.png) ![e](late.png) ![f](https://x.y/a.png) `![g](aa)`"
    shown, images = with_pictures(text, files)
    assert shown == ("![c](picture:aa) ![d](picture:aa) ![e](late.png) ![f](https://x.y/a.png) `![g](aa)`")
    assert images == (files[0],)
    assert without_pictures(shown, images).startswith("![c](<Depth chart.png>) ![d](<Depth chart.png>) ![e]")
    html = split(shown)[0].html
    assert html.startswith('<p class="pictured">') and "pictured" not in split(text)[0].html
    assert html.count("<img") == 2 and '<a href="https://x.y/a.png">▦ f</a>' in html


async def test_a_picture_named_in_a_message_stands_in_its_text_and_opens(page, session, tmp_path):
    image = QImage(400, 200, QImage.Format.Format_RGB32)
    image.fill(QColor("#20a040"))
    image.save(str(tmp_path / "crane.png"))
    page.composing.attach([tmp_path / "crane.png"])
    await ready(page)
    page.composer.set_text("@Librarian see ![the crane](crane.png), not ![this](https://example.org/x.png).")
    page.composer.submit()
    await until(lambda: page.feed is not None and page.view.model().rowCount() == 2)
    await until(lambda: page.view.model().row(0).messages[0].images, "the picture is known")
    message = page.view.model().row(0).messages[0]
    card = page.view.card_at(message.id)
    prose = card.texts()[0]
    shown = prose.loadResource(
        QTextDocument.ResourceType.ImageResource.value, f"picture:{message.images[0].id}"
    )
    assert shown.width() == 240 and shown.pixelColor(9, 9) == QColor("#20a040")
    assert prose.height_for(600) > 120
    elsewhere = prose.loadResource(QTextDocument.ResourceType.ImageResource.value, "picture:of-another-chat")
    assert elsewhere.width() < 60
    prose._follow(QUrl(f"picture:{message.images[0].id}"))
    await until(page.sources.pane.picture.isVisible)
    assert "example.org" not in "".join(re.findall("<img[^>]*>", prose.toHtml()))

"""The words of a recovery key as a QR code, on the screen and on paper."""

from pathlib import Path

import pypdfium2
import pytest
from pypdfium2 import raw
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QLabel

from desktop.pages.qr_code import qr_image
from desktop.pages.recovery_words import RecoveryWords
from desktop.theme.appearance import appearance
from tests.desktop.test_privacy import press

WORDS = " ".join(["abandon"] * 23 + ["art"])
_QUIET, _FINDER = 4, 7


def dark(image: QImage, x: int, y: int, module: int) -> bool:
    return image.pixelColor(x * module + module // 2, y * module + module // 2) == QColor("black")


@pytest.mark.parametrize("module", [1, 3, 6])
def test_a_qr_code_has_its_quiet_zone_and_its_three_finders(module: int) -> None:
    image = qr_image(WORDS, module)
    side = image.width() // module
    size = side - 2 * _QUIET
    assert image.width() == image.height() == side * module and size % 4 == 1
    finder = [[max(abs(x - 3), abs(y - 3)) != 2 for x in range(_FINDER)] for y in range(_FINDER)]
    for left, top in ((0, 0), (size - _FINDER, 0), (0, size - _FINDER)):
        found = [
            [dark(image, _QUIET + left + x, _QUIET + top + y, module) for x in range(_FINDER)]
            for y in range(_FINDER)
        ]
        assert found == finder
    edge = [*range(_QUIET), *range(side - _QUIET, side)]
    assert not any(dark(image, x, y, module) or dark(image, y, x, module) for x in edge for y in range(side))


def test_other_words_are_another_code() -> None:
    assert qr_image(WORDS, 1) != qr_image(WORDS.replace("art", "zoo"), 1)


def test_what_is_printed_has_the_words_and_the_code(session, tmp_path: Path) -> None:
    shown = RecoveryWords(session, WORDS, "The recovery key", "Keep it.", "recovery")
    shown._write_pdf(tmp_path / "words.pdf")
    document = pypdfium2.PdfDocument(tmp_path / "words.pdf")
    assert len(document) == 1
    text = document[0].get_textpage().get_text_bounded()
    assert "24. art" in text and "The recovery key" in text and "Keep it." in text
    pictures = list(document[0].get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE]))
    assert [each.get_px_size() for each in pictures] == [(qr_image(WORDS, 4).width(),) * 2]
    document.close()


def test_words_that_are_to_be_kept_after_all_are_saved_printed_and_shown(session, tmp_path: Path) -> None:
    """Where what they were shown for fails after Done, they stay on the page and are worth something."""
    shown = RecoveryWords(session, WORDS, "The recovery key", "Keep it.", "recovery")
    shown.show()
    clipboard = QGuiApplication.clipboard()
    for _time in range(2):
        press(shown, "Copy")
        assert clipboard.text() == WORDS
        shown.check.setChecked(True)
        press(shown, "Done")
        assert clipboard.text() != WORDS
        shown._write_text(tmp_path / "words.txt")
        assert "24. art" in (tmp_path / "words.txt").read_text()
        assert not shown.code.pixmap().isNull()


def test_the_words_are_whole_when_the_text_is_made_larger_to_read_them(session) -> None:
    words = " ".join(["abstract"] * 24)
    shown = RecoveryWords(session, words, "The recovery key", "Keep it.", "recovery")
    shown.setParent(session.window)
    shown.show()
    try:
        appearance().set_zoom(1.75)
        QApplication.sendPostedEvents()
        cells = [each for each in shown.findChildren(QLabel) if "abstract" in each.text()]
        assert len(cells) == 24
        assert all(each.fontMetrics().horizontalAdvance(each.text()) <= each.width() for each in cells)
    finally:
        appearance().set_zoom(1.0)

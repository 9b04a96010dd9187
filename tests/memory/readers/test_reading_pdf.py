"""The text of PDFs: pages by position, headings of the outline, clean paragraphs."""

import pytest

from memory.readers.document import Document
from memory.readers.errors import FileDamaged, FileEncrypted
from memory.readers.reading import read_document
from tests.memory.readers.sample_files import Bookmark, Printed, paragraph, pdf


def _pages(document: Document) -> dict[int, str]:
    texts: dict[int, str] = {}
    for section in document.sections:
        assert section.place.page is not None
        texts[section.place.page] = (texts.get(section.place.page, "") + "\n" + section.text).strip()
    return texts


def test_pages_count_from_one_by_position() -> None:
    document = read_document(pdf([paragraph("alpha"), [], paragraph("gamma")], title="Letters"), "a.pdf")
    assert _pages(document) == {1: "alpha", 3: "gamma"}
    assert (document.pages, document.title) == (3, "Letters")
    assert document.note == "1 of 3 pages hold no text that can be read, only pictures or nothing."


def test_lines_of_a_paragraph_are_joined_and_paragraphs_kept_apart() -> None:
    lines = paragraph(
        "The harbour master keeps a book in which every ship is written down at the",
        "hour of its arrival, with the depth it draws and the number of its people on",
        "board.",
        "A second book holds the tides and is kept by the pilot who lives on the island",
        "across the bay.",
    )
    (section,) = read_document(pdf([lines]), "a.pdf").sections
    assert section.text.split("\n") == [
        "The harbour master keeps a book in which every ship is written down at the hour of its arrival, "
        "with the depth it draws and the number of its people on board.",
        "A second book holds the tides and is kept by the pilot who lives on the island across the bay.",
    ]


def test_lines_that_are_each_a_sentence_stay_apart() -> None:
    lines = [f"Station {number}: {number + 2}.4 m at low water, mud over gravel." for number in range(1, 8)]
    (section,) = read_document(pdf([paragraph(*lines)]), "a.pdf").sections
    assert section.text.split("\n") == lines


def test_a_word_broken_at_the_end_of_a_line_is_mended() -> None:
    lines = paragraph(
        "The ship was lost because nobody had looked after the main-",
        "tenance of its pumps for years.",
    )
    (section,) = read_document(pdf([lines]), "a.pdf").sections
    assert "the maintenance of its pumps" in section.text


def test_running_heads_and_page_numbers_are_left_out() -> None:
    pages = [
        [
            Printed("Harbour Handbook", y=750),
            Printed(f"Chapter {number // 4 + 1}: Ropes {number + 5}", x=300, y=735),
            *paragraph(f"Rope number {number} is stored in shed {number}.", "It is checked in May.", top=600),
            Printed(str(number + 5), x=300, y=40),
        ]
        for number in range(1, 13)
    ]
    texts = _pages(read_document(pdf(pages), "a.pdf"))
    assert texts[7] == "Rope number 7 is stored in shed 7. It is checked in May."
    assert len(texts) == 12


def test_few_words_near_the_edge_are_not_taken_for_running_heads() -> None:
    texts = _pages(read_document(pdf([paragraph(f"page {number}", top=750) for number in range(5)]), "a.pdf"))
    assert texts == {number + 1: f"page {number}" for number in range(5)}


def test_bookmarks_become_the_headings_of_what_follows_them() -> None:
    pages = [
        [Printed("1 Ropes", y=700, size=18), *paragraph("All about ropes.", top=670)],
        [
            *paragraph("Still about ropes.", top=720),
            Printed("1.1 Knots", y=600, size=14),
            *paragraph("A bowline does not slip.", top=570),
            Printed("2 Sails", y=400, size=18),
            *paragraph("Dacron lasts.", top=370),
        ],
        paragraph("More on sails."),
    ]
    outline = [Bookmark("Ropes", 0, 715, [Bookmark("Knots", 1, 615)]), Bookmark("Sails", 1, 420)]
    sections = read_document(pdf(pages, outline=outline), "a.pdf").sections
    assert [(section.place.page, section.heading) for section in sections] == [
        (1, "Ropes"),
        (2, "Ropes"),
        (2, "Ropes › Knots"),
        (2, "Sails"),
        (3, "Sails"),
    ]
    assert sections[2].text == "1.1 Knots\nA bowline does not slip."


def test_without_bookmarks_larger_lines_are_headings() -> None:
    pages = [
        [Printed("Tides", y=700, size=20), *paragraph("The moon pulls.", "The sun pulls too.", top=660)],
        [Printed("Winds", y=700, size=20), *paragraph("Air moves from high to low.", top=660)],
    ]
    sections = read_document(pdf(pages), "a.pdf").sections
    assert [section.heading for section in sections] == ["Tides", "Winds"]


def test_a_document_without_a_title_is_called_by_its_largest_line() -> None:
    pages = [
        [Printed("Handbook of Ropes", y=500, size=26), *paragraph("by a sailor", top=400)],
        paragraph("The text of the book begins on this page."),
    ]
    assert read_document(pdf(pages), "scan0001.pdf").title == "Handbook of Ropes"
    assert read_document(pdf([paragraph("Dear Ann, all is well.")]), "letter.pdf").title == "letter"


def test_a_table_of_contents_is_marked() -> None:
    contents = paragraph(
        *(f"Chapter on subject {number} . . . . . . . {number * 3}" for number in range(1, 15))
    )
    sections = read_document(pdf([contents, paragraph("Body text without any number.")]), "a.pdf").sections
    assert [section.navigation for section in sections] == [True, False]


def test_pages_without_text_are_said() -> None:
    document = read_document(pdf([[], []]), "scan.pdf")
    assert document.sections == ()
    assert document.note.startswith("The pages hold pictures of text only")


def test_a_password_is_said() -> None:
    with pytest.raises(FileEncrypted, match=r"report.pdf needs a password: save a copy without one"):
        read_document(pdf([paragraph("secret")], needs_password=True), "report.pdf")


def test_a_file_without_a_page_is_damaged() -> None:
    with pytest.raises(FileDamaged):
        read_document(b"%PDF-1.7\nnothing else", "cut.pdf")

"""Text, code, Markdown, HTML and CSV, in good and bad encodings."""

import pytest

from memory.readers.errors import FileEmpty, shown_name
from memory.readers.reading import read_document
from memory.readers.recognition import Format


def test_text_knows_its_lines() -> None:
    text = "\n".join(f"line {number}" if number % 10 else "" for number in range(1, 101))
    document = read_document(text.encode(), "a.txt")
    for section in document.sections:
        assert section.place.line is not None
        assert section.text.split("\n")[0] == f"line {section.place.line}"
        assert section.text.split("\n")[-1] == f"line {section.place.last_line}"
    assert "\n".join(section.text for section in document.sections).split() == text.split()


def test_markdown_headings_are_not_looked_for_in_code() -> None:
    source = (
        "# Boats\n\nintro\n\n```sh\n# not a heading\n```\n\n## Sails\n\nwhite\n\nUnderlined\n-----\n\nend\n"
    )
    document = read_document(source.encode(), "boats.md")
    assert [(section.place.line, section.heading) for section in document.sections] == [
        (1, "Boats"),
        (9, "Boats › Sails"),
        (13, "Boats › Underlined"),
    ]
    assert document.title == "Boats"


def test_a_page_is_read_without_its_scripts() -> None:
    page = """<!DOCTYPE html><html><head><title>Tide tables</title><style>p{}</style></head><body>
    <script>alert("no")</script><h1>Tides</h1><p>High <b>water</b> at noon.</p><p hidden>never</p>
    <h2>Table</h2><table><tr><th>Day</th><th>Hour</th></tr><tr><td>Monday</td><td>3</td></tr></table>
    <ul><li>first</li><li>second</li></ul></body></html>"""
    document = read_document(page.encode(), "tides.html")
    assert document.title == "Tide tables"
    assert [(section.heading, section.text) for section in document.sections] == [
        ("Tides", "Tides\nHigh water at noon."),
        ("Tides › Table", "Table\nDay | Hour\nMonday | 3\nfirst\nsecond"),
    ]


def test_a_page_nested_without_end_is_read() -> None:
    page = b"<html><body>" + b"<div>" * 10_000 + b"deep"
    assert [section.text for section in read_document(page, "a.html").sections] == ["deep"]


def test_a_table_in_a_text_file_names_its_rows() -> None:
    document = read_document(b'Name;Depth\n"Kara; north";31\nBarents;12\n', "a.csv")
    (section,) = document.sections
    assert section.text == "Name | Depth\nKara; north | 31\nBarents | 12"
    assert section.place.label() == "rows 1–3"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_unicode_needs_no_note(encoding: str) -> None:
    document = read_document("Grüße aus Łódź, and then some more words.".encode(encoding), "a.txt")
    assert document.sections[0].text == "Grüße aus Łódź, and then some more words."
    assert document.note == ""


def test_an_old_encoding_is_read_and_said() -> None:
    words = (
        "Die Fähre fährt täglich über den großen Fluß, außer an Feiertagen. Grüße aus Köln und Düsseldorf."
    )
    document = read_document(words.encode("cp1252"), "a.txt")
    assert document.sections[0].text == words
    assert "save the file as UTF-8" in document.note
    russian = "Паром ходит каждый день, кроме праздников. Расписание висит на пристани у входа." * 3
    assert read_document(russian.encode("cp1251"), "a.txt").sections[0].text == russian


def test_damaged_utf8_stays_utf8() -> None:
    content = ("Żółw " * 50).encode() + b"\xff" + " gęś".encode()
    document = read_document(content, "a.txt")
    assert document.sections[0].text.endswith("\ufffd gęś")
    assert document.note.startswith("1 damaged characters")


def test_right_to_left_text_is_kept_in_its_order() -> None:
    assert read_document("שלום עולם".encode(), "a.txt").sections[0].text == "שלום עולם"


def test_a_million_lines_are_read() -> None:
    document = read_document(b"words on a line\n" * 1_000_000, "long.log")
    assert document.sections[-1].place.last_line == 1_000_000
    assert document.kind is Format.TEXT


@pytest.mark.parametrize("content", [b"", b" \n\n\t\n", b"\xef\xbb\xbf"])
def test_nothing_is_said_to_be_empty(content: bytes) -> None:
    with pytest.raises(FileEmpty, match=r"a\.txt is empty: check that it was saved"):
        read_document(content, "a.txt")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("two\nlines.pdf", "two lines.pdf"),
        ("evil\u202efdp.exe", "evil fdp.exe"),
        ("👩‍🚀 log 🌊.txt", "👩‍🚀 log 🌊.txt"),
        ('\'; DROP TABLE "x".csv', '\'; DROP TABLE "x".csv'),
        ("\udcff\x00", "The file"),
        ("a" * 300 + ".pdf", "a" * 50 + "…" + "a" * 21 + ".pdf"),
    ],
)
def test_names_in_sentences_are_harmless(name: str, shown: str) -> None:
    assert shown_name(name) == shown

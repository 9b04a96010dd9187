"""Word, spreadsheets and presentations, made by their own libraries."""

import io
import zipfile
from collections.abc import Callable

import pytest

from memory.readers.errors import FileBomb, FileDamaged, FileEncrypted, FileNotSupported, ReadingError
from memory.readers.reading import read_document
from tests.memory.readers import sample_files


def test_word_sections_stand_under_their_headings() -> None:
    document = read_document(sample_files.docx(), "a.docx")
    assert document.title == "Harbour report"
    assert [(section.heading, section.text) for section in document.sections] == [
        ("Harbour report", "Harbour report"),
        ("Dredging", "Dredging\nThe channel was deepened in spring."),
        ("Dredging › Costs", "Costs\nItem | Euro\nBarge | 4200"),
        ("Crew", "Crew\nZoë steers; Łukasz keeps the log."),
    ]


def test_word_leaves_out_what_was_deleted() -> None:
    namespace = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = (
        f'<w:document xmlns:w="{namespace}"><w:body><w:p><w:r><w:t>kept </w:t></w:r><w:del><w:r>'
        "<w:delText>gone</w:delText></w:r></w:del><w:ins><w:r><w:t>added</w:t></w:r></w:ins></w:p></w:body></w:document>"
    )
    package = sample_files.repacked(sample_files.docx(), {"word/document.xml": body.encode()})
    assert [section.text for section in read_document(package, "a.docx").sections] == ["kept added"]


def test_a_sheet_names_its_rows_and_repeats_its_header() -> None:
    sections = read_document(sample_files.xlsx(120), "depths.xlsx").sections
    depths = [section for section in sections if section.place.sheet == "Depths"]
    assert depths[0].text.startswith("Station | Depth | Measured\nBuoy 1 | 10.5 | 2024-05-02\nBuoy 2 | 21 |")
    assert all(section.text.startswith("Station | Depth | Measured\n") for section in depths)
    covered = []
    for section in depths:
        rows = section.place.rows()
        assert rows is not None
        covered += range(rows[0], rows[1] + 1)
    assert covered == list(range(1, 122))
    crew = [section.place.label() for section in sections if section.place.sheet == "Crew"]
    assert crew == ["sheet Crew, row 3", "sheet Crew, row 9"]


def test_slides_hold_their_text_and_notes() -> None:
    document = read_document(sample_files.pptx(), "tides.pptx")
    assert [(section.place.label(), section.heading, section.text) for section in document.sections] == [
        ("slide 1", "Tides", "Tides"),
        ("slide 2", "Spring tide", "Spring tide\nTwice a month\nNotes: Mention the moon"),
    ]
    assert document.pages == 3
    assert document.note == "1 of 3 slides hold no text, only pictures or nothing."


@pytest.mark.parametrize("make", [sample_files.docx, sample_files.xlsx, sample_files.pptx])
def test_entities_are_never_expanded(make: Callable[[], bytes]) -> None:
    package = make()
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        part = next(
            name
            for name in archive.namelist()
            if name.endswith(("document.xml", "workbook.xml", "presentation.xml"))
        )
    for evil in (
        sample_files.BILLION_LAUGHS,
        sample_files.BILLION_LAUGHS.decode().replace('"1.0"?', '"1.0" encoding="utf-16"?').encode("utf-16"),
        b"<!--" + b" " * 400_000 + b"-->" + sample_files.BILLION_LAUGHS[21:],
    ):
        with pytest.raises(FileBomb, match="unpacks to far more"):
            read_document(sample_files.repacked(package, {part: evil}), "a.office")


def test_a_part_that_unpacks_to_gigabytes_is_not_opened() -> None:
    package = sample_files.repacked(sample_files.docx(), {"word/media/image1.bmp": b"\0" * 200_000_000})
    assert len(package) < 1_000_000
    with pytest.raises(FileBomb):
        read_document(package, "a.docx")


@pytest.mark.parametrize(
    ("content", "name", "error", "sentence"),
    [
        (
            sample_files.OLE_HEADER + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"),
            "plan.docx",
            FileEncrypted,
            "plan.docx needs a password: save a copy without one and attach that.",
        ),
        (
            sample_files.OLE_HEADER + b"\0" * 600,
            "plan.doc",
            FileNotSupported,
            "plan.doc is in an Office format from before 2007: "
            "save it as .docx, .xlsx or .pptx and attach that.",
        ),
        (
            sample_files.repacked(b"PK\x05\x06" + b"\0" * 18, {"inner.zip": b"PK\x03\x04"}),
            "all.zip",
            FileNotSupported,
            "all.zip is an archive: unpack it and attach the files you need.",
        ),
        (
            sample_files.docx()[:-400],
            "cut.docx",
            FileDamaged,
            "cut.docx is damaged or incomplete: open it in its own program, save a copy and attach that.",
        ),
    ],
)
def test_what_cannot_be_read_says_what_to_do(
    content: bytes, name: str, error: type[ReadingError], sentence: str
) -> None:
    with pytest.raises(error) as caught:
        read_document(content, name)
    assert str(caught.value) == sentence

"""Files made to hurt, given to real workers: each ends as a document or one sentence."""

import io
import random
import zipfile
from collections.abc import AsyncIterator, Callable

import pytest

from memory.readers.confinement import Limits
from memory.readers.errors import FileBomb, FileDamaged, FileNotSupported, ReadingError
from memory.readers.workers import ReadingWorkers
from tests.memory.readers import sample_files
from tests.memory.readers.sample_files import paragraph, pdf


@pytest.fixture
async def readers() -> AsyncIterator[ReadingWorkers]:
    started = ReadingWorkers(count=1, limits=Limits(seconds=20, processor_seconds=15))
    yield started
    await started.close()


def _three_pages() -> bytes:
    return pdf([paragraph(f"page {number}") for number in range(3)])


def _zip_of(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    "make",
    [_three_pages, sample_files.docx, sample_files.xlsx, sample_files.pptx],
    ids=["pdf", "docx", "xlsx", "pptx"],
)
async def test_damaged_files_end_in_a_document_or_a_sentence(
    readers: ReadingWorkers, make: Callable[[], bytes]
) -> None:
    whole = make()
    dice = random.Random(7)
    refused = 0
    for _ in range(25):
        content = bytearray(
            whole[: dice.randrange(len(whole) // 3, len(whole))] if dice.random() < 0.5 else whole
        )
        for _ in range(dice.randrange(1, 12)):
            content[dice.randrange(len(content))] = dice.randrange(256)
        try:
            document = await readers.read(bytes(content), "a.bin")
        except ReadingError as error:
            refused += 1
            assert str(error).startswith("a.bin ")
            assert str(error).count(". ") == 0 and str(error).endswith(".")
        else:
            assert document.title
    assert refused > 5
    assert (await readers.read(whole, "whole")).sections


async def test_a_zip_bomb_in_an_office_file(readers: ReadingWorkers) -> None:
    package = sample_files.repacked(
        sample_files.xlsx(), {"xl/worksheets/sheet1.xml": b"<worksheet>" + b" " * 300_000_000}
    )
    with pytest.raises(FileBomb):
        await readers.read(package, "a.xlsx")


async def test_a_zip_in_a_zip(readers: ReadingWorkers) -> None:
    inner = _zip_of(**{"deep.bin": b"\0" * 10_000_000})
    with pytest.raises(FileNotSupported, match="unpack it"):
        await readers.read(_zip_of(**{"a.zip": inner, "b.zip": inner}), "a.zip")


async def test_a_billion_laughs(readers: ReadingWorkers) -> None:
    package = sample_files.repacked(sample_files.docx(), {"word/document.xml": sample_files.BILLION_LAUGHS})
    with pytest.raises(FileBomb):
        await readers.read(package, "a.docx")
    plain = await readers.read(sample_files.BILLION_LAUGHS, "a.xml")
    assert "&lol8;" in "".join(section.text for section in plain.sections)


async def test_an_external_entity_is_not_fetched(readers: ReadingWorkers) -> None:
    evil = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>'
    package = sample_files.repacked(sample_files.pptx(), {"ppt/presentation.xml": evil})
    with pytest.raises(FileBomb):
        await readers.read(package, "a.pptx")


async def test_a_sheet_that_claims_to_be_endless(readers: ReadingWorkers) -> None:
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
        b'<row r="1048576"><c r="XFD1048576"><v>2</v></c></row></sheetData></worksheet>'
    )
    document = await readers.read(
        sample_files.repacked(sample_files.xlsx(), {"xl/worksheets/sheet1.xml": sheet}), "a.xlsx"
    )
    assert [section.place.rows() for section in document.sections][:2] == [(1, 1), (1048576, 1048576)]


async def test_a_cut_pdf_keeps_the_worker(readers: ReadingWorkers) -> None:
    with pytest.raises(FileDamaged):
        await readers.read(_three_pages()[:60], "a.pdf")
    assert (await readers.read(_three_pages(), "b.pdf")).pages == 3

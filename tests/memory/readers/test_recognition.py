"""Files are told apart by content; names only decide between kinds of plain text."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from memory.readers.images import ImageSize, image_size
from memory.readers.recognition import Format, recognise, recognise_content
from tests.memory.readers import sample_files

JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xc0\x00\x11\x08\x00\x20\x00\x40\x03"
    + b"\0" * 20
)
GIF = b"GIF89a\x40\x00\x20\x00\x80\x00\x00"
WEBP_LOSSLESS = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\x3f\xc0\x07\x00" + b"\0" * 10
WEBP_EXTENDED = b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x3f\0\0\x1f\0\0" + b"\0" * 10
WEBP_LOSSY = b"RIFF\x1a\0\0\0WEBPVP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\x40\x00\x20\x00" + b"\0" * 10


def _zip(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "format_", "media_type"),
    [
        (sample_files.pdf([[]]), "notes.txt", Format.PDF, "application/pdf"),
        (sample_files.docx(), "table.xlsx", Format.DOCX, None),
        (sample_files.xlsx(), "letter.docx", Format.XLSX, None),
        (sample_files.pptx(), "noname", Format.PPTX, None),
        (sample_files.png(3, 2), "photo.jpg", Format.IMAGE, "image/png"),
        (JPEG, "x", Format.IMAGE, "image/jpeg"),
        (GIF, "x", Format.IMAGE, "image/gif"),
        (WEBP_LOSSY, "x.png", Format.IMAGE, "image/webp"),
        (b"", "x.pdf", Format.EMPTY, "application/x-empty"),
        (b"Dear Ann,\nthe boat is here.\n", "a.pdf", Format.TEXT, "text/plain"),
        (b"# Log\n\n- one\n- two\n", "log", Format.MARKDOWN, "text/markdown"),
        (b"plain words\n", "a.md", Format.MARKDOWN, "text/markdown"),
        (b"<!DOCTYPE html><html><p>hi</p></html>", "a.txt", Format.HTML, "text/html"),
        (b"<?xml version='1.0'?><html xmlns='x'><p>hi</p></html>", "a.xml", Format.HTML, "text/html"),
        (b"a;b;c\n1;2;3\n4;5;6\n", "export", Format.CSV, "text/csv"),
        (b"a\tb\n1\t2\n", "export.tsv", Format.CSV, "text/tab-separated-values"),
        (b"{}", "a.json", Format.CODE, "application/json"),
        (sample_files.OLE_HEADER + b"\0" * 600, "a.doc", Format.OLD_OFFICE, None),
        (
            sample_files.OLE_HEADER + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"),
            "a.docx",
            Format.ENCRYPTED_OFFICE,
            None,
        ),
        (_zip(a=b"x"), "a.docx", Format.ARCHIVE, "application/zip"),
        (gzip.compress(b"hello", mtime=0), "a.txt", Format.ARCHIVE, "application/gzip"),
        (b"{\\rtf1 hello}", "a.doc", Format.OTHER_OFFICE, "application/rtf"),
        (bytes(range(256)) * 20, "a.txt", Format.BINARY, "application/octet-stream"),
        ("\ufeffwide".encode("utf-16-le"), "a", Format.TEXT, "text/plain"),
        ("wide without a mark".encode("utf-16-be"), "a", Format.TEXT, "text/plain"),
    ],
)
def test_content_decides(content: bytes, name: str, format_: Format, media_type: str | None) -> None:
    kind = recognise_content(content, b"", name)
    assert kind.name is format_
    if media_type:
        assert kind.media_type == media_type


@pytest.mark.parametrize(
    ("content", "name", "language"),
    [
        (b"print(1)\n", "a.py", "python"),
        (b"#!/usr/bin/env python3\nprint(1)\n", "tool", "python"),
        (b"#!/bin/sh\necho\n", "tool", "bash"),
        (b"all:\n\techo\n", "Makefile", "make"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg", "xml"),
    ],
)
def test_source_code_has_a_language(content: bytes, name: str, language: str) -> None:
    kind = recognise_content(content, b"", name)
    assert (kind.name, kind.language) == (Format.CODE, language)


def test_a_large_office_file_is_known_by_its_end(tmp_path: Path) -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("media/first.bin", b"\x07" * 700_000)
        archive.writestr("[Content_Types].xml", b"<x/>")
        archive.writestr("word/document.xml", b"<x/>")
    path = tmp_path / "a"
    path.write_bytes(package.getvalue())
    assert recognise(path).name is Format.DOCX


@pytest.mark.parametrize(
    "content", [sample_files.png(64, 32), JPEG, GIF, WEBP_LOSSLESS, WEBP_EXTENDED, WEBP_LOSSY]
)
def test_the_size_of_a_picture_is_in_its_header(content: bytes) -> None:
    assert image_size(content) == ImageSize(64, 32)


@pytest.mark.parametrize("content", [b"", sample_files.png(64, 32)[:18], JPEG[:22], b"\xff\xd8" + b"\0" * 30])
def test_a_cut_picture_has_no_size(content: bytes) -> None:
    assert image_size(content) is None

"""The documents of the librarian's evaluation are there, in the editions its questions were asked of."""

import json
import sys
from pathlib import Path

import pypdfium2
import pytest

LIST = Path(__file__).parents[1] / "peers" / "documents.json"
DOCUMENTS = json.loads(LIST.read_text("utf-8"))


@pytest.mark.peer
@pytest.mark.parametrize("entry", DOCUMENTS, ids=lambda entry: entry["name"])
def test_document_has_its_pages_and_text(entry: dict[str, str | int]) -> None:
    path = Path(sys.prefix) / "peers" / "documents" / str(entry["name"])
    document = pypdfium2.PdfDocument(path)
    try:
        assert len(document) == entry["pages"] >= 100
        text = document[50].get_textpage().get_text_bounded()
        assert len(text) > 300
    finally:
        document.close()

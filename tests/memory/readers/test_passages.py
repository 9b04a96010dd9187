"""Passages: short enough, exact places, no word lost."""

from hypothesis import given
from hypothesis import strategies as st

from memory.readers.document import Document, Place, Section
from memory.readers.passages import TARGET_PIECES, split
from memory.readers.pieces import piece_estimate
from memory.readers.reading import read_document
from memory.readers.recognition import Format
from tests.memory.readers import sample_files

words = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=30)
texts = st.lists(
    st.tuples(words, st.sampled_from([" ", ". ", "\n", "\n\n", "! "])), min_size=1, max_size=400
).map(lambda pairs: "".join(word + gap for word, gap in pairs).strip())
sections = st.builds(
    lambda page, heading, text, navigation: (page, heading, text, navigation),
    st.integers(1, 3),
    st.sampled_from(["", "Ropes", "Ropes › Knots"]),
    texts,
    st.booleans(),
)


@given(st.lists(sections, max_size=6), st.integers(20, 200))
def test_no_word_is_lost_and_no_page_is_crossed(drawn: list[tuple[int, str, str, bool]], limit: int) -> None:
    ordered = sorted(drawn, key=lambda section: section[0])
    document = Document(
        Format.PDF,
        "application/pdf",
        "t",
        tuple(Section(Place(page=page), heading, text, mark) for page, heading, text, mark in ordered),
    )
    passages = split(document, pieces=limit)
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    for page in {1, 2, 3}:
        written = "".join("".join(text.split()) for number, _, text, _ in ordered if number == page)
        position = 0
        for passage in passages:
            if passage.place.page != page:
                continue
            kept = "".join(passage.text.split())
            found = written.rfind(kept, 0, position + len(kept))
            assert 0 <= found <= position, "a gap before this passage"
            position = max(position, found + len(kept))
        assert position == len(written)
    for passage in passages:
        assert piece_estimate(passage.text) <= limit + 2  # a word cut in two may count more when whole


@given(texts)
def test_lines_of_a_text_are_exact(text: str) -> None:
    lines = text.split("\n")
    document = Document(Format.TEXT, "text/plain", "t", (Section(Place(line=11), "", text),))
    for passage in split(document, pieces=40):
        assert passage.place.line is not None
        first = passage.text.split("\n")[0]
        assert first in lines[passage.place.line - 11]
        last = passage.place.last_line or passage.place.line
        assert passage.text.split("\n")[-1] in lines[last - 11]


def test_short_neighbours_of_a_page_are_joined() -> None:
    document = Document(
        Format.PDF,
        "application/pdf",
        "t",
        (
            Section(Place(page=1, heading="A"), "A", "A\nshort."),
            Section(Place(page=1, heading="B"), "B", "B\nshort too."),
            Section(Place(page=2, heading="B"), "B", "next page."),
        ),
    )
    assert [(passage.place.page, passage.heading, passage.text) for passage in split(document)] == [
        (1, "A", "A\nshort.\nB\nshort too."),
        (2, "B", "next page."),
    ]


def test_a_long_text_is_cut_between_sentences_with_an_overlap() -> None:
    sentences = [
        f"Sentence number {number} tells of Dr. Brown and his {number} boats." for number in range(60)
    ]
    document = Document(Format.TEXT, "text/plain", "t", (Section(Place(page=4), "", " ".join(sentences)),))
    passages = split(document)
    assert len(passages) > 2
    for passage in passages:
        assert passage.text.startswith("Sentence number")
        assert passage.text.endswith("boats.")
        assert piece_estimate(passage.text) <= TARGET_PIECES
    first_of_second = passages[1].text.split(". ")[0]
    assert first_of_second in passages[0].text


def test_a_quotation_leads_to_its_row() -> None:
    document = read_document(sample_files.xlsx(200), "depths.xlsx")
    passages = split(document)
    for number in (1, 2, 57, 199):
        row = f"Buoy {number} |"
        passage = next(passage for passage in passages if row in passage.text)
        assert passage.place_of(row).label() == f"sheet Depths, row {number + 1}"


def test_a_quotation_leads_to_its_line() -> None:
    text = "\n".join(f"value {number} = {number * 7}" for number in range(1, 500))
    passages = split(read_document(text.encode(), "a.txt"))
    passage = next(passage for passage in passages if "value 88 =" in passage.text)
    assert passage.place_of("value 88 = 616").label() == "line 88"
    assert passage.place_of("value 88 = 616\nvalue 89").label() == "lines 88–89"


def test_places_survive_as_json() -> None:
    place = Place(sheet="Depths", cell="A4:C4")
    assert place.to_dict() == {"sheet": "Depths", "cell": "A4:C4"}
    assert Place.from_dict(place.to_dict()) == place
    assert place.label() == "sheet Depths, row 4"
    document = read_document(sample_files.xlsx(), "a.xlsx")
    assert Document.from_dict(document.to_dict()) == document

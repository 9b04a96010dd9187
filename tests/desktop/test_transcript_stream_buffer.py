"""Streaming Markdown: however an answer is cut into deltas, its segments are those of the whole."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.transcript import long_paragraph
from desktop.transcript.markdown_html import Environment, parser
from desktop.transcript.segments import BLOCK_LIMIT, SegmentKind, split
from desktop.transcript.stream_buffer import StreamBuffer

ANSWER = """# Depths

Along the eastern quay the mean depth was **6.4 m** [p. 12](cite:0), see <https://example.org>.
A second line of the same paragraph with `code` and $a^2 + b^2$ for $5.

1. first
2. second

   still second

3. third
- [ ] open
- [x] done

| Station | Depth |
|---|--:|
| East 1 | 6.7 |
| Crane | 5.1 |

```python
def tick(self) -> None:

    return "``"
```
Setext
------

> quoted
lazily

~~~~
tilde ~~~ inside
~~~~

    indented code

    goes on

$$
\\frac{a}{b}
$$

***

Last words without an end"""

_FRAGMENTS = ["```", "~~~sh\nls\n~~~", "- a\n- b", "1. a\n\n2", "  ```\n  x", "", "| a |\n|---|\n| b |"]
_BLOCKS = st.sampled_from([*ANSWER.split("\n\n"), *_FRAGMENTS])
_SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=30)


def stream(text: str, sizes: list[int]) -> StreamBuffer:
    buffer = StreamBuffer()
    at = 0
    while at < len(text):
        size = sizes[at % len(sizes)]
        buffer.feed(text[at : at + size])
        buffer.segments()
        at += size
    return buffer


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_chunking_equals_the_whole(sizes: list[int]) -> None:
    assert stream(ANSWER, sizes).finish() == split(ANSWER)


@given(st.lists(_BLOCKS, max_size=12), _SIZES, st.sampled_from(["\n", "\n\n"]))
@settings(max_examples=100, deadline=None)
def test_any_order_of_blocks_equals_the_whole(parts: list[str], sizes: list[int], between: str) -> None:
    text = between.join(parts)
    assert stream(text, sizes).finish() == split(text)


@given(st.text(alphabet="ab`~*_-#>|$[]()!1. \n\t\\\r", max_size=120), _SIZES)
@settings(max_examples=150, deadline=None)
def test_any_text_equals_the_whole(text: str, sizes: list[int]) -> None:
    assert stream(text, sizes).finish() == split(text)


def test_settled_segments_are_not_parsed_again() -> None:
    buffer = StreamBuffer("```py\na = 1\n```\n\nfirst\n\nsecond")
    code = buffer.segments()[0]
    buffer.feed(" goes on\n\nthird")
    assert buffer.segments()[0] is code


@given(
    st.lists(
        st.sampled_from(
            ["a", "word", "**", "*", "_", "`", "[", "](", ")", "~~", "$", " ", ", ", "<", ">", "&"]
        ),
        max_size=40,
    ),
    st.integers(1, 5),
)
@settings(max_examples=300, deadline=None)
def test_any_marks_within_a_line_are_shown_as_a_new_rendering_would(parts: list[str], size: int) -> None:
    text = "Now " + "".join(parts)
    buffer = StreamBuffer()
    for at in range(0, len(text), size):
        buffer.feed(text[at : at + size])
        fresh = StreamBuffer(text[: at + size]).segments()
        assert [part.html for part in buffer.segments()] == [part.html for part in fresh]


def test_a_paragraph_that_an_empty_line_ended_is_not_parsed_again() -> None:
    buffer = StreamBuffer("first\n\nsec")
    first = buffer.segments()[0]
    buffer.feed("ond")
    parts = buffer.segments()
    assert parts[0] is first and [part.source for part in parts] == ["first", "second"]


def test_an_open_fence_shows_its_lines_as_code() -> None:
    buffer = StreamBuffer("Look:\n\n```py\na = 1\nb =")
    kinds = [(part.kind, part.source) for part in buffer.segments()]
    assert kinds == [(SegmentKind.PROSE, "Look:"), (SegmentKind.CODE, "a = 1\nb =")]
    buffer.feed(" 2\n```\nafter")
    assert [part.source for part in buffer.segments()] == ["Look:", "a = 1\nb = 2", "after"]


def test_a_link_defined_late_is_resolved_at_the_end() -> None:
    buffer = stream("See [the table][t].\n\nMore.\n\n[t]: https://example.org/t\n", [7])
    assert "href" not in buffer.segments()[0].html
    assert 'href="https://example.org/t"' in buffer.finish()[0].html


def test_hostile_markup_loads_nothing() -> None:
    text = "![a](file:///etc/passwd) ![b](//host/x) <img src='/x'> [c](javascript:x) <script>1</script>"
    html = split(text)[0].html
    assert "<img" not in html and "<script" not in html and 'href="javascript' not in html


def test_long_paragraphs_and_lists_are_cut() -> None:
    words = "word " * 3_000
    parts = split(words)
    assert len(parts) > 5 and all(len(part.source) <= BLOCK_LIMIT for part in parts)
    assert "".join(part.source for part in parts).split() == words.split()
    items = "\n".join(f"{n}. item number {n} with some words in it" for n in range(1, 301))
    lists = split(items)
    assert len(lists) > 3
    assert "\n".join(part.source for part in lists) == items
    assert 'start="' in lists[1].html


def test_what_is_marked_stays_marked_over_a_cut() -> None:
    words = (
        "plain words **bold " + "and bold " * 300 + "*and slanted " + "words " * 300 + "word* end** plain `a "
    )
    text = words + "code " * 300 + "b` and [p. 1](cite:0) the end"
    parts = split(text)
    assert len(parts) >= 3 and all(len(part.source) <= BLOCK_LIMIT for part in parts)
    assert "**" not in "".join(part.html for part in parts) and "`" not in "".join(p.html for p in parts)
    for part in parts:
        for tag in ("strong", "em", "code"):
            assert part.html.count(f"<{tag}>") == part.html.count(f"</{tag}>"), part.html
    assert parts[1].html.startswith("<p><strong>") and "<code>" in parts[-1].html
    assert "".join(part.source for part in parts) == text
    assert "".join(plain(part.html) for part in parts) == plain(parser().render(text))


_MARKED = st.lists(
    st.sampled_from(
        [
            "word",
            "**",
            "*",
            "_",
            "`",
            "~~",
            "[a b](http://x.y/z)",
            "[p. 1](cite:0)",
            "$a b$",
            "\n",
            " ",
            " ",
            "d. ",
        ]
    ),
    min_size=120,
    max_size=260,
)


@given(_MARKED, st.integers(420, 500))
@settings(max_examples=40, deadline=None)
def test_pieces_of_a_long_paragraph_say_what_the_whole_says(words: list[str], limit: int) -> None:
    text = "Begin" + "".join(words).strip()
    env: Environment = {}
    whole = parser().renderInline(text, env)
    pieces = list(long_paragraph.cut(text, limit, env))
    assert "".join(source for source, _tokens in pieces) == text
    html = [str(parser().renderer.renderInline(tokens, parser().options, env)) for _source, tokens in pieces]
    assert plain("".join(html)) == plain(whole)
    for tag in ("strong", "em", "s"):
        assert all(part.count(f"<{tag}>") == part.count(f"</{tag}>") for part in html)


def plain(html: str) -> str:
    """Return the words and pictures of HTML, however they are marked."""
    return "".join(re.sub(r"</?(?:p|strong|em|s|code|a|br)\b[^>]*>", "", html).split())


def test_task_lists_citations_and_large_tables() -> None:
    tasks = split("- [ ] open\n- [x] done")[0].html
    assert "☐ open" in tasks and "☑ done" in tasks
    chip = split("so deep [p. 12](cite:0).")[0].html
    assert 'href="cite:0"' in chip and 'src="chip:p.%2012/."' in chip
    rows = "\n".join(f"| {n} | b |" for n in range(150))
    table = split(f"| a | b |\n|---|---|\n{rows}")[0]
    assert table.kind is SegmentKind.TABLE and len(table.cells) == 151 and table.cells[1] == ("0", "b")


def test_owner_line_ends_are_kept_and_segments_are_markdown_again() -> None:
    assert "<br>" in split("one\ntwo", breaks=True)[0].html
    assert "<br>" not in split("one\ntwo")[0].html
    assert split("````md\n```\n````")[0].markdown() == "````md\n```\n````"
    assert split("$$\nx\n$$")[0].markdown() == "$$\nx\n$$"


def test_what_is_shown_while_it_streams_equals_a_new_rendering() -> None:
    text = ANSWER.replace(
        "\n\n", " and more words: see www.example.org and a.b@c.de or http://x.y, AT&amp;T.\n\n"
    )
    buffer = StreamBuffer()
    for at in range(0, len(text), 3):
        buffer.feed(text[at : at + 3])
        shown = buffer.segments()
        fresh = StreamBuffer(text[: at + 3]).segments()
        assert [(part.kind, part.html) for part in shown] == [(part.kind, part.html) for part in fresh]
    assert len(shown) >= 5


@given(st.text(alphabet="abhtpsw:/.@ ,;&*_`~\\<>[]()\n-1'\"!=+$", max_size=60), st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_any_text_is_shown_as_a_new_rendering_would(text: str, size: int) -> None:
    buffer = StreamBuffer()
    for at in range(0, len(text), size):
        buffer.feed(text[at : at + size])
        fresh = StreamBuffer(text[: at + size]).segments()
        assert [part.html for part in buffer.segments()] == [part.html for part in fresh]

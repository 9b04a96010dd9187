"""Conversations of the gallery: one for each state of the transcript."""

from desktop.transcript.rows import (
    Attachment,
    Branch,
    Citation,
    Message,
    MessageState,
    Notice,
    RowAction,
    RowKind,
    Tone,
    ToolCall,
    ToolState,
    TranscriptRow,
)

_CODE = '''```python
def tick(self) -> None:
    """Flush what arrived since the last frame."""
    delta = "".join(self._pending)
    self._pending.clear()
    self.view.append(delta)  # 30 Hz
    return 1 + len(delta)
```'''

_RICH = f"""## Plan

I looked at **three** options and measured them; see [the table](https://example.org/table) and `tick()`.

| option | ms | notes |
|---|--:|---|
| A | 14.6 | whole re-render |
| B | 0.3 | tail only |

{_CODE}

- measured
- shipped
  - with a nested point
- [x] written down
- [ ] told everybody

> Depths are given at low water.

1. First the tail
2. then the rest, where $a^2 + b^2 = c^2$

$$
\\int_0^1 x^2 \\, dx = \\frac{{1}}{{3}}
$$

Done, B it is."""


def harbour() -> list[TranscriptRow]:
    """Return the conversation of the design's picture."""
    asked = Message(
        "asked",
        "You",
        "@Researcher what does the survey say about depth at the quay? "
        "@Analyst put the soundings in a table.",
        "14:02",
        attachments=(Attachment("f1", "survey-1907.pdf", "all 41 pages · 18,200 tokens"),),
    )
    researcher = Message(
        "researcher",
        "Researcher",
        "Along the eastern quay the mean depth at low water was **6.4 m** [p. 12](cite:0), with one shoal of "
        "5.1 m near the crane [p. 14](cite:1). Two notes from last week agree.",
        "14:02",
        "claude-sonnet-5",
        colour="#2a7f70",
        citations=(Citation("p. 12", "survey-1907.pdf"), Citation("p. 14", "survey-1907.pdf")),
        footer="used 2 notes · 2.1 s · $0.011",
    )
    analyst = Message(
        "analyst",
        "Analyst",
        "| Station | Depth, m | Page |\n|---|---|---|\n| East 1 | 6.7 | 12 |\n| East 2 | 6.4 | 12 |\n"
        "| Crane | 5.1 | 14 |\n\nWriting it to a sheet",
        "14:02",
        "gpt-5.2",
        colour="#3b6fc9",
        state=MessageState.STREAMING,
    )
    return [
        TranscriptRow("question", RowKind.OWNER, (asked,)),
        TranscriptRow("answers", RowKind.AGENTS, (researcher, analyst)),
    ]


def rich() -> list[TranscriptRow]:
    """Return an answer with every kind of text, thinking and tool calls."""
    tools = (
        ToolCall("t1", "Read survey-1907.pdf, pages 10–16", meta="0.4 s", details="7 pages, 4,100 tokens"),
        ToolCall("t2", "Search notes: depth at low water", ToolState.RUNNING),
        ToolCall("t3", "Search notes: tides", ToolState.FAILED, details="The index is being rebuilt."),
    )
    answer = Message(
        "a1",
        "Researcher",
        _RICH,
        "12:02",
        "claude-sonnet-5",
        thinking="The owner wants **one** way of rendering.",
        tools=tools,
        citations=(Citation("p. 12", "survey-1907.pdf"), Citation("line 40", "notes.md")),
        footer="used 2 notes · 2.1 s · $0.011",
        branch=Branch(2, 3),
        pinned=True,
    )
    question = Message("q1", "You", "Which way of rendering should we take?", "12:01")
    return [
        TranscriptRow("q", RowKind.OWNER, (question,)),
        TranscriptRow("a", RowKind.AGENTS, (answer,)),
    ]


def states() -> list[TranscriptRow]:
    """Return a row for each state that is not a finished answer."""

    def agent(number: int, state: MessageState, text: str, notice: Notice | None = None) -> TranscriptRow:
        message = Message(
            f"s{number}",
            "Writer",
            text,
            "09:14",
            "gpt-5.2",
            state=state,
            notice=notice,
            footer="1.2 s · $0.004",
        )
        return TranscriptRow(f"sr{number}", RowKind.AGENTS, (message,))

    wrong_key = Notice(
        "Anthropic refused the key “work”. Put in a new one under Keys.",
        Tone.ERROR,
        (RowAction("open_keys", "Open Keys", primary=True), RowAction("retry", "Try again")),
        "401 authentication_error: invalid x-api-key\nrequest req_011CSHoEeqs5C35K2UUqR7Fy",
    )
    offline = Notice("This machine is offline. The message is kept and sent when it is back.", Tone.WARN)
    joined = Notice("Analyst joined this conversation.", Tone.INFO)
    return [
        TranscriptRow("n1", RowKind.NOTICE, (Message("n1", "", notice=joined),)),
        agent(1, MessageState.STREAMING, ""),
        agent(2, MessageState.INTERRUPTED, "The harbour was dredged twice, first in"),
        agent(3, MessageState.STOPPED, "Dear neighbour, about the fence"),
        agent(4, MessageState.FAILED, "", wrong_key),
        TranscriptRow("e1", RowKind.ERROR, (Message("e1", "", notice=offline),)),
        TranscriptRow(
            "w1",
            RowKind.OWNER,
            (Message("w1", "You", "And then the second letter.", "09:15", state=MessageState.QUEUED),),
        ),
    ]


def long_names() -> list[TranscriptRow]:
    """Return names, models and files that are longer than any room for them, and words without an end."""
    name = "Researcher of the Department of Harbours, Canals and Inland Waterways, Second Division"
    text = "Donaudampfschifffahrtsgesellschaftskapitän" * 6 + " and `" + "x" * 200 + "` and **bold**."
    return [
        TranscriptRow(
            "l1",
            RowKind.OWNER,
            (
                Message(
                    "l1",
                    "You",
                    text,
                    "14:02",
                    attachments=(Attachment("f", "minutes-of-the-board-" * 7 + ".pdf", "all 4,100 pages"),),
                ),
            ),
        ),
        TranscriptRow(
            "l2",
            RowKind.AGENTS,
            tuple(
                Message(
                    f"l2{n}", name, text, "14:02", "a-model-with-a-very-long-name-2026-11-20", footer=name
                )
                for n in range(2)
            ),
        ),
    ]


def right_to_left() -> list[TranscriptRow]:
    """Return Arabic and Hebrew text with a table, code and a citation."""
    answer = (
        "كان متوسط العمق عند أدنى الجزر **6.4 م** [ص. 12](cite:0)، مع ضحضاح واحد قرب الرافعة.\n\n"
        "- النقطة الأولى\n- النقطة الثانية\n\n```python\nprint('left to right')\n```\n\nשלום עולם"
    )
    return [
        TranscriptRow("h1", RowKind.OWNER, (Message("h1", "أنت", "ما هو العمق عند الرصيف؟", "14:02"),)),
        TranscriptRow(
            "h2",
            RowKind.AGENTS,
            (
                Message(
                    "h2",
                    "الباحث",
                    answer,
                    "14:02",
                    "claude-sonnet-5",
                    citations=(Citation("ص. 12", "مسح.pdf"),),
                    footer="2.1 s · $0.011",
                    branch=Branch(1, 2),
                ),
            ),
        ),
    ]

"""Figures of the transcript: a long chat, and eight answers streaming at once.

Each function needs a QApplication and returns figures in the units of their names. Run as a program to
print them: ``python -m tests.bench.transcript_bench``.
"""

import os
import random
import statistics
import time
from collections.abc import Callable

import psutil
from PySide6.QtCore import QElapsedTimer, QEvent, Qt, QTimer
from PySide6.QtWidgets import QApplication

from desktop.theme.appearance import Scheme, appearance
from desktop.transcript.model import TranscriptModel
from desktop.transcript.rows import Message, MessageState, RowKind, TranscriptRow
from desktop.transcript.view import TranscriptView
from tests.bench.figures import Figure

_WORDS = [
    "along",
    "the",
    "eastern",
    "quay",
    "mean",
    "depth",
    "at",
    "low",
    "water",
    "was",
    "measured",
    "with",
    "one",
    "shoal",
    "near",
    "crane",
    "and",
    "two",
    "notes",
    "from",
    "last",
    "week",
    "agree",
    "about",
    "harbour",
    "tide",
    "survey",
    "page",
    "station",
    "table",
    "which",
    "analyst",
    "wrote",
    "into",
    "a",
    "sheet",
]


def _prose(chance: random.Random, words: int) -> str:
    text = [chance.choice(_WORDS) for _ in range(words)]
    for place in range(7, words, 23):
        text[place] = f"**{text[place]}**"
    for place in range(17, words, 41):
        text[place] = f"[p. {place}](cite:0)"
    return " ".join(text).capitalize() + "."


def _answer(chance: random.Random, number: int) -> str:
    parts = [_prose(chance, chance.randint(30, 90)) for _ in range(chance.randint(1, 3))]
    if number % 5 == 0:
        parts.insert(
            1, "```python\ndef tick(self) -> None:\n    return self.view.append(delta)  # 30 Hz\n```"
        )
    if number % 7 == 0:
        parts.append("- " + "\n- ".join(_prose(chance, 8) for _ in range(4)))
    if number % 11 == 0:
        parts.append("| Station | Depth |\n|---|--:|\n| East 1 | 6.7 |\n| Crane | 5.1 |")
    return "\n\n".join(parts)


def long_chat(messages: int = 10_000) -> list[TranscriptRow]:
    """Return a conversation of owner and agent in turns, about 470 characters a message."""
    chance = random.Random(7)
    rows = []
    for number in range(messages):
        owner = number % 2 == 0
        text = _prose(chance, chance.randint(5, 60)) if owner else _answer(chance, number)
        message = Message(
            f"m{number}",
            "You" if owner else ("Researcher", "Analyst")[number % 3 % 2],
            text,
            "14:02",
            "" if owner else "claude-sonnet-5",
            footer="" if owner else "2.1 s · $0.011",
        )
        rows.append(TranscriptRow(f"r{number}", RowKind.OWNER if owner else RowKind.AGENTS, (message,)))
    return rows


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def percentile(values: list[float], share: float) -> float:
    """Return the value below which a share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def _processor(work: Callable[[], object]) -> float:
    """Return the milliseconds of processor time: what the work costs, however busy the machine is."""
    start = time.thread_time()
    work()
    return (time.thread_time() - start) * 1000


def _paint(view: TranscriptView) -> None:
    view.viewport().repaint()
    QApplication.processEvents()


def chat_figures(messages: int = 10_000) -> dict[str, float]:
    """Return first paint, wheel frame, jump and resize of a long chat in ms, and the process's PSS in MB."""
    rows = long_chat(messages)
    view = TranscriptView()
    view.resize(1000, 800)
    view.show()
    QApplication.processEvents()
    model = TranscriptModel()

    def first() -> None:
        model.set_rows(rows)
        view.set_model(model)
        _paint(view)

    figures = {"first_paint_ms": _milliseconds(first)}
    wheel = [_milliseconds(lambda: (view.scroll_by(-120), _paint(view))) for _ in range(400)]
    figures["wheel_p50_ms"] = statistics.median(wheel)
    figures["wheel_p95_ms"] = percentile(wheel, 0.95)
    chance = random.Random(3)
    bar = view.verticalScrollBar()
    jumps = [
        _milliseconds(lambda: (bar.setValue(chance.randrange(bar.maximum())), _paint(view)))
        for _ in range(60)
    ]
    figures["jump_p50_ms"] = statistics.median(jumps)
    figures["jump_p95_ms"] = percentile(jumps, 0.95)
    widths = [700, 1000, 640, 900, 620, 1000]
    resizes = [_milliseconds(lambda w=width: (view.resize(w, 800), _paint(view))) for width in widths]
    figures["resize_ms"] = max(resizes)
    figures["pss_mb"] = psutil.Process().memory_full_info().pss / 2**20
    view.set_model(None)
    view.close()
    view.deleteLater()
    return figures


def stream_figures(agents: int = 8, seconds: float = 6.0, before: int = 10_000) -> dict[str, float]:
    """Return the flush tick's p95 and the gaps of a separate 16 ms timer, in ms.

    Eight agents answer side by side at the end of a long chat, each at 100 tokens of some four
    characters a second.
    """
    view = TranscriptView()
    view.resize(1000, 800)
    view.show()
    model = TranscriptModel()
    messages = tuple(
        Message(f"live{n}", f"Agent {n}", "", "14:02", "claude-sonnet-5", state=MessageState.STREAMING)
        for n in range(agents)
    )
    model.set_rows([*long_chat(before), TranscriptRow("live", RowKind.AGENTS, messages)])
    view.set_model(model)
    QApplication.processEvents()
    ticks: list[float] = []
    cost: list[float] = []
    gaps: list[float] = []
    flush = model.flush

    def show() -> None:
        QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)
        QApplication.sendPostedEvents(None, QEvent.Type.UpdateRequest.value)

    def timed_flush() -> None:
        ticks.append(_milliseconds(lambda: cost.append(_processor(lambda: (flush(), show())))))

    model.flush = timed_flush
    chance = random.Random(5)
    texts = ["\n\n".join(_answer(chance, 5 * k) for k in range(40)) for _ in range(agents)]
    at = 0
    clock, last = QElapsedTimer(), [0.0]
    clock.start()

    def feed() -> None:
        nonlocal at
        for number in range(agents):
            model.append_delta(f"live{number}", texts[number][at : at + 4])
        at += 4

    def beat() -> None:
        now = clock.nsecsElapsed() / 1e6
        gaps.append(now - last[0])
        last[0] = now

    feeder, heart = QTimer(), QTimer()
    for timer, interval, slot in ((feeder, 10, feed), (heart, 16, beat)):
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(slot)
        timer.start(interval)
    last[0] = clock.nsecsElapsed() / 1e6
    busy = time.process_time()
    while clock.elapsed() < seconds * 1000:
        QApplication.processEvents()
        time.sleep(0.001)
    busy = time.process_time() - busy
    feeder.stop()
    heart.stop()
    view.set_model(None)
    view.close()
    view.deleteLater()
    return {
        "flush_p50_ms": statistics.median(ticks),
        "flush_p95_ms": percentile(ticks, 0.95),
        "flush_max_ms": max(ticks),
        "flush_processor_p95_ms": percentile(cost, 0.95),
        "gap_p99_ms": percentile(gaps, 0.99),
        "gap_max_ms": max(gaps),
        "characters_each": float(at),
        "cpu_share": busy / seconds,
    }


GOALS = {
    "first_paint_ms": (150, 60),
    "wheel_p95_ms": (12, 8),
    "jump_p95_ms": (40, 25),
    "resize_ms": (60, 25),
    "flush_p95_ms": (10, 6),
    "gap_p99_ms": (33, 20),
    "gap_max_ms": (120, 60),
}


def main() -> None:
    """Print the figures that have goals as such, the others as remarks."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    appearance().apply(app, Scheme.LIGHT)
    for name, value in {**chat_figures(), **stream_figures()}.items():
        if name in GOALS:
            print(
                Figure(f"transcript_{name.removesuffix('_ms')}", value, "ms", *GOALS[name]).line(), flush=True
            )
        else:
            print(f"# {name} = {value:.1f}", flush=True)


if __name__ == "__main__":
    main()

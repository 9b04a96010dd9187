"""What a command's items look like in a terminal, or as one JSON object."""

import json
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any, TextIO

from agents.door.protocol import Item
from resources.language import gettext as _

_CONTROLS = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"},
    **dict.fromkeys(range(0x7F, 0xA0), 0xFFFD),
}

MARKS = {"passed": "✓", "failed": "✗", "no": "–", "skipped": "·"}


class Page:
    """Shows the items of one command; ``exit_code`` and ``value``, its result, are known after the last."""

    def __init__(self, command: str, *, as_json: bool) -> None:
        self._command = command
        self._as_json = as_json
        self._speaker = ""
        self._open_on: TextIO | None = None
        self.exit_code = 0
        self.value: Any = None

    def show(self, item: Item) -> None:
        """Show one item as it comes; with --json only the result is printed, notices go to stderr."""
        kind = item["kind"]
        if kind == "result":
            self._result(item["value"])
        elif kind == "notice":
            self._end_line()
            _say(item["sentence"], to=sys.stderr)
        elif self._as_json:
            return
        elif kind == "text":
            self._text(item["agent"], item["text"])
        elif kind == "tool":
            self._end_line()
            _say(_("  {agent} uses {tool}").format(agent=item["agent"], tool=item["tool"]), to=sys.stderr)
        elif kind == "step":
            _say(f"  {MARKS[item['state']]} {item['sentence']}")
        elif kind == "progress":
            self._progress(item["done"], item["total"])

    def fail(self, sentence: str) -> None:
        """Show why the command failed, as one sentence on stderr."""
        self._end_line()
        _say(" ".join(sentence.split()), to=sys.stderr)

    def _progress(self, done: int, total: int) -> None:
        """Count up in one line of a terminal; a file or a pipe gets no such line."""
        if sys.stderr.isatty():
            print(f"\r{100 * done // max(1, total)} %", end="", file=sys.stderr, flush=True)
            self._open_on = sys.stderr

    def _text(self, speaker: str, text: str) -> None:
        if speaker != self._speaker:
            self._end_line()
            _say(f"{speaker}:", to=sys.stderr)
            self._speaker = speaker
        print(harmless(text), end="", flush=True)
        self._open_on = None if text.endswith("\n") else sys.stdout

    def _result(self, value: Any) -> None:
        self.value = value
        if self._command in {"keys check", "keys rotate"}:
            self.exit_code = 0 if all(row["ok"] for row in value) else 1
        elif self._command == "doctor":
            self.exit_code = 0 if value["ok"] else 1
        if self._as_json:
            shows_all = "utf" in (sys.stdout.encoding or "").lower()
            print(json.dumps(value, ensure_ascii=not shows_all))
            return
        self._end_line()
        VIEWS.get(self._command, _plain)(value)

    def _end_line(self) -> None:
        if self._open_on is not None:
            print(file=self._open_on)
            self._open_on = None


def harmless(text: str) -> str:
    """Return the text with control characters made visible: a model or a file must not steer the terminal."""
    return text.translate(_CONTROLS)


def _say(text: str, *, to: TextIO | None = None, end: str = "\n") -> None:
    print(harmless(text), file=to, end=end)


def _plain(value: Any) -> None:
    if isinstance(value, str):
        _say(value)
    elif isinstance(value, dict):
        for name, content in value.items():
            for line in content if isinstance(content, list | tuple) else [content]:
                if (words := _inline(line)) or line == 0:
                    _say(f"{name:12} {words or line}")
    elif isinstance(value, list):
        for row in value:
            _plain(row)
            print()


def _inline(value: Any) -> str:
    """Return a value in one line: of an object the parts that say something, their names beside them."""
    if isinstance(value, dict):
        parts = ((name.replace("_", " "), _inline(part)) for name, part in value.items())
        return ", ".join(f"{name} {words}" for name, words in parts if words)
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(_inline, value)))
    return "" if value in (None, "", 0) and value is not False else str(value)


def _answer(value: dict[str, Any]) -> None:
    for answer in value.get("answers", [value]):
        for citation in answer["citations"]:
            place = ", ".join(part for part in (citation["file"], citation["place"]) if part)
            _say(f"  [{place}]", to=sys.stderr)
    print(f"  {_('conversation')} {value['conversation']}", file=sys.stderr)


def _table(*columns: tuple[str, Callable[[dict[str, Any]], str]]) -> Callable[[list[dict[str, Any]]], None]:
    def show(rows: list[dict[str, Any]]) -> None:
        from rich.console import Console
        from rich.table import Table

        if not rows:
            print(_("Nothing yet."))
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title, _cell in columns:
            table.add_column(_(title), overflow="fold")
        for row in rows:
            table.add_row(*(harmless(cell(row)) for _title, cell in columns))
        console = Console(file=sys.stdout, highlight=False, markup=False)
        if not sys.stdout.isatty():
            console.width = 160
        console.print(table)

    return show


def _text_of(name: str) -> Callable[[dict[str, Any]], str]:
    return lambda row: "" if row.get(name) is None else str(row[name])


def _time_of(name: str) -> Callable[[dict[str, Any]], str]:
    def show(row: dict[str, Any]) -> str:
        at = row.get(name)
        return "" if at is None else datetime.fromtimestamp(at / 1000).strftime("%Y-%m-%d %H:%M:%S")

    return show


def _with_times(row: dict[str, Any]) -> None:
    """Show an object line by line, its instants as times."""
    shown: dict[str, Any] = {}
    for name, value in row.items():
        instant = name.endswith("_at")
        label = name.removesuffix("_at") if name.removesuffix("_at") not in row or not instant else name
        shown[label.replace("_", " ")] = _time_of(name)(row) if instant else value
    _plain(shown)


def _cost(row: dict[str, Any]) -> str:
    cost = row.get("cost")
    return _("unknown") if cost is None else f"${cost / 1_000_000:.4f}"


def _hits(rows: list[dict[str, Any]]) -> None:
    if not rows:
        print(_("Nothing was found."))
    for row in rows:
        _say(f"{row['score']:.3f}  {row['source']['label']}\n       {' '.join(row['text'].split())[:300]}")


_MARKS = {"ok": "✓", "hint": "•", "failed": "✗"}


def _doctor(value: dict[str, Any]) -> None:
    for row in value["checks"]:
        _say(f"{_MARKS[row['state']]} {row['sentence']}")
    if value.get("preview"):
        print()
        _say(value["preview"], end="")
    if value.get("bundle"):
        _say(_("Written to {path}. Read it before you hand it on.").format(path=value["bundle"]))


VIEWS: dict[str, Callable[[Any], None]] = {
    "ask": _answer,
    "follow": _answer,
    "keys list": _table(
        ("id", lambda row: row["id"][:8]),
        ("label", _text_of("label")),
        ("kind", _text_of("kind")),
        ("model", _text_of("model")),
        ("key", _text_of("mask")),
        ("fingerprint", _text_of("fingerprint")),
        ("checked", _time_of("last_checked_at")),
    ),
    "keys check": lambda rows: None,
    "keys rotate": lambda rows: None,
    "agents list": _table(
        ("name", _text_of("name")),
        ("role", _text_of("role")),
        ("model", _text_of("model")),
        ("effort", _text_of("effort")),
    ),
    "memory search": _hits,
    "memory list": _table(
        ("id", lambda row: row["id"][:8]),
        ("kind", _text_of("kind")),
        ("state", _text_of("state")),
        ("note", _text_of("text")),
    ),
    "memory why": lambda value: _say(json.dumps(value, ensure_ascii=False, indent=2)),
    "runs list": _table(
        ("id", lambda row: row["id"][:8]),
        ("state", _text_of("state")),
        ("agent", _text_of("agent")),
        ("asked", _time_of("created_at")),
        ("question", lambda row: " ".join(row["question"].split())[:60]),
        ("why", _text_of("reason")),
    ),
    "runs resume": _answer,
    "usage": _table(
        ("what", _text_of("label")),
        ("requests", _text_of("requests")),
        ("input", _text_of("input_tokens")),
        ("output", _text_of("output_tokens")),
        ("cost", _cost),
    ),
    "outbox": _table(
        ("when", _time_of("at")),
        ("to", _text_of("host")),
        ("why", _text_of("purpose")),
        ("what", lambda row: ", ".join(row["categories"])),
        ("bytes", _text_of("bytes_sent")),
        ("input", _text_of("input_tokens")),
        ("output", _text_of("output_tokens")),
        ("cost", lambda row: "" if row["input_tokens"] is None else _cost(row)),
        ("status", lambda row: str(row["status"] or row["error"] or "…")),
    ),
    "sync status": _with_times,
    "sync categories": _table(
        ("name", _text_of("name")),
        ("syncs", lambda row: _("yes") if row["syncs"] else _("no")),
        ("what", _text_of("what")),
    ),
    "sync conflicts": _table(
        ("id", lambda row: row["id"][:8]),
        ("what", _text_of("what")),
        ("field", _text_of("field")),
        ("lost", _text_of("lost")),
        ("stands there", _text_of("kept")),
    ),
    "sync aside": _table(
        ("id", lambda row: row["id"][:8]),
        ("kind", _text_of("what")),
        ("what", _text_of("name")),
        ("since", _time_of("since_at")),
        ("leaves", _time_of("leaves_at")),
        ("why", lambda row: row["why"][:8]),
    ),
    "sync apart": _table(
        ("kind", _text_of("what")),
        ("what", _text_of("name")),
        ("state", _text_of("state")),
    ),
    "sync devices": _table(
        ("id", lambda row: row["id"][:8]),
        ("name", _text_of("name")),
        ("state", _text_of("state")),
        ("here", lambda row: "•" if row["this"] else ""),
        ("seen", lambda row: row.get("seen", "")),
    ),
    "sync sessions": _table(
        ("id", lambda row: row["id"][:8]),
        ("device", lambda row: row["device"] or _("mail")),
        ("since", _text_of("since")),
        ("here", lambda row: "•" if row["this"] else ""),
    ),
    "sync receipts": _table(
        ("id", lambda row: row["id"][:8]),
        ("what", _text_of("scope")),
        ("from", _text_of("server")),
        ("destroyed", _text_of("purged_at")),
        ("records", lambda row: str(row["counts"]["records"])),
    ),
    "trash list": _table(
        ("id", lambda row: row["id"][:8]),
        ("kind", _text_of("kind")),
        ("what", _text_of("label")),
        ("since", _time_of("trashed_at")),
        ("leaves", _time_of("leaves_at")),
    ),
    "retention show": _table(
        ("about", _text_of("scope")),
        ("what", _text_of("scope_id")),
        ("days", lambda row: _("keep") if row["days"] is None else str(row["days"])),
    ),
    "retention preview": _table(
        ("leaves", _time_of("leaves_at")),
        ("kind", _text_of("kind")),
        ("what", _text_of("label")),
        ("id", lambda row: row["id"][:8]),
    ),
    "privacy data": _table(
        ("what", _text_of("title")),
        ("count", _text_of("count")),
        ("MB", lambda row: f"{row['size'] / 1_000_000:.1f}"),
        ("oldest", _time_of("oldest")),
        ("newest", _time_of("newest")),
    ),
    "privacy recipients": _table(
        ("to", _text_of("host")),
        ("key", lambda row: ", ".join(row["connections"])),
        ("agents", lambda row: ", ".join(row["agents"])),
        ("what", lambda row: ", ".join(row["categories"])),
        ("requests", _text_of("requests")),
        ("bytes", _text_of("bytes_sent")),
        ("last", _time_of("last_at")),
        ("consent", _text_of("consent")),
    ),
    "privacy consents": _table(
        ("to", _text_of("host")),
        ("given", _time_of("given_at")),
        ("withdrawn", _time_of("withdrawn_at")),
        ("text", _text_of("text")),
    ),
    "privacy purposes": _table(
        ("purpose", _text_of("purpose")),
        ("agent", _text_of("agent_name")),
        ("on", lambda row: _("yes") if row["allowed"] else _("no")),
    ),
    "backup list": _table(
        ("id", lambda row: row["id"][:8]),
        ("made", _time_of("at")),
        ("why", _text_of("occasion")),
        ("MB", lambda row: f"{row['size'] / 1_000_000:.1f}"),
        ("checked", _time_of("verified_at")),
        (
            "file",
            lambda row: row["path"] if row["there"] else _("{path} (not there)").format(path=row["path"]),
        ),
    ),
    "doctor": _doctor,
}

"""Full text beside the passages: one FTS5 table per view, and trigrams for scripts without spaces.

The two views have the columns of ``passage`` as their content, so no text is stored twice. Triggers keep them
in step with every change, a cascade included, and raise the office's change mark when vectors change.
"""

import re

from sqlalchemy import Connection

VIEWS = {"passage_text": "text", "passage_context": "context"}
TRIGRAMS = "passage_trigram"

_VIEW = """
CREATE VIRTUAL TABLE IF NOT EXISTS {table} USING fts5(
    {column}, content='passage', content_rowid='number', tokenize='porter unicode61 remove_diacritics 2')
"""
_TRIGRAM = "CREATE VIRTUAL TABLE IF NOT EXISTS passage_trigram USING fts5(text, tokenize='trigram')"
_SECURE = "INSERT INTO {table}({table}, rank) VALUES('secure-delete', 1)"

_ADD = "INSERT INTO {table}(rowid, {column}) VALUES (new.number, new.{column});"
_TAKE = "INSERT INTO {table}({table}, rowid, {column}) VALUES ('delete', old.number, old.{column});"
_TRIGGER = "CREATE TRIGGER IF NOT EXISTS {name} AFTER {event} BEGIN {body} END"
_MARK = "UPDATE office SET change_mark = change_mark + 1;"

_WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)
"""Thai, Lao, Burmese, Khmer, kana and Han; Hangul is written with spaces."""


def create(connection: Connection) -> None:
    """Make tables and triggers; what is there already is left alone."""
    for table, column in VIEWS.items():
        connection.exec_driver_sql(_VIEW.format(table=table, column=column))
    connection.exec_driver_sql(_TRIGRAM)
    for table in (*VIEWS, TRIGRAMS):
        connection.exec_driver_sql(_SECURE.format(table=table))
    add = " ".join(_ADD.format(table=table, column=column) for table, column in VIEWS.items())
    take = " ".join(_TAKE.format(table=table, column=column) for table, column in VIEWS.items())
    forget = "DELETE FROM passage_trigram WHERE rowid = old.number;"
    for name, event, body in (
        ("passage_indexed", "INSERT ON passage", add),
        ("passage_forgotten", "DELETE ON passage", f"{take} {forget}"),
        ("passage_rewritten", "UPDATE OF text, context ON passage", f"{take} {add}"),
        ("embedding_added", "INSERT ON embedding", _MARK),
        ("embedding_removed", "DELETE ON embedding", _MARK),
    ):
        connection.exec_driver_sql(_TRIGGER.format(name=name, event=event, body=body))


def rebuild(connection: Connection) -> None:
    """Make both views again from the passages, and merge each into one segment."""
    for table in VIEWS:
        connection.exec_driver_sql(f"INSERT INTO {table}({table}) VALUES('rebuild')")
        connection.exec_driver_sql(f"INSERT INTO {table}({table}) VALUES('optimize')")


def add_trigrams(connection: Connection, number: int, text: str) -> None:
    """Index the runs of a passage that are written without spaces, if it has any."""
    runs = " ".join(_WITHOUT_SPACES.findall(text))
    if runs:
        connection.exec_driver_sql("INSERT INTO passage_trigram(rowid, text) VALUES (?, ?)", (number, runs))


def runs_without_spaces(text: str) -> list[str]:
    """Return the runs of the text that are written without spaces."""
    return [run for run in _WITHOUT_SPACES.findall(text) if len(run) > 1]

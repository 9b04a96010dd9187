"""A bundle for whoever helps: versions, checks, counts and the last log lines; no content, no names, no keys.

It is made only on request. What is shown as its preview is what is written, letter by letter.
"""

import asyncio
import os
import platform
import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agents.office import Office
from memory import accounts, roster, settings
from memory.disk import create_private, told_by_system
from memory.errors import Refused
from memory.lifecycle.reports import reports
from memory.locations import Locations
from memory.migrations import HEAD
from memory.tables import Base
from resources.language import gettext as _
from vault.redaction import redact

LIBRARIES = (
    *("PySide6_Essentials", "sqlcipher3", "SQLAlchemy", "chromadb", "onnxruntime", "cryptography", "keyring"),
    *("pydantic-ai-slim", "anthropic", "openai"),
)
LINES = 200
_MARKS = {"ok": "ok ", "hint": "hint", "failed": "BAD"}
_LONGEST_LINE = 300
_QUOTED = re.compile(r"“[^”]*”|„[^“”]*[“”]|«[^»]*»|\"[^\"]*\"|'[^']{3,}'")


async def bundle(office: Office, checks: Sequence[dict[str, Any]]) -> str:
    """Return the text of the bundle; ``checks`` are those of ``bureau doctor``."""
    facts = await office.database.read(_facts)
    private = await office.database.read(_private_words)
    lines = await asyncio.to_thread(_last_lines, office.locations)
    said = [
        "Bureau diagnostics",
        *_versions(),
        f"database format {HEAD}",
        "",
        "Checks",
        *(f"{_MARKS[check['state']]} {_kind(check['name'])}" for check in checks),
        "",
        "Counts",
        *(f"{name} {count}" for name, count in facts["counts"].items()),
        *(f"erase reports {state} {count}" for state, count in facts["reports"].items()),
        "",
        "Settings",
        *(f"{key} = {value}" for key, value in facts["settings"].items()),
        "",
        f"Log, last {LINES} lines, quotations and names left out",
        *lines,
    ]
    return "\n".join(_without(redact(line), private, office.locations) for line in said) + "\n"


def save(text: str, path: Path) -> None:
    """Write a bundle to a new file. Raises Refused where one is there, or StorageError."""
    if path.exists():
        raise Refused(_("{path} is there already: name a new file.").format(path=path))
    try:
        with os.fdopen(create_private(path), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise told_by_system(error, path) from error


def _versions() -> list[str]:
    found = [
        f"Bureau {_version('bureau')}",
        f"Python {platform.python_version()} on {platform.system()} {platform.release()} {platform.machine()}",
    ]
    return [*found, *(f"{name} {_version(name)}" for name in LIBRARIES)]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _kind(name: str) -> str:
    """Return a check's own name; those of keys are called as their owner calls them, and are not told."""
    known = ("vault", "database", "audit", "backups", "recall", "sync", "disk", "swap", "folder")
    return name if name in known else "key"


def _facts(session: Session) -> dict[str, Any]:
    counts = {
        table.name: session.scalar(select(func.count()).select_from(table)) or 0
        for table in Base.metadata.sorted_tables
    }
    states: dict[str, int] = {}
    for report in reports(session, limit=1_000):
        states[report.state] = states.get(report.state, 0) + 1
    values = settings.values(session)
    told = {
        setting.key: values[setting.key]
        for setting in settings.declared()
        if setting.kind not in ("text", "state")
    }
    return {"counts": counts, "reports": states, "settings": told}


def _private_words(session: Session) -> tuple[str, ...]:
    """Return the names that the owner gave, which a log line might hold."""
    names = [connection.label for connection in accounts.connections(session)]
    names += [agent.name for agent in roster.agents(session)]
    return tuple(sorted({name for name in names if len(name) > 2}, key=len, reverse=True))


def _last_lines(locations: Locations) -> list[str]:
    found: list[str] = []
    for path in sorted(locations.logs.glob("*.log")):
        with path.open(encoding="utf-8", errors="replace") as file:
            file.seek(max(0, path.stat().st_size - LINES * _LONGEST_LINE))
            lines = [line.rstrip("\n")[:_LONGEST_LINE] for line in file.readlines()[-LINES:]]
        found += [f"[{path.name}]", *lines]
    return found


def _without(line: str, private: Sequence[str], locations: Locations) -> str:
    line = line.replace(str(locations.home), "<office>").replace(str(Path.home()), "<home>")
    for name in private:
        line = line.replace(name, "<name>")
    return _QUOTED.sub("<…>", line)

"""Agents as Markdown files with YAML front matter: reading, writing, and what strangers' files hold."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.errors import AgentFileMalformed
from resources.language import gettext as _

EFFORTS = ("quick", "normal", "deep")
SCOPES = ("office", "agent", "conversation")
MICROS = 1_000_000
MAX_FILE = 1_000_000
_OURS = (
    "name",
    "role",
    "avatar",
    "personality",
    "language",
    "time_zone",
    "connection",
    "model",
    "temperature",
    "max_tokens",
    "effort",
    "tools",
    "memory_scopes",
    "recipients",
    "accepts_own_notes",
    "run_cap",
    "day_cap",
    "librarian",
)


@dataclass(frozen=True, slots=True)
class AgentFile:
    """What an agent's file says. Caps are millionths of a dollar, in the file they are dollars.

    ``connection`` is the label of a provider account; ``recipients`` are hosts, none named are all; ``others``
    are fields that Bureau does not know, kept so that they are written out again.
    """

    name: str
    role: str = ""
    avatar: str = ""
    personality: str = ""
    language: str = ""
    time_zone: str = ""
    connection: str = ""
    model: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    effort: str = "normal"
    tools: tuple[str, ...] = ()
    memory_scopes: tuple[str, ...] = SCOPES
    recipients: tuple[str, ...] = ()
    accepts_own_notes: bool = False
    run_cap: int | None = None
    day_cap: int | None = None
    librarian: bool = False
    instructions: str = ""
    others: Mapping[str, Any] = field(default_factory=dict)


def read_agent_file(text: str) -> AgentFile:
    """Return what the Markdown text says. Raises AgentFileMalformed.

    Files of other programs are understood as far as they go: ``description`` is taken for the role,
    ``tools`` may be one comma-separated line, and a ``model`` such as ``inherit`` means the default.
    """
    if len(text) > MAX_FILE:
        raise AgentFileMalformed(_("This file is over 1 MB: an agent's file is a page of text."))
    front, body = _split(text)
    fields = _front_matter(front)
    name = " ".join(_word(fields, "name").split())
    if not name:
        raise AgentFileMalformed(_("The file names no agent: add a line “name: …” between the two “---”."))
    if len(name) > 80 or "@" in name:
        raise AgentFileMalformed(_("An agent's name has at most 80 characters and no “@”: shorten it."))
    return AgentFile(
        name=name,
        role=_word(fields, "role") or _word(fields, "description"),
        avatar=_word(fields, "avatar") or _word(fields, "color"),
        personality=_word(fields, "personality"),
        language=_word(fields, "language"),
        time_zone=_word(fields, "time_zone"),
        connection=_word(fields, "connection"),
        model=""
        if _word(fields, "model") in ("inherit", "sonnet", "opus", "haiku")
        else _word(fields, "model"),
        temperature=_number(fields, "temperature", 0, 2),
        max_tokens=_whole(fields, "max_tokens"),
        effort=_choice(fields, "effort", EFFORTS, "normal"),
        tools=_words(fields, "tools", ()),
        memory_scopes=_words(fields, "memory_scopes", SCOPES),
        recipients=_words(fields, "recipients", ()),
        accepts_own_notes=_switch(fields, "accepts_own_notes"),
        run_cap=_dollars(fields, "run_cap"),
        day_cap=_dollars(fields, "day_cap"),
        librarian=_switch(fields, "librarian"),
        instructions=body.strip(),
        others={key: value for key, value in fields.items() if key not in _OURS},
    )


def write_agent_file(agent: AgentFile) -> str:
    """Return the Markdown text of an agent; what is empty or the default is left out."""
    import yaml

    plain = AgentFile(name=agent.name)
    fields: dict[str, Any] = {}
    for key in _OURS:
        value = getattr(agent, key)
        if key == "name" or value != getattr(plain, key):
            if key in ("run_cap", "day_cap"):
                value = value / MICROS
            fields[key] = list(value) if isinstance(value, tuple) else value
    fields.update(agent.others)
    front = yaml.safe_dump(fields, allow_unicode=True, sort_keys=False, width=110, default_flow_style=None)
    return f"---\n{front}---\n{agent.instructions}\n"


def _split(text: str) -> tuple[str, str]:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != "---":
        raise AgentFileMalformed(
            _("This is no agent's file: its first line must be “---”, above the fields.")
        )
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() in ("---", "..."):
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :])
    raise AgentFileMalformed(_("The fields have no end: add a line “---” below them."))


def _front_matter(front: str) -> dict[str, Any]:
    import yaml

    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(front)):
            raise AgentFileMalformed(_("References (“*name”) are not allowed here: write the value out."))
        fields = yaml.safe_load(front)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark is not None else 1
        raise AgentFileMalformed(
            _("Line {line} is no valid YAML: check its colons, quotes and indentation.").format(line=line)
        ) from error
    except (ValueError, RecursionError) as error:
        raise AgentFileMalformed(
            _("A value between the two “---” cannot be read: put it in quotes.")
        ) from error
    if fields is None:
        return {}
    if not isinstance(fields, dict):
        raise AgentFileMalformed(_("Between the two “---” must stand lines of the form “name: value”."))
    return {str(key): value for key, value in fields.items()}


def _word(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    if value is None:
        return ""
    if isinstance(value, dict | list):
        raise AgentFileMalformed(_("“{key}” must be one line of text.").format(key=key))
    return str(value).strip()


def _words(fields: Mapping[str, Any], key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = fields.get(key)
    if value is None:
        return default
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list):
        raise AgentFileMalformed(_("“{key}” must be a list, as in “{key}: [one, two]”.").format(key=key))
    return tuple(dict.fromkeys(str(item).strip() for item in items if str(item).strip()))


def _number(fields: Mapping[str, Any], key: str, least: float, most: float) -> float | None:
    value = fields.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise AgentFileMalformed(
            _("“{key}” must be a number from {least} to {most}.").format(key=key, least=least, most=most)
        )
    return float(value)


def _whole(fields: Mapping[str, Any], key: str) -> int | None:
    value = fields.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 10_000_000:
        raise AgentFileMalformed(_("“{key}” must be a whole number above 0.").format(key=key))
    return value


def _dollars(fields: Mapping[str, Any], key: str) -> int | None:
    value = fields.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise AgentFileMalformed(_("“{key}” must be an amount in dollars, such as 0.50.").format(key=key))
    return round(value * MICROS)


def _choice(fields: Mapping[str, Any], key: str, choices: tuple[str, ...], default: str) -> str:
    value = _word(fields, key) or default
    if value not in choices:
        raise AgentFileMalformed(
            _("“{key}” must be one of {choices}.").format(key=key, choices=", ".join(choices))
        )
    return value


def _switch(fields: Mapping[str, Any], key: str) -> bool:
    value = fields.get(key, False)
    if not isinstance(value, bool):
        raise AgentFileMalformed(_("“{key}” must be true or false.").format(key=key))
    return value

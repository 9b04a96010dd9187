"""Known providers: where they are, how their keys begin, where a key is revoked."""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import resources

ConnectionKind = Literal["anthropic", "openai", "openai-compatible"]


@dataclass(frozen=True, slots=True)
class Preset:
    """One known provider; ``preferred`` are beginnings of model names, best first."""

    id: str
    name: str
    kind: ConnectionKind
    base_url: str
    key_prefix: str = ""
    keys_page: str = ""
    policy: str = ""
    """Where the provider says what becomes of what it is sent."""
    prices: str = ""
    """The provider's name in the price data."""
    local: bool = False
    preferred: tuple[str, ...] = field(default=())


@cache
def presets() -> tuple[Preset, ...]:
    """Return the known providers in the order in which they are offered."""
    path = Path(resources.__file__).parent / "presets" / "connections.json"
    rows = json.loads(path.read_text("utf-8"))
    return tuple(Preset(**{**row, "preferred": tuple(row["preferred"])}) for row in rows)


def preset(identity: str) -> Preset:
    """Return the preset of that id. Raises KeyError."""
    for candidate in presets():
        if candidate.id == identity:
            return candidate
    raise KeyError(identity)


def recognised(key: str) -> Preset | None:
    """Return the provider whose prefix the key carries unmistakably, else None: then its owner chooses."""
    return next((known for known in presets() if known.key_prefix and key.startswith(known.key_prefix)), None)


def preset_of(kind: str, base_url: str) -> Preset:
    """Return the preset that a stored connection belongs to, by its host, else the general one of its kind."""
    place = urlsplit(base_url)
    for candidate in presets():
        if candidate.kind == kind and urlsplit(candidate.base_url).netloc == place.netloc:
            return candidate
    return preset(kind if kind in {"anthropic", "openai"} else "compatible")

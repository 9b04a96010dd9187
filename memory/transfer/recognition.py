"""Says by its content what an archive holds: an export of Bureau, of ChatGPT or of Claude."""

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from memory.transfer.archives import Archive
from memory.transfer.errors import ArchiveUnknown
from memory.transfer.json_entries import BadEntry, entries
from resources.language import gettext as _

Kind = Literal["bureau", "chatgpt", "claude"]

KEY = "conversations"
"""Under which some exports keep their array."""

_CONVERSATIONS = re.compile(r"conversations(-\d+)?\.json")
_PROJECTS = re.compile(r"(?:.*/)?projects/[^/]+\.json|(?:.*/)?projects\.json")
_PACKED = re.compile(r"(conversations|data|batch).*\.zip", re.IGNORECASE)
_SIGNS: dict[str, Kind] = {
    "users.json": "claude",
    "memories.json": "claude",
    "user.json": "chatgpt",
    "chat.html": "chatgpt",
}
_BEGINNING = 64 * 1024
_PEEKED = 20
"""Entries that are looked at for one that tells what it is."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What an archive is, and the members that hold its records."""

    kind: Kind
    conversations: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    memories: tuple[str, ...] = ()


def recognise(archive: Archive) -> Recognised:
    """Return what the archive is. Raises ArchiveUnknown with what to do instead, or ArchiveDamaged."""
    by_base: dict[str, list[str]] = {}
    for name in archive.members:
        if "__MACOSX" not in name.split("/"):
            by_base.setdefault(name.rpartition("/")[2], []).append(name)
    if "bagit.txt" in by_base:
        return Recognised("bureau")
    parts = sorted(
        name for base, names in by_base.items() if _CONVERSATIONS.fullmatch(base) for name in names
    )
    projects = tuple(sorted(name for name in archive.members if _PROJECTS.fullmatch(name)))
    memories = tuple(by_base.get("memories.json", ()))
    if not (parts or projects or memories) and len(archive.members) == 1 and _is_json(archive):
        parts = [*archive.members]
    kinds = {kind for base, kind in _SIGNS.items() if base in by_base}
    if projects:
        kinds.add("claude")
    for name in parts:
        if found := _kind_of(archive, name):
            kinds = {found}
            break
    if len(kinds) != 1 or not (parts or projects or memories) or {*parts} & {*_SIGNS}:
        raise ArchiveUnknown(_unknown(archive, by_base))
    return Recognised(kinds.pop(), tuple(parts), projects, memories)


def _kind_of(archive: Archive, name: str) -> Kind | None:
    with archive.open(name) as stream:
        try:
            for number, entry in enumerate(entries(stream, name, KEY)):
                if isinstance(entry, BadEntry):
                    continue
                if "mapping" in entry:
                    return "chatgpt"
                if "chat_messages" in entry:
                    return "claude"
                if number == _PEEKED:
                    break
        except ArchiveUnknown:
            _explain_manifest(archive, name)
    return None


def _is_json(archive: Archive) -> bool:
    with archive.open(next(iter(archive.members))) as stream:
        return stream.read(_BEGINNING).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{")


def _explain_manifest(archive: Archive, name: str) -> None:
    """Raise ArchiveUnknown where the file only lists where the real export can be downloaded."""
    if archive.members[name].size > _BEGINNING * 16:
        return
    beginning = archive.read(name, _BEGINNING * 16).decode("utf-8", "replace")
    try:
        listed = json.loads(beginning)
    except (ValueError, RecursionError):
        return
    if _links(listed):
        raise ArchiveUnknown(
            _(
                "“{name}” only lists where the export can be downloaded: open its links in your browser, "
                "then bring in each zip."
            ).format(name=archive.name)
        )


def _links(value: Any, depth: int = 0) -> bool:
    if isinstance(value, str):
        return value.startswith("https://") and ".zip" in value
    if depth > 5:
        return False
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_links(one, depth + 1) for one in inner)


def _unknown(archive: Archive, by_base: dict[str, list[str]]) -> str:
    if any(_PACKED.fullmatch(base) for base in by_base):
        return _("“{name}” holds further zips: bring in each of them.").format(name=archive.name)
    return _(
        "“{name}” is no export of Bureau, ChatGPT or Claude that Bureau knows: choose the zip that was sent to you."
    ).format(name=archive.name)

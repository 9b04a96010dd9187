"""Kinds of data and counts of them as people read them."""

from collections.abc import Mapping

from desktop.wording import count, plural
from memory.lifecycle.subjects import Kind
from memory.lifecycle.trash import DAY
from resources.language import gettext as _
from resources.language import ngettext


def counted(kind: str, number: int) -> str:
    """Return how many records there are of a type of an export (``messages``, ``memory`` …): "3 messages"."""
    words = {
        "conversations": ngettext("{count} chat", "{count} chats", number),
        "messages": ngettext("{count} message", "{count} messages", number),
        "files": ngettext("{count} file", "{count} files", number),
        "memory": ngettext("{count} note", "{count} notes", number),
        "agents": ngettext("{count} agent", "{count} agents", number),
        "connections": ngettext("{count} key", "{count} keys", number),
        "runs": ngettext("{count} piece of work", "{count} pieces of work", number),
        "blobs": ngettext("{count} stored content", "{count} stored contents", number),
    }.get(kind, "{count} " + kind.replace("_", " "))
    return words.format(count=count(number))


def all_counted(counts: Mapping[str, int]) -> str:
    """Return several counts in one line, what has no name of its own as a sum; "nothing" where all are zero."""
    order = ("conversations", "messages", "files", "memory", "agents", "connections", "runs")
    known = [kind for kind in order if counts.get(kind)]
    parts = [counted(kind, counts[kind]) for kind in known]
    others = sum(number for kind, number in counts.items() if kind not in order and kind != "blobs")
    if others:
        parts.append(plural("and {count} more", "and {count} more", others))
    return ", ".join(parts) or _("nothing")


def kind_of(kind: Kind) -> str:
    """Return what one thing is."""
    return {
        "conversation": _("chat"),
        "message": _("message"),
        "file": _("file"),
        "note": _("note"),
        "agent": _("agent"),
        "connection": _("key"),
    }[kind]


def kind_picture(kind: Kind) -> str:
    """Return the icon that stands for a kind."""
    return {
        "conversation": "chat",
        "message": "quote",
        "file": "file",
        "note": "note",
        "agent": "team",
        "connection": "key",
    }[kind]


def days_left(leaves_at: int, at: int) -> str:
    """Return in how many days something leaves, the last one counted as a day."""
    days = -(-(leaves_at - at) // DAY)
    if days <= 0:
        return _("leaves with the next daily round")
    return plural("leaves in {count} day", "leaves in {count} days", days)

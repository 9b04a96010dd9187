"""What of a message leaves the machine, added up, and where it goes."""

from agents.connections.presets import preset_of
from agents.estimate import Estimate
from desktop.chats.inspector import Leaving
from resources.language import gettext as _


def parts_of(estimates: list[Estimate]) -> list[Leaving]:
    """Return the parts of what would be sent, those of several agents added up, the largest kinds first."""
    sums: dict[tuple[str, str], Leaving] = {}
    for estimate in estimates:
        for part in estimate.parts:
            if not part.tokens:
                continue
            # Instructions differ by agent; the list shows one line for all of them.
            name = _("Instructions, tools") if part.kind in ("instructions", "tools") else part.label
            kind = "instructions" if part.kind == "tools" else part.kind
            known = sums.get((kind, name))
            tokens = part.tokens + (known.tokens if known else 0)
            sums[kind, name] = Leaving(name, tokens, kind, part.reason)
    order = ("attachment", "conversation", "notes", "question", "instructions")
    return sorted(sums.values(), key=lambda each: order.index(each.kind) if each.kind in order else 9)


def destination(estimates: list[Estimate]) -> str:
    """Return where it would go: providers, and the labels of the keys."""
    names = dict.fromkeys(
        _("{provider}, key “{label}”").format(
            provider=preset_of(each.connection.kind, each.connection.base_url).name,
            label=each.connection.label,
        )
        for each in estimates
        if each.connection is not None
    )
    return "; ".join(names)

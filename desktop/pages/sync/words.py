"""How sync stands, in the words of the page."""

from collections.abc import Iterator

from agents.sync_files import moving_words
from agents.sync_refusals import refusal_words
from agents.sync_rounds import Standing
from agents.sync_standing import damaged_words
from agents.syncing import Here, Status
from desktop.pages.privacy.words import kind_of
from desktop.wording import ago, local, plural
from memory.lifecycle.subjects import TABLES
from memory.sync.aside import ABSENT, VERDICT
from memory.sync.listing import Listed
from memory.sync.outbox import Waiting
from memory.sync.taking import Round
from resources.language import gettext as _


def title_of(here: Here, standing: Standing) -> str:
    """Return in a few words what sync does now."""
    if not here.enabled:
        return _("Sync is paused")
    return {
        "working": _("Syncing …"),
        "failed": _("The last round did not go well"),
        "stopped": _("Sync waits for you"),
        "locked": _("Sync waits until the app is unlocked"),
    }.get(standing.phase, _("The last round did not go well") if here.fault else _("Sync is on"))


def queue_words(waiting: Waiting) -> str:
    """Return what is still to be sent."""
    number = waiting.marked + waiting.outbox
    if not number:
        return _("Nothing waits to be sent.")
    return plural("{count} change waits to be sent.", "{count} changes wait to be sent.", number)


def what_waits(status: Status) -> str:
    """Return what is still to be sent and to arrive, files too."""
    waiting, moving = status.waiting, status.moving
    words = queue_words(waiting) if waiting.marked + waiting.outbox or not moving.leaving else ""
    return " ".join(filter(None, (words, moving_words(moving))))


def times_words(here: Here, standing: Standing, at: int) -> str:
    """Return when the last good round was and when the next one comes."""
    last = _("none yet") if here.round_at is None else ago(here.round_at, at)
    parts = [_("Last round: {when}").format(when=last)]
    if not here.enabled:
        parts.append(_("nothing is received or sent until you go on"))
    elif standing.phase == "failed" and standing.next_at is not None:
        parts.append(_("next try at {when}").format(when=f"{local(standing.next_at):%H:%M:%S}"))
    elif standing.phase == "waiting" and standing.next_at is not None:
        when = f"{local(standing.next_at):%H:%M}"
        parts.append(_("next at {when}, or as soon as something changes").format(when=when))
    return " · ".join(parts)


def kind_of_record(one: Listed) -> str:
    """Return what a record is."""
    if one.type in TABLES:
        return kind_of(one.type)
    return _("setting") if one.type == "setting" else _("item")


def called(one: Listed) -> str:
    """Return how a record is called, or what it is, as the head of what is said about it."""
    kind = kind_of_record(one)
    return one.name or kind[:1].upper() + kind[1:]


def reason_of(one: Listed, devices: dict[str, str]) -> str:
    """Return why something was set aside; ``devices`` gives the names of devices by their ids."""
    if one.by == ABSENT:
        return _("the service has it no more")
    if one.by == VERDICT:
        return _("the service calls it erased")
    if one.by in devices:
        return _("erased by {device}, which was taken off").format(device=devices[one.by])
    return _("erased by a device that was taken off")


def why_apart(one: Listed) -> str:
    """Return why a record does not sync as everything else does."""
    return {
        "kept": _("stays on this device only: it went missing elsewhere, and you kept it"),
        "too_long": _("too long to sync"),
        "held": _("waits for what it belongs to"),
        "opaque": _("made by a newer Bureau: it is kept, and shown once this one is updated"),
    }[one.state]


def remarks(waiting: Waiting, done: Round | None) -> tuple[str, ...]:
    """Return what its owner should know beside that, each with what to do about it."""
    found = list(_waiting_words(waiting))
    if done is None:
        return tuple(found)
    if done.refusal is not None:
        found.append(str(done.refusal))
    if done.quota is not None:
        found.append(_("The room at the service is used up: erase something, or ask who runs it for more."))
    if done.epoch:
        found.append(_("This device has not received the newest key yet: open Bureau on another one."))
    if done.held_back:
        found.append(_("A hold keeps something that was erased on another device: release the hold first."))
    if done.far_ahead:
        found.append(_("The clock of one of your devices is more than a day ahead: set it right."))
    if done.damaged:
        found.append(damaged_words(done.damaged))
    if done.aside:
        words = plural(
            "{count} item went missing elsewhere without proof, and is in the trash here.",
            "{count} items went missing elsewhere without proof, and are in the trash here.",
            done.aside,
        )
        found.append(words)
    found += refusal_words(done.refused)
    return tuple(found)


def _waiting_words(waiting: Waiting) -> Iterator[str]:
    if waiting.too_long:
        yield plural(
            "{count} text is too long to sync: shorten it, or attach it as a file.",
            "{count} texts are too long to sync: shorten them, or attach them as files.",
            waiting.too_long,
        )
    if waiting.held:
        yield plural(
            "{count} item has arrived before what it belongs to, and is shown once that is there.",
            "{count} items have arrived before what they belong to, and are shown once that is there.",
            waiting.held,
        )
    if waiting.opaque:
        yield plural(
            "{count} item was made by a newer Bureau, and is kept unread.",
            "{count} items were made by a newer Bureau, and are kept unread.",
            waiting.opaque,
        )
    if waiting.kept:
        yield plural(
            "{count} item stays on this device only.",
            "{count} items stay on this device only.",
            waiting.kept,
        )

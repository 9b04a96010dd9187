"""What of the office syncs, as its owner chooses: by category, each of which is some types of records."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from memory import audit
from memory.errors import Refused
from memory.sync import space
from memory.sync.contents import FILE
from memory.sync.service.sign_in import is_service
from memory.sync.shapes import shapes
from resources.language import gettext as _


@dataclass(frozen=True, slots=True)
class Category:
    """A choice: its name, title and sentence, and the types of records it stands for."""

    name: str
    title: str
    sentence: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether a category syncs on this device."""

    category: Category
    chosen: bool


def categories() -> tuple[Category, ...]:
    """Return every category in the order of the page, in the chosen language."""
    return (
        Category(
            "agents",
            _("Agents"),
            _(
                "Names, instructions and limits; not their accounts and models, which each device has for itself."
            ),
            ("agent",),
        ),
        Category(
            "chats",
            _("Chats"),
            _("Chats with all their messages; the files in them are a choice of their own."),
            ("conversation", "message"),
        ),
        Category(
            "files",
            _("Files in chats"),
            _(
                "Files that were sent with messages, once the chat is there; each device reads them for itself."
            ),
            (FILE,),
        ),
        Category("notes", _("Notes"), _("What is remembered, and what waits to be accepted."), ("note",)),
        Category(
            "settings",
            _("Settings"),
            _("Effort, caps, recall, trash and deep erase; how the window looks stays with each device."),
            ("setting",),
        ),
    )


def types_of(names: Collection[str]) -> frozenset[str]:
    """Return the types of records of some categories. Raises Refused for a name that no category has."""
    known = {each.name: each.types for each in categories()}
    if unknown := sorted(set(names) - known.keys()):
        sentence = _("Nothing that syncs is called “{name}”: choose from {names}.")
        raise Refused(sentence.format(name=unknown[0], names=", ".join(known)))
    return frozenset(type_ for name in names for type_ in known[name])


def choices(session: Session) -> tuple[Choice, ...]:
    """Return what holds for each category; none is chosen where sync was never on."""
    here = space.of(session)
    chosen = set(here.types) if here is not None else set()
    return tuple(Choice(each, chosen.issuperset(each.types)) for each in categories())


def choose(session: Session, names: Sequence[str]) -> None:
    """Let these categories sync from now on, and no other. Raises Refused where sync was never on.

    What the others have of a category that was switched off stays there, and what waits to be sent goes on waiting;
    an erasure still reaches every device. Of one that is switched on all that is here is compared, and what was passed
    over meanwhile is fetched: a service gives it by its ids, a folder is read from the beginning.
    """
    here = space.of(session)
    if here is None:
        raise Refused(_("This office does not sync: turn it on with “bureau sync on FOLDER”."))
    types = (types_of(names) | set(space.ALWAYS)) & shapes().keys()
    added = types - set(here.types)
    if types == set(here.types):
        return
    here.types = sorted(types)
    if added:
        if not is_service(here.place):
            here.position = {}
        session.flush()
        space.mark_everything(session)
    audit.append(session, "sync chosen", "", {"categories": sorted(names)})

"""What the data map says about one place where the office keeps something."""

from dataclasses import dataclass, field
from enum import StrEnum

from resources.language import gettext as _


class Category(StrEnum):
    """What a person would call it; the Privacy page, filters and retention rules go by these."""

    CONVERSATIONS = "conversations"
    FILES = "files"
    NOTES = "notes"
    TEAM = "team"
    CONNECTIONS = "connections"
    SECRETS = "secrets"
    USAGE = "usage"
    OUTBOX = "outbox"
    AUDIT = "audit"
    SETTINGS = "settings"
    CONSENTS = "consents"
    COPIES = "copies"
    ERASURE = "erasure"
    INDEX = "index"
    LOGS = "logs"

    @property
    def words(self) -> str:
        """The category in the owner's language."""
        return _TITLES[self]()


_TITLES = {
    Category.CONVERSATIONS: lambda: _("Conversations"),
    Category.FILES: lambda: _("Files"),
    Category.NOTES: lambda: _("Notes"),
    Category.TEAM: lambda: _("Team"),
    Category.CONNECTIONS: lambda: _("Connections"),
    Category.SECRETS: lambda: _("Keys"),
    Category.USAGE: lambda: _("Usage"),
    Category.OUTBOX: lambda: _("Outbox"),
    Category.AUDIT: lambda: _("Audit trail"),
    Category.SETTINGS: lambda: _("Settings"),
    Category.CONSENTS: lambda: _("Consents"),
    Category.COPIES: lambda: _("Copies you made"),
    Category.ERASURE: lambda: _("What was erased"),
    Category.INDEX: lambda: _("Search index"),
    Category.LOGS: lambda: _("Logs"),
}


class Retention(StrEnum):
    """Who or what decides how long it stays."""

    RULE = "rule"
    """The owner's rule for its category, agent, conversation or file type; without one it is kept."""
    PARENT = "parent"
    """As long as what it belongs to."""
    MONTHS_24 = "24 months"
    DAYS_30 = "30 days"
    OFFICE = "office"
    """As long as the office itself."""
    DERIVED = "derived"
    """Made anew from what it was made of, and gone with it."""


class EraseRule(StrEnum):
    """What becomes of it when its subject is erased."""

    ROW = "row"
    """It is a subject of its own: its row is deleted."""
    CASCADE = "cascade"
    """Deleted in the same transaction with what it belongs to."""
    UNNAMED = "unnamed"
    """Stays as a count or a sum; the reference to what was erased is emptied."""
    KEY_AND_FILE = "key and file"
    """Its key is deleted and its file removed."""
    REBUILT = "rebuilt"
    """Destroyed whole, and made anew from what is left."""
    HASH_ONLY = "hash only"
    """Holds ids' hashes, counts and times, never content; it is the proof that erasing took place."""
    OFFICE = "office"
    """Destroyed with the office itself."""


NOBODY: tuple[str, ...] = ()
PROVIDER = ("provider",)
"""The provider of the connection that the addressed agent works on."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Everything the map knows of a place where data rest.

    ``place`` names it: ``table:message``, ``file:office.db``, ``keyring:master keys``. ``record`` is the type of
    its lines in an export, empty where it has none; ``exported`` are the columns those lines hold, ``left_out``
    says for each other column why it stays.
    """

    place: str
    category: Category
    purpose: str
    retention: Retention
    erase: EraseRule
    recipients: tuple[str, ...] = NOBODY
    record: str = ""
    exported: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """The table it describes, empty for another place."""
        kind, _colon, name = self.place.partition(":")
        return name if kind == "table" else ""

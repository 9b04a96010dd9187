"""What sync does only at its owner's word: many erasures, much that went missing, a service that begins anew."""

from collections.abc import Iterator

from agents.syncing import Word
from desktop.pages.folding import FlowLayout
from desktop.pages.owner_check import OwnerCheck
from desktop.pages.page import label
from desktop.pages.sync.acting import Act, ActingCard
from desktop.pages.sync.stack import Stack
from desktop.session import Session
from desktop.wording import count
from memory.sync.taking import Round
from resources.language import gettext as _
from resources.language import ngettext


class Asks(Stack):
    """A card for each question."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def show_round(self, done: Round | None) -> None:
        """Show what the last round asks."""
        wanted = (0, 0, "") if done is None else (done.asks, done.missing, done.generation)
        self.show_all(wanted, lambda: self._cards(*wanted))

    def _cards(self, erasures: int, missing: int, generation: str) -> Iterator["Ask"]:
        rounds = self._session.office.sync_rounds
        if erasures:
            words = ngettext(
                "{count} thing was erased on another device. Because it is so much at once, it still stands here: "
                "erase it here too only if you erased it.",
                "{count} things were erased on another device. Because they are so many at once, they still stand "
                "here: erase them here too only if you erased them.",
                erasures,
            ).format(count=count(erasures))
            act = _("Erase {count} here too").format(count=count(erasures))
            yield Ask(self._session, words, act, lambda: rounds.now(Word(confirmed=erasures)), erases=True)
        if missing:
            words = ngettext(
                "{count} more thing is missing at the service, without proof that you erased it. It still stands "
                "here. Put into the trash it stays 30 days.",
                "{count} more things are missing at the service, without proof that you erased them. They still "
                "stand here. Put into the trash they stay 30 days.",
                missing,
            ).format(count=count(missing))
            keep = (_("Keep all of it here"), self._session.office.syncing.keep_missing)
            yield Ask(
                self._session,
                words,
                _("Put {count} into the trash").format(count=count(missing)),
                lambda: rounds.now(Word(missing=missing)),
                other=keep,
            )
        if generation:
            words = _(
                "The service begins anew with your office: it was reset, or came out of a backup. Nothing is deleted "
                "here. If you go on, this device fetches what is there and sends what the service lacks."
            )
            yield Ask(self._session, words, _("Go on"), lambda: rounds.now(Word(generation=generation)))


class Ask(ActingCard):
    """One question; what ``erases`` asks for the owner's passphrase first, where the office has one."""

    def __init__(
        self,
        session: Session,
        words: str,
        title: str,
        act: Act,
        *,
        erases: bool = False,
        other: tuple[str, Act] | None = None,
    ) -> None:
        super().__init__(session)
        self._act, self._erases = act, erases
        self.setAccessibleName(words)
        column = self.column
        column.addWidget(label(_("Sync asks you"), "strong"))
        column.addWidget(label(words, wrap=True))
        self.owner = OwnerCheck(session)
        self.owner.given.connect(lambda: self.attempt(self._go_on))
        column.addWidget(self.owner)
        column.addWidget(self.fault)
        row = FlowLayout()
        self.yes = self.button(row, title, lambda: self.attempt(self._go_on))
        self.yes.setProperty("kind", "danger" if erases else "primary")
        if other is not None:
            self.button(row, other[0], lambda: self.attempt(other[1]))
        column.addLayout(row)

    async def _go_on(self) -> None:
        if not self._erases or await self.passed(self.owner):
            await self._act()

"""Retention: how long things stay, what leaves next, and what a hold keeps."""

from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtWidgets import QComboBox, QPushButton, QWidget

from agents.errors import AgentsError
from agents.events import (
    ConversationChanged,
    Erased,
    NotesChanged,
    RetentionAsks,
    RosterChanged,
    TrashChanged,
)
from agents.sync_standing import clock_words
from desktop.pages.folding import FlowLayout, FoldingRow
from desktop.pages.page import Page, card, clear, label
from desktop.pages.privacy.leaving import LeavingCard
from desktop.pages.privacy.marks import MarksCard
from desktop.pages.privacy.new_rule import NewRule
from desktop.session import Session
from memory import chats
from memory.errors import NotFound, Refused, StorageError
from memory.lifecycle.data_map import Category
from memory.lifecycle.retention import LEDGER_DAYS, Rule, Scope, rulable
from resources.language import gettext as _
from resources.language import ngettext
from vault.errors import VaultError

DAYS: tuple[int, ...] = (7, 30, 90, 365, LEDGER_DAYS)
_LEDGERS = (Category.USAGE, Category.OUTBOX, Category.AUDIT, Category.ERASURE)
FOR_EVER, DEFAULT = -1, 0


def days_words(days: int | None) -> str:
    """Return how long something stays; None is for ever."""
    if days is None:
        return _("for ever")
    if days == 365:
        return _("a year")
    if days == LEDGER_DAYS:
        return _("two years")
    return ngettext("{count} day", "{count} days", days).format(count=days)


class RetentionPart(Page):
    """A rule for each category, narrower ones below them, and the look ahead."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Retention"))
        self.column.addWidget(
            label(
                _(
                    "What is older than its rule allows is erased once a day and when Bureau starts. "
                    "The narrowest rule decides. What is pinned or held stays."
                ),
                "dim",
                wrap=True,
            )
        )
        self.asks = self._asking()
        self.column.addWidget(self.asks)
        self.leaving = LeavingCard(session, self._run_round)
        self.column.addWidget(self.leaving)
        frame, self._rules = card()
        self._rules.setSpacing(4)
        self.column.addWidget(frame)
        self.new_rule = NewRule(session, self._set)
        self.column.addWidget(self.new_rule)
        self.marks = MarksCard(session)
        self.column.addWidget(self.marks)
        self.column.addStretch(1)
        self.choices: dict[tuple[str, str], QComboBox] = {}
        for kind in (ConversationChanged, NotesChanged, RosterChanged, TrashChanged, Erased):
            session.on(kind, lambda _event: self.mark_stale())
        session.on(RetentionAsks, self._show_asking)

    async def load(self) -> None:
        rules = {(rule.scope, rule.scope_id): rule for rule in await self.session.office.keeping.rules()}
        names = {key: await self._name(rule) for key, rule in rules.items()}
        clear(self._rules)
        self.choices = {}
        self._rules.addWidget(label(_("How long things stay"), "heading"))
        for name in rulable():
            key: tuple[Scope, str] = ("category", name)
            self._rules.addWidget(self._row(key, Category(name).words, rules.get(key)))
        for key, rule in rules.items():
            if rule.scope != "category":
                self._rules.addWidget(self._row(key, names[key], rule))
        await self.new_rule.offer()
        await self.leaving.show_next()
        await self.marks.show_all()
        self.show_content()

    def _row(self, key: tuple[Scope, str], title: str, rule: Rule | None) -> QWidget:
        row = FoldingRow(360, gap=4)
        row.row.setContentsMargins(0, 2, 0, 2)
        row.row.addWidget(label(title, wrap=True), 1)
        choice = QComboBox()
        choice.setAccessibleName(_("How long it stays: {what}").format(what=title))
        ledger = key[0] == "category" and key[1] in _LEDGERS
        if key[0] != "category":
            choice.addItem(_("as the wider rule says"), DEFAULT)
        elif ledger:
            choice.addItem(_("two years (usual)"), DEFAULT)
        known = DAYS if rule is None or rule.days is None else sorted({*DAYS, rule.days})
        for days in known:
            if not (ledger and days == LEDGER_DAYS):
                choice.addItem(days_words(days), days)
        choice.addItem(days_words(None), FOR_EVER)
        stands = DEFAULT if rule is None and ledger else FOR_EVER if rule is None else rule.days or FOR_EVER
        choice.setCurrentIndex(choice.findData(stands))
        choice.activated.connect(lambda: self._set(*key, int(choice.currentData())))
        choice.setMinimumWidth(150)
        self.choices[key] = choice
        row.row.addWidget(choice)
        return row

    async def _name(self, rule: Rule) -> str:
        office = self.session.office
        try:
            if rule.scope == "agent":
                return _("Chats and notes of {name}").format(
                    name=(await office.roster.agent(rule.scope_id)).name
                )
            if rule.scope == "conversation":
                conversation = await office.database.read(chats.conversation, rule.scope_id)
                return _("The chat “{title}”").format(title=conversation.title or _("New chat"))
        except NotFound:
            return _("Something that is gone")
        if rule.scope == "file_type":
            return _("Files of the kind {kind}").format(kind=rule.scope_id)
        return Category(rule.scope_id).words

    def _set(self, scope: Scope, scope_id: str, days: int) -> None:
        self.session.spawn(self._change(scope, scope_id, days), name="change a rule")

    async def _change(self, scope: Scope, scope_id: str, days: int) -> None:
        keeping = self.session.office.keeping
        before = next(
            (rule for rule in await keeping.rules() if (rule.scope, rule.scope_id) == (scope, scope_id)), None
        )
        try:
            await self._store(scope, scope_id, days)
        except Refused as error:
            self.session.fail(str(error))
        else:
            former = DEFAULT if before is None else before.days or FOR_EVER
            self.session.notify(
                _("The rule is changed. Nothing is erased before the next daily round."),
                label=_("Undo"),
                act=lambda: self._begin(self._undo(scope, scope_id, former)),
            )
        await self.load()

    async def _store(self, scope: Scope, scope_id: str, days: int) -> None:
        keeping = self.session.office.keeping
        if days == DEFAULT:
            await keeping.drop_rule(scope, scope_id)
        else:
            await keeping.set_rule(scope, scope_id, None if days == FOR_EVER else days)

    async def _undo(self, scope: Scope, scope_id: str, days: int) -> None:
        await self._store(scope, scope_id, days)
        await self.load()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self.session.spawn(work, name="change a rule")

    def _asking(self) -> QWidget:
        frame, column = card()
        self._asks = label("", "warn", wrap=True)
        column.addWidget(self._asks)
        row = FlowLayout()
        doors: tuple[tuple[str, Callable[[], object]], ...] = (
            (_("Erase them"), lambda: self._begin(self._round(confirmed=True))),
            (_("Leave them for now"), frame.hide),
        )
        for words, act in doors:
            button = QPushButton(words)
            button.clicked.connect(act)
            row.addWidget(button)
        column.addLayout(row)
        frame.hide()
        return frame

    def _show_asking(self, event: RetentionAsks) -> None:
        words = ngettext(
            "{count} thing is due by what it shows now.",
            "{count} things are due by what it shows now.",
            event.count,
        ).format(count=event.count)
        why = clock_words(event.ahead) or (_("The clock of this machine jumped."),)
        self._asks.setText(" ".join((*why, words)))
        self.asks.show()

    def _run_round(self) -> None:
        self._begin(self._round(confirmed=False))

    async def _round(self, *, confirmed: bool) -> None:
        try:
            done = await self.session.office.daily.round(confirmed=confirmed)
        except (AgentsError, StorageError, VaultError) as error:
            self.session.fail(str(error))
            return
        if not done.asks:
            self.asks.hide()
            number = done.trash + done.retention
            words = ngettext("{count} thing was erased.", "{count} things were erased.", number)
            self.session.notify(words.format(count=number) if number else _("Nothing was due."))
        await self.load()

"""Who receives my data: every host that data went or would go to, and the consent that it rests on."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout

from agents.events import ConnectionsChanged, OutboxChanged, RosterChanged
from agents.lifecycle.recipients import Recipient, recipients
from desktop.pages.folding import FoldingRow
from desktop.pages.outbox import category_words
from desktop.pages.page import Page, clear, label
from desktop.session import Session
from desktop.wording import ago, count, moment, size
from memory import consents
from memory.consents import Consent
from memory.identifiers import now
from resources.language import gettext as _
from resources.language import ngettext


class ReceiversPart(Page):
    """A card for each host, and the history of consents below them."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Who receives my data"))
        self.column.addWidget(
            label(
                _("Nothing leaves this machine but requests to these hosts. Each one stands in the outbox."),
                "dim",
                wrap=True,
            )
        )
        self._list = QVBoxLayout()
        self._list.setSpacing(8)
        self.column.addLayout(self._list)
        self.column.addStretch(1)
        for kind in (ConnectionsChanged, OutboxChanged, RosterChanged):
            session.on(kind, lambda _event: self.mark_stale())

    async def load(self) -> None:
        database = self.session.office.database
        found = await database.read(recipients)
        given = await database.read(consents.consents)
        if not found:
            self.show_empty(
                "globe",
                _("Nobody receives your data"),
                _("Once a key of a provider is here, what you give its agents goes to that provider."),
                _("Add a key"),
                lambda: self.session.page_wanted.emit("keys"),
            )
            return
        clear(self._list)
        for one in found:
            self._list.addWidget(ReceiverCard(self, one))
        if given:
            self._list.addSpacing(6)
            self._list.addWidget(label(_("Consents"), "heading"))
        for consent in given:
            self._list.addWidget(_consent_card(consent))
        self.show_content()

    def change(self, host: str, *, allow: bool) -> None:
        """Withdraw a consent or give it again."""
        self.session.spawn(self._change(host, allow=allow), name="change a consent")

    async def _change(self, host: str, *, allow: bool) -> None:
        database = self.session.office.database
        if allow:
            await database.write(consents.give, host)
            said = _("{host} may receive your data.")
        else:
            await database.write(consents.withdraw, host)
            said = _("Nothing more is sent to {host}. What it has already, it keeps.")
        self.session.notify(
            said.format(host=host), label=_("Undo"), act=lambda: self.change(host, allow=not allow)
        )
        self.mark_stale()


class ReceiverCard(QFrame):
    """One host: through which keys, by which agents, what kinds of data, how much."""

    def __init__(self, part: ReceiversPart, one: Recipient) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.setAccessibleName(one.host)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 12, 12)
        row = FoldingRow(460)
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addWidget(label(one.host, "strong", wrap=True))
        for line in receiver_lines(one):
            words.addWidget(label(line, "small", wrap=True))
        if one.consent == "withdrawn":
            words.addWidget(label(_("You withdrew your consent: nothing is sent."), "warn", wrap=True))
        row.row.addLayout(words, 1)
        withdrawn = one.consent == "withdrawn"
        door = QPushButton(_("Allow again") if withdrawn else _("Send nothing more"))
        door.setAccessibleName(f"{door.text()}: {one.host}")
        door.setToolTip(consents.text_of(one.host))
        door.clicked.connect(lambda: part.change(one.host, allow=withdrawn))
        row.row.addWidget(door, 0, Qt.AlignmentFlag.AlignVCenter)
        column.addWidget(row)


def receiver_lines(one: Recipient) -> list[str]:
    """Return what is known of a host, one sentence a line."""
    result = []
    if one.here:
        result.append(_("on this machine"))
    if one.connections:
        result.append(_("Keys: {names}").format(names=", ".join(one.connections)))
    if one.agents:
        result.append(_("Agents: {names}").format(names=", ".join(one.agents)))
    if one.requests and one.last_at is not None:
        sent = ngettext(
            "{count} request, {size}, last {when}", "{count} requests, {size}, last {when}", one.requests
        )
        result.append(
            sent.format(count=count(one.requests), size=size(one.bytes_sent), when=ago(one.last_at, now()))
        )
        kinds = ", ".join(category_words(each) for each in one.categories)
        if kinds:
            result.append(_("Received: {kinds}").format(kinds=kinds))
    else:
        result.append(_("Nothing was sent yet."))
    return result


def _consent_card(consent: Consent) -> QFrame:
    frame = QFrame()
    frame.setProperty("kind", "card")
    column = QVBoxLayout(frame)
    column.setContentsMargins(16, 12, 16, 12)
    column.setSpacing(3)
    column.addWidget(label(consents.text_of(consent.host), wrap=True))
    facts = _("given {when}").format(when=moment(consent.given_at))
    if consent.withdrawn_at is not None:
        facts += " · " + _("withdrawn {when}").format(when=moment(consent.withdrawn_at))
    column.addWidget(label(facts, "small", wrap=True))
    frame.setAccessibleName(consent.host)
    frame.setAccessibleDescription(facts)
    return frame

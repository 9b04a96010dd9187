"""Keys: where each is stored, whether it works, what it was used for and what it cost."""

from collections.abc import AsyncIterator
from functools import partial

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout

from agents.connections.check import Step
from agents.connections.errors import ProviderError
from agents.connections.presets import preset_of
from agents.events import ConnectionsChanged
from desktop.faults import sentence_of
from desktop.pages.check_steps import CheckSteps
from desktop.pages.folding import FlowLayout
from desktop.pages.key_form import KeyForm
from desktop.pages.page import Page, card, clear, label
from desktop.session import Session
from desktop.wording import ago, money
from memory import ledger
from memory.accounts import Connection
from memory.identifiers import now
from resources.language import gettext as _
from vault.errors import VaultError
from vault.secret import Secret


class KeysPage(Page):
    """A card for each key, and a form for another one."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Keys"))
        self.add = self.action(_("Add a key"), self.show_form, primary=True)
        self._form_card, form_column = card()
        heading = QHBoxLayout()
        heading.addWidget(label(_("Add a key"), "heading"), 1)
        close = QPushButton(_("Close"))
        close.setProperty("kind", "flat")
        close.clicked.connect(self.hide_form)
        heading.addWidget(close)
        form_column.addLayout(heading)
        self.form = KeyForm(session)
        form_column.addWidget(self.form)
        self._form_card.hide()
        self.column.addWidget(self._form_card)
        self._cards = QVBoxLayout()
        self._cards.setSpacing(12)
        self.column.addLayout(self._cards)
        self.column.addStretch(1)
        self.cards: dict[str, KeyCard] = {}
        session.on(ConnectionsChanged, lambda _event: self.mark_stale())

    def show_form(self) -> None:
        """Open the form for another key."""
        self.form.reset()
        self._form_card.show()
        self.show_content()
        self.form.setFocus()

    def hide_form(self) -> None:
        """Fold the form; a card shows what came of it."""
        self._form_card.hide()
        self.reload()

    async def load(self) -> None:
        connections = await self.session.office.connections.all()
        if not connections and not self._form_card.isVisible():
            self.show_empty(
                "key",
                _("No keys yet"),
                _(
                    "With a key of a provider, agents think and write. Without one the librarian still "
                    "answers by quoting your files and conversations."
                ),
                _("Add a key"),
                self.show_form,
            )
            return
        spent = await self.session.office.database.read(ledger.usage_by, "key")
        costs = {each.key: each.cost for each in spent}
        if any(each.busy for each in self.cards.values()):
            return  # a card that shows a check under way stays until it has ended
        clear(self._cards)
        self.cards = {}
        for number, connection in enumerate(connections):
            self.cards[connection.id] = KeyCard(
                self.session, connection, costs.get(connection.id, 0), is_default=number == 0
            )
            self._cards.addWidget(self.cards[connection.id])
        self.show_content()


class KeyCard(QFrame):
    """One key with its doors: check, rotate, revoke, remove."""

    def __init__(
        self, session: Session, connection: Connection, spent: int | None, *, is_default: bool
    ) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.setAccessibleName(connection.label)
        self._session = session
        self._connection = connection
        self.busy = False
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 14, 16, 14)
        self._column.setSpacing(8)
        self._head(is_default)
        self._facts(spent)
        self.steps = CheckSteps()
        last = connection.last_check
        if last and last.get("steps"):
            self.steps.show_rows(last["steps"])
        else:
            self.steps.hide()
        self._column.addWidget(self.steps)
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        self._column.addWidget(self.fault)
        self._rotation()
        self._doors(is_default)

    def _head(self, is_default: bool) -> None:
        row = QHBoxLayout()
        row.addWidget(label(self._connection.label, "heading", wrap=True), 1)
        if is_default:
            row.addWidget(label(_("default"), "small"))
        row.addWidget(label(self._connection.mask or _("no key needed"), "mono"))
        self._column.addLayout(row)

    def _facts(self, spent: int | None) -> None:
        one, at = self._connection, now()
        place = self._session.office.vault.store.name
        parts = [one.base_url.removeprefix("https://")]
        if one.default_model:
            parts.append(one.default_model)
        if one.mask:
            parts.append(_("kept in {place}").format(place=place))
            parts.append(_("fingerprint {mark}").format(mark=one.fingerprint))
        self._column.addWidget(label(" · ".join(parts), "small", wrap=True))
        used = ago(one.last_used_at, at) if one.last_used_at else _("never")
        checked = ago(one.last_checked_at, at) if one.last_checked_at else _("never")
        facts = [
            _("checked {when}").format(when=checked),
            _("used {when}").format(when=used),
            _("spent {cost}").format(cost=money(spent)),
        ]
        if one.rotated_at:
            facts.append(_("rotated {when}").format(when=ago(one.rotated_at, at)))
        self._column.addWidget(label(" · ".join(facts), "small", wrap=True))

    def _rotation(self) -> None:
        self.new_key = QLineEdit()
        self.new_key.setEchoMode(QLineEdit.EchoMode.Password)
        self.new_key.setPlaceholderText(_("Paste the new key, then press Enter"))
        self.new_key.setAccessibleName(_("New key for {label}").format(label=self._connection.label))
        self.new_key.returnPressed.connect(self._rotate)
        self.new_key.hide()
        self._column.addWidget(self.new_key)

    def _doors(self, is_default: bool) -> None:
        row = FlowLayout()
        self.check = QPushButton(_("Check"))
        self.check.clicked.connect(self._check)
        row.addWidget(self.check)
        if self._connection.mask:
            rotate = QPushButton(_("Rotate"))
            rotate.clicked.connect(self._ask_for_new_key)
            row.addWidget(rotate)
        provider = preset_of(self._connection.kind, self._connection.base_url)
        if provider.keys_page and self._connection.mask:
            row.addWidget(_link(_("Provider’s key page"), provider.keys_page))
        if provider.policy:
            row.addWidget(_link(_("Provider’s privacy terms"), provider.policy))
        if not is_default:
            first = QPushButton(_("Make default"))
            first.setAccessibleName(_("Make {label} the default").format(label=self._connection.label))
            first.setToolTip(_("Used by agents and chats that name no key"))
            first.clicked.connect(
                lambda: self._session.spawn(self._make_default(), name="choose the default key")
            )
            row.addWidget(first)
        self.remove = QPushButton(_("Remove"))
        self.remove.setProperty("kind", "danger")
        self.remove.clicked.connect(self._ask_to_remove)
        row.addWidget(self.remove)
        self._column.addLayout(row)

    def _check(self) -> None:
        steps = self._session.office.connections.check(self._connection.id)
        self._session.spawn(self._follow(steps), name="check a key")

    def _ask_for_new_key(self) -> None:
        self.new_key.show()
        self.new_key.setFocus()

    def _rotate(self) -> None:
        if self.new_key.text().strip():
            key = Secret(self.new_key.text().strip())
            self.new_key.clear()
            steps = self._session.office.connections.rotate(self._connection.id, key)
            self._session.spawn(self._follow(steps), name="rotate a key")

    async def _follow(self, steps: AsyncIterator[Step]) -> None:
        self.busy = True
        self.check.setEnabled(False)
        self.fault.hide()
        self.steps.show()
        try:
            await self.steps.follow(steps)
        except (ProviderError, VaultError) as error:
            self.fault.setText(sentence_of(error))
            self.fault.show()
        else:
            self.busy = False
            self._session.office.events.publish(ConnectionsChanged())
        finally:
            self.busy = False
            self.check.setEnabled(True)

    def _ask_to_remove(self) -> None:
        """A destroyed key cannot come back, so the second press decides."""
        if self.remove.property("asked"):
            self._session.spawn(self._remove(), name="remove a key")
            return
        self.remove.setProperty("asked", True)
        self.remove.setText(_("Destroy this key"))
        self.fault.setText(
            _(
                "The key is destroyed here at once. It still works elsewhere until you revoke it at its provider."
            )
        )
        self.fault.show()

    async def _make_default(self) -> None:
        await self._session.office.connections.make_default(self._connection.id)
        self._session.office.events.publish(ConnectionsChanged())

    async def _remove(self) -> None:
        await self._session.office.connections.remove(self._connection.id)
        self._session.office.events.publish(ConnectionsChanged())
        self._session.notify(_("The key “{label}” is destroyed.").format(label=self._connection.label))


def _link(words: str, address: str) -> QPushButton:
    """Return a button that opens a page of the provider in the browser, and says where it leads."""
    button = QPushButton(words)
    button.setToolTip(address)
    button.clicked.connect(partial(QDesktopServices.openUrl, QUrl(address)))
    return button

"""The recovery key of the office: offered, and its words shown once."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from desktop.pages.page import clear, label
from desktop.pages.recovery_words import RecoveryWords
from desktop.session import Session
from resources.language import gettext as _


class RecoverySection(QWidget):
    """Offers the key, shows its 24 words once, and forgets them when the owner says they are kept.

    ``words_shown`` comes with the words, ``kept`` when the owner confirmed.
    """

    kept = Signal()
    words_shown = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(10)
        self._offer()

    def _offer(self) -> None:
        clear(self._column)
        vault = self._session.office.vault
        has_one = vault.has_recovery_key
        place = vault.store.name
        sentence = _(
            "Your keys are kept in {place}. If it is ever lost or reset, only a recovery key of 24 words "
            "opens this office again."
        ).format(place=place)
        if has_one:
            sentence += " " + _("You have one; making a new one makes the old one useless.")
        self._column.addWidget(label(sentence, "dim", wrap=True))
        button = QPushButton(_("Make a new recovery key") if has_one else _("Make a recovery key"))
        button.clicked.connect(lambda: self._session.spawn(self._make(), name="make a recovery key"))
        self._column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeading)

    async def _make(self) -> None:
        words = await self._session.office.new_recovery_key()
        clear(self._column)
        shown = RecoveryWords(
            self._session,
            words,
            _("Recovery key of the Bureau office in {folder}").format(
                folder=self._session.office.locations.home
            ),
            _("Whoever has these words can open the office."),
            "bureau-recovery-key",
        )
        shown.kept.connect(self._done)
        self._column.addWidget(shown)
        shown.setFocus()
        self.words_shown.emit()

    def _done(self) -> None:
        self._offer()
        self.kept.emit()

"""A card in which its owner does something that may be refused."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from PySide6.QtWidgets import QApplication, QLayout, QPushButton, QWidget
from shiboken6 import isValid

from agents.errors import AgentsError
from desktop.faults import sentence_of
from desktop.pages.owner_check import OwnerCheck
from desktop.pages.page import Card, label
from desktop.session import Session
from memory.errors import StorageError
from vault.errors import VaultError

Act = Callable[[], Awaitable[object]]


@contextmanager
def out_of_reach(part: QWidget, focus_next: Callable[[], QWidget | None] = lambda: None) -> Iterator[None]:
    """Keep a part of a page out of reach; the focus that was in it comes back, or goes where ``focus_next`` says."""
    focused = QApplication.focusWidget()
    within = focused is not None and part.isAncestorOf(focused)
    part.setEnabled(False)
    pushed_to = QApplication.focusWidget()
    try:
        yield
    finally:
        part.setEnabled(True)
    target = focus_next() or focused
    # Who has gone elsewhere meanwhile stays there.
    if within and target is not None and isValid(target) and QApplication.focusWidget() is pushed_to:
        target.setFocus()


class ActingCard(Card):
    """Does one thing at a time. What is refused stands in ``fault``, which each card puts into its column.

    Afterwards the focus is where it was, or at ``focus_next`` where what was done has set that.
    """

    def __init__(self, session: Session, heading: str = "") -> None:
        super().__init__(heading)
        self._session = session
        self.focus_next: QWidget | None = None
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()

    def attempt(self, act: Act) -> None:
        """Begin to do something."""
        self._session.spawn(self.attempted(act), name=f"act on {self.accessibleName()}")

    async def attempted(self, act: Act) -> None:
        """Do something, with the card out of reach meanwhile."""
        self.fault.hide()
        self.focus_next = None
        with out_of_reach(self, lambda: self.focus_next):
            try:
                await act()
            except (StorageError, VaultError, AgentsError) as error:
                self.fault.setText(sentence_of(error))
                self.fault.show()

    async def passed(self, owner: OwnerCheck) -> bool:
        """Whether the owner's passphrase is there or not needed; where it is asked for, its field is next."""
        if await owner.passed():
            return True
        self.focus_next = owner.field
        return False

    def button(self, row: QLayout, words: str, act: Callable[[], object]) -> QPushButton:
        """Add a button to a row."""
        button = QPushButton(words)
        button.clicked.connect(act)
        row.addWidget(button)
        return button

"""App lock: what opens the window after a pause; when it locks stands in Settings."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from desktop.pages.lock_section import LockSection
from desktop.pages.page import Page, card
from desktop.session import Session
from resources.language import gettext as _


class LockPart(Page):
    """The passphrase of the lock, with the door to the settings of when it locks."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("App lock"))
        frame, column = card()
        self.section = LockSection(session)
        column.addWidget(self.section)
        self.column.addWidget(frame)
        settings = QPushButton(_("Settings"))
        settings.clicked.connect(lambda: session.setting_wanted.emit("lock.after_minutes"))
        self.column.addWidget(settings, 0, Qt.AlignmentFlag.AlignLeading)
        self.column.addStretch(1)

    async def load(self) -> None:
        await self.section.show_state()
        self.show_content()

"""Privacy: a list of parts beside the part that is looked at; narrow, the list becomes a choice above it."""

import importlib
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.pages.page import HEADER, Page
from desktop.session import Session
from desktop.theme.appearance import appearance, look
from desktop.theme.icons import icon
from resources.language import gettext as _

_WIDTH = 208
_FOLDS_BELOW = 660
_ICON = 18


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page: its name, title and icon, and where its page is made."""

    name: str
    title: str
    icon: str
    module: str
    kind: str


def parts() -> tuple[Part, ...]:
    """Return the parts in the order of the list."""
    place = "desktop.pages.privacy"
    return (
        Part("data", _("My data"), "library", f"{place}.my_data", "DataPart"),
        Part("receivers", _("Who receives it"), "globe", f"{place}.receivers", "ReceiversPart"),
        Part("purposes", _("Purposes"), "eye", f"{place}.purposes", "PurposesPart"),
        Part("export", _("Export"), "outbox", f"{place}.exporting", "ExportPart"),
        Part("import", _("Import"), "download", f"{place}.importing", "ImportPart"),
        Part("retention", _("Retention"), "clock", f"{place}.retention", "RetentionPart"),
        Part("trash", _("Trash"), "trash", f"{place}.trash", "TrashPart"),
        Part("erase", _("Erase"), "erase", f"{place}.erase", "ErasePart"),
        Part("backups", _("Backups"), "recovery", f"{place}.backups", "BackupPart"),
        Part("audit", _("Audit trail"), "tasks", f"{place}.audit_trail", "AuditPart"),
        Part("lock", _("App lock"), "lock", f"{place}.lock", "LockPart"),
        Part("diagnostics", _("Diagnostics"), "tool", f"{place}.diagnostics", "DiagnosticsPart"),
    )


class PrivacyPage(QWidget):
    """Each part is a page of its own, made when it is first looked at."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setAccessibleName(_("Privacy"))
        self._made: dict[str, Page] = {}
        self._side = QWidget()
        self._side.setObjectName("sidebar")
        self._side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._title = QLabel(_("Privacy"))
        self.list = _list()
        self.choice = QComboBox()
        self.choice.setAccessibleName(_("Part of the page"))
        self._stack = QStackedWidget()
        column = QVBoxLayout(self._side)
        column.setContentsMargins(10, 12, 10, 8)
        column.setSpacing(10)
        column.addWidget(self._title)
        column.addWidget(self.choice)
        column.addWidget(self.list, 1)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._row.addWidget(self._side)
        self._row.addWidget(self._stack, 1)
        for part in parts():
            self.list.addItem(QListWidgetItem(part.title))
            self.choice.addItem(part.title, part.name)
        self.list.currentRowChanged.connect(self._choose)
        self.choice.currentIndexChanged.connect(self._choose)
        appearance().changed.connect(self._fit)
        self._fit()
        self.list.setCurrentRow(0)

    def show_part(self, name: str) -> Page:
        """Bring a part to the front and return its page. Raises KeyError for a name that no part has."""
        place = {part.name: number for number, part in enumerate(parts())}[name]
        self.list.setCurrentRow(place)
        return self._made[name]

    @property
    def current(self) -> str:
        """The name of the part that is looked at."""
        return parts()[max(0, self.list.currentRow())].name

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold()

    def _choose(self, place: int) -> None:
        if not 0 <= place < len(parts()):
            return
        self.list.setCurrentRow(place)
        self.choice.setCurrentIndex(place)
        part = parts()[place]
        if part.name not in self._made:
            page: Page = getattr(importlib.import_module(part.module), part.kind)(self._session)
            self._made[part.name] = page
            page.show_title(self.list.isVisibleTo(self))
            self._stack.addWidget(page)
        self._stack.setCurrentWidget(self._made[part.name])

    def _fit(self) -> None:
        theme, side = look().theme, look().px(_ICON)
        self._title.setFont(look().font(16, 600))
        self.list.setIconSize(QSize(side, side))
        for number, part in enumerate(parts()):
            item = self.list.item(number)
            item.setIcon(icon(part.icon, theme.dim, side, active=theme.accent))
            item.setSizeHint(QSize(0, look().px(36)))
        self._fold()

    def _fold(self) -> None:
        narrow = self.width() < look().px(_FOLDS_BELOW)
        self.choice.setVisible(narrow)
        self.list.setVisible(not narrow)
        self._title.setVisible(not narrow)
        down = QBoxLayout.Direction.TopToBottom
        self._row.setDirection(down if narrow else QBoxLayout.Direction.LeftToRight)
        self._side.setMinimumWidth(0 if narrow else look().px(_WIDTH))
        self._side.setMaximumWidth(16777215 if narrow else look().px(_WIDTH))
        self._side.setMaximumHeight(look().px(HEADER) if narrow else 16777215)
        for page in self._made.values():
            page.show_title(not narrow)
        self.setFocusProxy(self.choice if narrow else self.list)


def _list() -> QListWidget:
    found = QListWidget()
    found.setProperty("kind", "plain")
    found.setAccessibleName(_("Parts of the page"))
    found.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    found.setUniformItemSizes(True)
    return found

"""The column that shows where an answer's words stand: the cited page, sheet, slide or line, or a whole file."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QImage,
    QKeyEvent,
    QPixmap,
    QResizeEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStackedWidget,
    QTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop.chats.source_text import Finding, Leaf, position_words
from desktop.theme.appearance import appearance, look
from desktop.theme.icons import icon
from desktop.theme.tokens import colour
from resources.language import gettext as _

_HEADER = 52
_LINE_PERCENT = 135
_PARAGRAPH = 7


class SourcePane(QWidget):
    """Shows one file at a time; ``closed`` when its reader is done with it (its cross, Esc), ``menu_wanted`` at its
    menu button.
    """

    closed = Signal()
    menu_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("inspector")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(_("Source"))
        self._leaves: Sequence[Leaf] = ()
        self._at = 0
        self._finding = Finding(0)
        self._full_name = ""
        self.name = QLabel()
        self.place = QLabel()
        self.text = QTextEdit()
        self.picture = Picture()
        self.words = QLabel()
        self.previous = _button("chevron-left", _("Previous page"))
        self.next = _button("chevron-right", _("Next page"))
        self.more = _button("more", _("More"))
        self.close_button = _button("close", _("Close the source (Esc)"))
        self._body = QStackedWidget()
        self._lay_out()
        self.previous.clicked.connect(lambda: self._turn(-1))
        self.next.clicked.connect(lambda: self._turn(1))
        self.more.clicked.connect(self.menu_wanted)
        self.close_button.clicked.connect(self.closed)
        appearance().changed.connect(self._restyle)
        self._restyle()

    def show_words(self, name: str, sentence: str) -> None:
        """Show a sentence in place of the file: that it is being read, or why it cannot be shown."""
        self._begin(name, ())
        self.words.setText(sentence)
        self._body.setCurrentWidget(self.words)

    def show_leaves(self, name: str, leaves: Sequence[Leaf], finding: Finding, *, quoted: bool) -> None:
        """Show a file at what was found in it; ``quoted`` says that words were looked for."""
        self._begin(name, leaves)
        self._finding, self._at = finding, finding.leaf
        self.missing.setVisible(quoted and finding.start == finding.end)
        self._show_leaf()
        self._body.setCurrentWidget(self.text)

    def show_picture(self, name: str, detail: str, image: QImage) -> None:
        """Show a picture as wide as the column allows."""
        self._begin(name, ())
        self.place.setText(detail)
        self.place.show()
        self.picture.show_image(image, name)
        self._body.setCurrentWidget(self.picture)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes, PageUp and PageDown with Ctrl turn the pages."""
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.key() in (
            Qt.Key.Key_PageUp,
            Qt.Key.Key_PageDown,
        ):
            self._turn(-1 if event.key() == Qt.Key.Key_PageUp else 1)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _begin(self, name: str, leaves: Sequence[Leaf]) -> None:
        self._leaves, self._full_name = leaves, name
        self.name.setToolTip(name)
        self.name.setAccessibleName(name)
        self.missing.hide()
        self._foot.setVisible(len(leaves) > 1)
        self.place.setVisible(bool(leaves))
        self._elide()

    def _show_leaf(self) -> None:
        leaf = self._leaves[self._at]
        self.place.setText(leaf.label)
        self.place.setVisible(bool(leaf.label))
        self.number.setText(position_words(self._at + 1, len(self._leaves)))
        self.previous.setEnabled(self._at > 0)
        self.next.setEnabled(self._at + 1 < len(self._leaves))
        self.text.setPlainText(leaf.text)
        airy = QTextBlockFormat()
        airy.setLineHeight(_LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        if leaf.paragraphs:
            airy.setBottomMargin(look().px(_PARAGRAPH))
        everything = QTextCursor(self.text.document())
        everything.select(QTextCursor.SelectionType.Document)
        everything.mergeBlockFormat(airy)
        self.text.setAccessibleName(f"{self._full_name}, {leaf.label}")
        self._mark()
        # The lines are placed at the column's width only once it is shown.
        QTimer.singleShot(0, self, self._scroll_to_finding)

    def _turn(self, step: int) -> None:
        if 0 <= self._at + step < len(self._leaves):
            self._at += step
            self._show_leaf()

    def _cursor(self) -> QTextCursor | None:
        """Return the found words as a selection, None where this leaf does not hold them."""
        if self._at != self._finding.leaf or not self._leaves:
            return None
        # Qt counts in UTF-16, so what stands before may be longer than its characters.
        text = self._leaves[self._at].text
        start = len(text[: self._finding.start].encode("utf-16-le")) // 2
        end = len(text[: self._finding.end].encode("utf-16-le")) // 2
        cursor = QTextCursor(self.text.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _mark(self) -> None:
        cursor = self._cursor()
        marks = []
        if cursor is not None and cursor.hasSelection():
            style = QTextCharFormat()
            style.setBackground(colour(look().theme.find_current))
            style.setForeground(colour(look().theme.text))
            mark = QTextEdit.ExtraSelection()
            mark.cursor, mark.format = cursor, style
            marks.append(mark)
        self.text.setExtraSelections(marks)

    def _scroll_to_finding(self) -> None:
        cursor = self._cursor()
        if cursor is not None:
            cursor.setPosition(cursor.selectionStart())
            self.text.setTextCursor(cursor)
            bar, box = self.text.verticalScrollBar(), self.text.cursorRect(cursor)
            bar.setValue(bar.value() + box.top() - self.text.viewport().height() // 3)

    def _lay_out(self) -> None:
        self.name.setTextFormat(Qt.TextFormat.PlainText)
        self.name.setProperty("role", "section")
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        for each in (self.place, self.words):
            each.setTextFormat(Qt.TextFormat.PlainText)
            each.setProperty("role", "small")
            each.setWordWrap(True)
        self.words.setContentsMargins(16, 12, 16, 12)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)
        self.missing = QLabel(
            _("The quoted words do not stand here word for word; this is the place that was named.")
        )
        self.missing.setProperty("role", "small")
        self.missing.setWordWrap(True)
        self.missing.setContentsMargins(16, 8, 16, 4)
        self.text.setReadOnly(True)
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.text.setTabChangesFocus(True)
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.text.viewport().setAutoFillBackground(False)
        self.text.document().setDocumentMargin(16)
        for each_page in (self.text, self.picture, self.words):
            self._body.addWidget(each_page)
        self._header = QWidget()
        self._header.setObjectName("header")
        self._header.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addStretch(1)
        names.addWidget(self.name)
        names.addWidget(self.place)
        names.addStretch(1)
        head = QHBoxLayout(self._header)
        head.setContentsMargins(16, 0, 10, 0)
        head.addLayout(names, 1)
        head.addWidget(self.more)
        head.addWidget(self.close_button)
        self._foot = QWidget()
        self.number = QLabel()
        self.number.setProperty("role", "small")
        foot = QHBoxLayout(self._foot)
        foot.setContentsMargins(10, 6, 10, 8)
        foot.addWidget(self.previous)
        foot.addStretch(1)
        foot.addWidget(self.number)
        foot.addStretch(1)
        foot.addWidget(self.next)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)  # the line at its edge
        column.setSpacing(0)
        column.addWidget(self._header)
        column.addWidget(self.missing)
        column.addWidget(self._body, 1)
        column.addWidget(self._foot)

    def _restyle(self) -> None:
        here = look()
        self._header.setFixedHeight(here.px(_HEADER))
        self.text.setFont(here.font(13))
        for button in (self.previous, self.next, self.more, self.close_button):
            side = here.px(18)
            button.setIcon(
                icon(str(button.property("picture")), here.theme.dim, side, active=here.theme.text)
            )
            button.setIconSize(QSize(side, side))
        self._mark()
        self._elide()

    def _elide(self) -> None:
        room = max(60, self.name.width())
        elided = self.name.fontMetrics().elidedText(
            self._full_name.replace("\n", " "), Qt.TextElideMode.ElideMiddle, room
        )
        self.name.setText(elided)


class Picture(QLabel):
    """A picture at most as wide as its room and at most as large as it is."""

    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        self.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.setMinimumSize(1, 1)
        self.setContentsMargins(16, 16, 16, 16)

    def show_image(self, image: QImage, name: str) -> None:
        """Show a picture under its name."""
        self._image = image
        self.setAccessibleName(name)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = self.contentsRect().size()
        if self._image.isNull() or room.isEmpty():
            return
        ratio = self.devicePixelRatioF()
        wanted = self._image.size().scaled(room * ratio, Qt.AspectRatioMode.KeepAspectRatio)
        wanted = wanted.boundedTo(self._image.size())
        pixmap = QPixmap.fromImage(
            self._image.scaled(
                wanted, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
        )
        pixmap.setDevicePixelRatio(ratio)
        self.setPixmap(pixmap)


def _button(picture: str, name: str) -> QToolButton:
    made = QToolButton()
    made.setProperty("picture", picture)
    made.setAccessibleName(name)
    made.setToolTip(name)
    return made

"""The composer as a whole: text, chips, pills, meter and the round button."""

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QFrame, QLabel, QToolButton, QWidget

from desktop.composer.completion import Completion, CompletionPopup, matching
from desktop.composer.draft_files import DraftFile, chips_of
from desktop.composer.editor import ComposerEditor
from desktop.composer.picker import Choice, PickerPill
from desktop.composer.send_button import SendButton
from desktop.theme.appearance import appearance, look
from desktop.theme.icons import icon
from desktop.widgets.chip import ChipRow, flow
from desktop.widgets.rounded import rounded
from resources.language import gettext as _

_SHARE = 0.4
"""Part of the window's height that the text may take."""


class Composer(QFrame):
    """Knows nothing of the office; the wiring gives it choices and listens.

    ``submitted(text)``; ``stop_requested()``; ``attach_requested()``; ``files_dropped(list of paths)``;
    ``image_pasted(QImage)``; ``long_paste(text)``; ``draft_changed(text)``; ``recall_requested()``;
    ``attachment_removed(id)``, ``attachment_opened(id)``; ``agent_chosen(id)``, ``model_chosen(id)``,
    ``effort_chosen(id)``;
    ``meter_clicked()`` for the account of what will be sent; ``command_chosen(name)``;
    ``height_changed()`` when its ``sizeHint`` has changed.
    """

    submitted = Signal(str)
    stop_requested = Signal()
    attach_requested = Signal()
    files_dropped = Signal(list)
    image_pasted = Signal(object)
    long_paste = Signal(str)
    draft_changed = Signal(str)
    recall_requested = Signal()
    attachment_removed = Signal(str)
    attachment_opened = Signal(str)
    agent_chosen = Signal(str)
    model_chosen = Signal(str)
    effort_chosen = Signal(str)
    meter_clicked = Signal()
    command_chosen = Signal(str)
    height_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._agents: tuple[Completion, ...] = ()
        self._commands: tuple[Completion, ...] = ()
        self._running = self._closed = False
        self._height = 0
        self.editor = ComposerEditor(self)
        self.chips = ChipRow(self)
        self.chips.hide()
        self._attach = QToolButton(self)
        self._attach.setToolTip(_("Attach files"))
        self._attach.setAccessibleName(_("Attach files"))
        self.agent = PickerPill(_("Agent"), self)
        self.model = PickerPill(_("Model"), self)
        self.effort = PickerPill(_("Effort"), self)
        self._meter = QLabel(self)
        self._meter.setProperty("role", "small")
        self._meter.installEventFilter(self)
        self.send = SendButton(self)
        self.popup = CompletionPopup(self.window())
        self.popup.chosen.connect(self._complete)
        for pill in (self.agent, self.model, self.effort):
            pill.hide()
        self.setAcceptDrops(True)
        self.setAccessibleName(_("Composer"))
        self._connect()
        self._restyle()

    def _connect(self) -> None:
        editor = self.editor
        editor.installEventFilter(self)
        editor.submit.connect(self.submit)
        editor.stop.connect(self.stop_requested)
        editor.recall.connect(self.recall_requested)
        editor.files_pasted.connect(self.files_dropped)
        editor.image_pasted.connect(self.image_pasted)
        editor.long_pasted.connect(self.long_paste)
        editor.height_wanted.connect(self._arrange)
        editor.textChanged.connect(self._text_changed)
        editor.cursorPositionChanged.connect(self._suggest)
        self._attach.clicked.connect(self.attach_requested)
        self.agent.picked.connect(self.agent_chosen)
        self.model.picked.connect(self.model_chosen)
        self.effort.picked.connect(self.effort_chosen)
        self.send.clicked.connect(self._press_send)
        appearance().changed.connect(self._restyle)

    # What the wiring sets

    def text(self) -> str:
        """Return what is written."""
        return self.editor.toPlainText()

    def set_text(self, text: str) -> None:
        """Put a draft in, the cursor at its end."""
        self.editor.setPlainText(text)
        cursor = self.editor.textCursor()
        cursor.movePosition(cursor.MoveOperation.End)
        self.editor.setTextCursor(cursor)

    def insert(self, text: str) -> None:
        """Insert a quotation or a typed letter at the cursor and take the keyboard."""
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)
        if not self._closed:
            self.editor.insertPlainText(text)

    def set_completions(self, agents: tuple[Completion, ...], commands: tuple[Completion, ...]) -> None:
        """Set what @ and / offer."""
        self._agents, self._commands = agents, commands

    def set_agents(self, choices: tuple[Choice, ...], current: str) -> None:
        """Set the agents of the first pill."""
        self.agent.set_choices(choices, current)
        self._arrange()

    def set_models(self, choices: tuple[Choice, ...], current: str) -> None:
        """Set the models of the second pill."""
        self.model.set_choices(choices, current)
        self._arrange()

    def set_efforts(self, choices: tuple[Choice, ...], current: str) -> None:
        """Set the efforts of the third pill; none hides it."""
        self.effort.set_choices(choices, current)
        self._arrange()

    def set_meter(self, words: str, tip: str = "") -> None:
        """Show what the message will cost ("21,480 tokens · about $0.07")."""
        self._meter.setText(words)
        self._meter.setToolTip(tip)
        self._arrange()

    def set_attachments(self, files: tuple[DraftFile, ...]) -> None:
        """Show the files of the draft, each with a cross."""
        self.chips.set_chips(
            chips_of(files, self.chips, self.attachment_removed.emit, self.attachment_opened.emit)
        )
        self._show_send()
        self._arrange()

    def set_running(self, running: bool) -> None:
        """Turn the round button to Stop while an answer runs and nothing is written."""
        self._running = running
        self._show_send()

    def set_closed(self, closed: bool) -> None:
        """Take neither words nor files while closed; what is written stays, can be read and copied."""
        self._closed = closed
        self.editor.set_closed(closed)
        for part in (self._attach, self.chips, self.agent, self.model, self.effort):
            part.setEnabled(not closed)
        self._show_send()

    # What happens

    def submit(self) -> None:
        """Send what is written, if it is more than space or has files."""
        text = self.text()
        if not self._closed and (text.strip() or not self.chips.isHidden()):
            self.popup.hide()
            self.submitted.emit(text)

    def _press_send(self) -> None:
        if self.send.stops:
            self.stop_requested.emit()
        else:
            self.submit()

    def _text_changed(self) -> None:
        self._show_send()
        self._suggest()
        self.draft_changed.emit(self.text())

    def _show_send(self) -> None:
        written = not self._closed and (bool(self.text().strip()) or not self.chips.isHidden())
        self.send.show_state(stops=self._running and not written, ready=written or self._running)

    def _suggest(self) -> None:
        start, word = self.editor.word_before_cursor()
        items: list[Completion] = []
        if word.startswith("@"):
            items = matching(self._agents, word[1:])
        elif word.startswith("/") and start == 0:
            items = matching(self._commands, word[1:])
        if len(items) == 1 and word[1:] == items[0].text:
            items = []
        if self.popup.parentWidget() is not self.window():
            self.popup.setParent(self.window())
        corner = self.editor.mapTo(self.window(), QPoint(0, -look().px(8))) if self.window() else QPoint()
        self.popup.offer(items if self.editor.hasFocus() else [], corner, self.width())

    def _complete(self, item: Completion) -> None:
        if item.agent:
            self.editor.replace_word(f"@{item.text} ")
        else:
            self.editor.replace_word("")
            self.command_chosen.emit(item.text)
        self.editor.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the list of suggestions have its keys first, and the meter be clicked."""
        if watched is self.editor and event.type() == QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            return self.popup.press(event)
        if watched is self.editor and event.type() in (QEvent.Type.FocusOut, QEvent.Type.FocusIn):
            if event.type() == QEvent.Type.FocusOut:
                self.popup.hide()
            self.update()
        if watched is self._meter and event.type() == QEvent.Type.MouseButtonRelease:
            self.meter_clicked.emit()
        return False

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome files anywhere on the composer."""
        if event.mimeData().hasUrls() and not self._closed:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Attach what is dropped."""
        self.editor.insertFromMimeData(event.mimeData())
        event.acceptProposedAction()

    # Look

    def _restyle(self) -> None:
        here = look()
        size = here.px(18)
        self._attach.setIcon(icon("attach", here.theme.dim, size, active=here.theme.text))
        self._attach.setIconSize(QSize(size, size))
        self._meter.setCursor(Qt.CursorShape.PointingHandCursor)
        self._arrange()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height that the text and the chips ask for."""
        return QSize(look().px(680), self._height)

    def minimumSizeHint(self) -> QSize:
        """Return the least width; the height is what the text asks for."""
        return QSize(look().px(240), self._height)

    def showEvent(self, event: QShowEvent) -> None:
        """Count the lines again: a hidden text has no width."""
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the parts."""
        self._arrange()

    def _arrange(self) -> None:
        here = look()
        pad, width = here.px(14), self.width()
        inner = max(40, width - 2 * pad)
        limit = max(here.px(60), int(self.window().height() * _SHARE))
        y = here.px(13)
        # The lines are counted at the new width.
        self.editor.setGeometry(pad, y, inner, self.editor.height())
        wanted = self.editor.wanted_height()
        self.editor.resize(inner, min(wanted, limit))
        self.editor.set_scrolling(wanted > limit)
        y += min(wanted, limit) + here.px(8)
        if not self.chips.isHidden():
            tall = self.chips.heightForWidth(inner)
            self.chips.setGeometry(pad, y, inner, tall)
            y += tall + here.px(8)
        y = self._arrange_tools(y, pad, inner) + here.px(11)
        if y != self._height:
            self._height = y
            self.setFixedHeight(y)
            self.height_changed.emit()

    def _arrange_tools(self, y: int, pad: int, inner: int) -> int:
        """Place pills, meter and button; where it is narrow the pills take a line of their own."""
        here = look()
        tall, gap, side = here.px(30), here.px(7), here.px(28)
        pills: list[QWidget] = [pill for pill in (self.agent, self.model, self.effort) if not pill.isHidden()]
        x, right = pad + side + here.px(2), pad + inner - tall - gap
        if x + sum(pill.sizeHint().width() + gap for pill in pills) > right + gap:
            mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
            y += flow(pills, inner, QPoint(pad, y), gap, mirrored) + gap
            pills = []
        self._place(self._attach, QRect(pad - here.px(5), y + (tall - side) // 2, side, side))
        for pill in pills:
            size = pill.sizeHint()
            self._place(pill, QRect(x, y + (tall - size.height()) // 2, size.width(), size.height()))
            x += size.width() + gap
        meter = self._meter.sizeHint()
        self._meter.setVisible(bool(self._meter.text()) and meter.width() + gap <= right - x)
        top = y + (tall - meter.height()) // 2
        self._place(
            self._meter, QRect(right - meter.width() - here.px(3), top, meter.width(), meter.height())
        )
        self._place(self.send, QRect(pad + inner - tall, y, tall, tall))
        return y + tall

    def _place(self, widget: QWidget, box: QRect) -> None:
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            box.moveLeft(self.width() - box.right() - 1)
        widget.setGeometry(box)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame, in the accent while it has the keyboard."""
        here = look()
        painter = QPainter(self)
        edge = here.theme.accent if self.editor.hasFocus() else here.theme.line
        rounded(painter, self.rect(), here.theme.panel, edge, here.px(12))

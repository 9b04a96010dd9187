"""The one application style sheet, written from the tokens.

Widgets choose their look by dynamic properties, set before they are first shown:
``role`` on labels (title, heading, section, strong, dim, small, mono, danger, ok, warn), ``kind`` on push buttons
(primary, flat, danger, link) and on frames (card, panel, side, well, line).
Object names of the frame: ``rail``, ``sidebar``, ``inspector``, ``header``.
"""

from collections.abc import Callable
from pathlib import Path

from desktop.theme.fonts import SMALL, families
from desktop.theme.tokens import Theme

Scale = Callable[[float], str]
"""Turns a length of the design into a length of the style sheet."""

_MARKS = (Path(__file__).resolve().parents[2] / "resources" / "icons" / "style").as_posix()


def stylesheet(theme: Theme, zoom: float = 1.0) -> str:
    """Return the style sheet of a scheme with all lengths scaled by the text zoom."""

    def px(length: float) -> str:
        return f"{max(1, round(length * zoom))}px"

    return "\n".join(
        part(theme, px) for part in (_labels, _frames, _buttons, _fields, _choices, _views, _bars)
    )


def _labels(theme: Theme, px: Scale) -> str:
    return f"""
QLabel {{ background: transparent; color: {theme.text}; }}
QLabel[role="title"] {{ font-size: {px(20)}; font-weight: 600; }}
QLabel[role="heading"] {{ font-size: {px(15)}; font-weight: 600; }}
QLabel[role="section"] {{ font-size: {px(13)}; font-weight: 600; }}
QLabel[role="strong"] {{ font-weight: 600; }}
QLabel[role="dim"] {{ color: {theme.dim}; }}
QLabel[role="small"] {{ color: {theme.dim}; font-size: {px(SMALL)}; }}
QLabel[role="mono"] {{ font-family: "{families()[1]}"; font-size: {px(SMALL)}; }}
QLabel[role="danger"] {{ color: {theme.danger_text}; }}
QLabel[role="warn"] {{ color: {theme.warn_text}; }}
QLabel[role="ok"] {{ color: {theme.ok_text}; }}
QToolTip {{ background: {theme.panel}; color: {theme.text}; border: 1px solid {theme.line};
  padding: {px(4)} {px(6)}; font-size: {px(SMALL)}; }}
"""


def _frames(theme: Theme, px: Scale) -> str:
    return f"""
QMainWindow, QDialog {{ background: {theme.bg}; }}
QFrame[kind="card"] {{ background: {theme.panel}; border: 1px solid {theme.line}; border-radius: {px(12)}; }}
QFrame[kind="panel"] {{ background: {theme.panel}; border: none; }}
QFrame[kind="side"] {{ background: {theme.side}; border: none; }}
QFrame[kind="well"] {{ background: {theme.code}; border: 1px solid {theme.line}; border-radius: {px(8)}; }}
QFrame[kind="line"] {{ background: {theme.line}; border: none; max-height: 1px; min-height: 1px; }}
QWidget#rail {{ background: {theme.side}; border: none; border-right: 1px solid {theme.line}; }}
QWidget#sidebar {{ background: {theme.bg}; border: none; border-right: 1px solid {theme.line}; }}
QWidget#inspector {{ background: {theme.bg}; border: none; border-left: 1px solid {theme.line}; }}
QWidget#header {{ background: {theme.bg}; border: none; border-bottom: 1px solid {theme.line}; }}
QWidget#rail QToolButton {{ border-radius: {px(10)}; padding: {px(9)}; }}
QWidget#rail QToolButton:checked {{ background: {theme.selection}; }}
QSplitter::handle {{ background: {theme.line}; }}
QScrollArea, QScrollArea > QWidget > QWidget#page {{ background: transparent; border: none; }}
"""


def _buttons(theme: Theme, px: Scale) -> str:
    focus = f"border: 1px solid {theme.accent};"
    return f"""
QPushButton {{ background: {theme.panel}; color: {theme.text}; border: 1px solid {theme.line};
  border-radius: {px(8)}; padding: {px(5)} {px(12)}; min-height: {px(18)}; font-weight: 500; }}
QPushButton:hover {{ background: {theme.hover}; }}
QPushButton:pressed {{ background: {theme.selection}; }}
QPushButton:focus {{ {focus} }}
QPushButton:disabled {{ color: {theme.dim}; background: {theme.bg}; }}
QPushButton[kind="primary"] {{ background: {theme.accent}; color: {theme.on_accent};
  border: 1px solid {theme.accent}; }}
QPushButton[kind="primary"]:hover {{ background: {_blend(theme.accent, theme.text, 0.12)}; }}
QPushButton[kind="primary"]:focus {{ border: 2px solid {theme.text}; padding: {px(4)} {px(11)}; }}
QPushButton[kind="primary"]:disabled {{ background: {theme.line}; border-color: {theme.line};
  color: {theme.dim}; }}
QPushButton[kind="danger"] {{ color: {theme.danger_text}; }}
QPushButton[kind="danger"]:hover {{ background: {theme.danger_bg}; border-color: {theme.danger}; }}
QPushButton[kind="flat"] {{ background: transparent; border: 1px solid transparent; color: {theme.dim}; }}
QPushButton[kind="flat"]:hover {{ background: {theme.hover}; color: {theme.text}; }}
QPushButton[kind="flat"]:focus {{ {focus} }}
QPushButton[kind="link"] {{ background: transparent; border: 1px solid transparent; color: {theme.accent};
  padding: {px(2)} 0; }}
QPushButton[kind="link"]:focus {{ {focus} }}
QPushButton::menu-indicator {{ image: none; width: 0; }}
QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: {px(7)};
  padding: {px(4)}; color: {theme.text}; }}
QToolButton:hover {{ background: {theme.hover}; }}
QToolButton:checked {{ background: {theme.selection}; }}
QToolButton:focus {{ {focus} }}
QToolButton::menu-indicator {{ image: none; }}
"""


def _fields(theme: Theme, px: Scale) -> str:
    return f"""
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QDateEdit, QDateTimeEdit, QTextEdit[kind="field"],
QPlainTextEdit[kind="field"] {{ background: {theme.panel}; color: {theme.text};
  border: 1px solid {theme.line}; border-radius: {px(8)}; padding: {px(5)} {px(9)};
  selection-background-color: {theme.text_selection}; selection-color: {theme.text}; }}
QLineEdit, QSpinBox, QDoubleSpinBox, QDateEdit, QComboBox {{ min-height: {px(20)}; }}
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QDateEdit:focus, QComboBox:focus, QTextEdit[kind="field"]:focus,
QPlainTextEdit[kind="field"]:focus {{ border: 1px solid {theme.accent}; }}
QLineEdit[state="error"] {{ border: 1px solid {theme.danger}; }}
QLineEdit:disabled, QComboBox:disabled {{ color: {theme.dim}; background: {theme.bg}; }}
QComboBox::drop-down {{ border: none; width: {px(22)}; }}
QComboBox::down-arrow, QSpinBox::down-arrow, QDoubleSpinBox::down-arrow, QDateEdit::down-arrow {{
  image: url({_MARKS}/chevron.svg); width: {px(12)}; height: {px(12)}; }}
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow, QDateEdit::up-arrow {{
  image: url({_MARKS}/chevron-up.svg); width: {px(10)}; height: {px(10)}; }}
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button,
QDateEdit::up-button, QDateEdit::down-button {{
  border: none; background: transparent; width: {px(18)}; }}
QComboBox QAbstractItemView {{ background: {theme.panel}; border: 1px solid {theme.line};
  border-radius: {px(8)}; padding: {px(4)}; outline: none; selection-background-color: {theme.selection};
  selection-color: {theme.text}; }}
"""


def _choices(theme: Theme, px: Scale) -> str:
    mark = "dark" if theme.dark else "light"
    return f"""
QCheckBox, QRadioButton {{ spacing: {px(8)}; background: transparent; color: {theme.text}; }}
QCheckBox::indicator, QRadioButton::indicator {{ width: {px(15)}; height: {px(15)};
  border: 1px solid {_blend(theme.line, theme.dim, 0.5)}; background: {theme.panel}; }}
QCheckBox::indicator {{ border-radius: {px(4)}; }}
QRadioButton::indicator {{ border-radius: {px(8)}; }}
QCheckBox::indicator:checked {{ background: {theme.accent}; border-color: {theme.accent};
  image: url({_MARKS}/check-{mark}.svg); }}
QCheckBox:disabled, QRadioButton:disabled {{ color: {theme.dim}; }}
QCheckBox::indicator:checked:disabled {{ background: {theme.line}; border-color: {theme.line}; }}
QRadioButton::indicator:checked {{ border: {px(5)} solid {theme.accent}; width: {px(7)};
  height: {px(7)}; background: {theme.panel}; }}
QCheckBox::indicator:focus, QRadioButton::indicator:focus {{ border-color: {theme.accent}; }}
QMenu {{ background: {theme.panel}; color: {theme.text}; border: 1px solid {theme.line};
  border-radius: {px(10)}; padding: {px(5)}; }}
QMenu::item {{ padding: {px(6)} {px(22)} {px(6)} {px(10)}; border-radius: {px(6)}; }}
QMenu::item:selected {{ background: {theme.selection}; color: {theme.text}; }}
QMenu::item:disabled {{ color: {theme.dim}; }}
QMenu::separator {{ height: 1px; background: {theme.line}; margin: {px(5)} {px(8)}; }}
QMenu::icon {{ padding-left: {px(8)}; }}
QTabBar::tab {{ background: transparent; color: {theme.dim}; padding: {px(6)} {px(12)};
  border: none; border-bottom: 2px solid transparent; font-weight: 500; }}
QTabBar::tab:selected {{ color: {theme.text}; border-bottom: 2px solid {theme.accent}; }}
QTabBar::tab:hover {{ color: {theme.text}; }}
QTabBar::tab:selected:focus {{ color: {theme.accent}; background: {theme.accent_bg}; }}
QTabWidget::pane {{ border: none; border-top: 1px solid {theme.line}; }}
"""


def _views(theme: Theme, px: Scale) -> str:
    return f"""
QListView, QTreeView, QTableView {{ background: {theme.panel}; color: {theme.text};
  border: 1px solid {theme.line}; border-radius: {px(10)}; outline: none;
  gridline-color: {theme.line}; selection-background-color: {theme.selection};
  selection-color: {theme.text}; alternate-background-color: {theme.bg}; }}
QListView[kind="plain"], QTreeView[kind="plain"], QTableView[kind="plain"] {{
  background: transparent; border: none; }}
QListView::item, QTreeView::item {{ padding: {px(6)} {px(8)}; border-radius: {px(8)}; }}
QListView::item:hover {{ background: {theme.hover}; }}
QListView::item:selected {{ background: {theme.selection}; color: {theme.text}; }}
QHeaderView {{ background: transparent; border: none; }}
QHeaderView::section {{ background: {theme.side}; color: {theme.dim}; border: none;
  border-bottom: 1px solid {theme.line}; padding: {px(6)} {px(8)}; font-weight: 500; }}
QTableCornerButton::section {{ background: {theme.side}; border: none; }}
"""


def _bars(theme: Theme, px: Scale) -> str:
    handle = _blend(theme.line, theme.dim, 0.35)
    return f"""
QScrollBar:vertical {{ background: transparent; width: {px(10)}; margin: 0; border: none; }}
QScrollBar:horizontal {{ background: transparent; height: {px(10)}; margin: 0; border: none; }}
QAbstractScrollArea::corner {{ background: transparent; border: none; }}
QScrollBar::handle {{ background: {handle}; border-radius: {px(3)}; margin: {px(2)}; }}
QScrollBar::handle:vertical {{ min-height: {px(32)}; }}
QScrollBar::handle:horizontal {{ min-width: {px(32)}; }}
QScrollBar::handle:hover {{ background: {theme.dim}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QProgressBar {{ background: {theme.line}; border: none; border-radius: {px(3)}; max-height: {px(6)};
  min-height: {px(6)}; text-align: center; color: transparent; }}
QProgressBar::chunk {{ background: {theme.accent}; border-radius: {px(3)}; }}
QSlider::groove:horizontal {{ background: {theme.line}; height: {px(4)}; border-radius: {px(2)}; }}
QSlider::sub-page:horizontal {{ background: {theme.accent}; border-radius: {px(2)}; }}
QSlider::handle:horizontal {{ background: {theme.panel}; border: 1px solid {theme.dim};
  width: {px(14)}; height: {px(14)}; margin: -{px(6)} 0; border-radius: {px(8)}; }}
"""


def _blend(first: str, second: str, share: float) -> str:
    """Mix two colours; share 0 is the first, 1 the second."""
    pairs = zip((first[1:3], first[3:5], first[5:7]), (second[1:3], second[3:5], second[5:7]), strict=True)
    return "#" + "".join(f"{round(int(a, 16) * (1 - share) + int(b, 16) * share):02x}" for a, b in pairs)

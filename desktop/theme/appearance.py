"""The look in force: colour scheme, text zoom, reduced motion; applied to the application as a whole."""

from dataclasses import dataclass, replace
from enum import StrEnum

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from desktop.theme.fonts import BODY, SMALL, font
from desktop.theme.palette import palette
from desktop.theme.stylesheet import stylesheet
from desktop.theme.tokens import DARK, LIGHT, Theme

ZOOM_STEPS = (0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0)


class Scheme(StrEnum):
    """What the owner chose in Settings."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Look:
    """Everything a widget needs to draw itself."""

    theme: Theme = LIGHT
    zoom: float = 1.0
    reduced_motion: bool = False

    def px(self, length: float) -> int:
        """Scale a length of the design (logical pixels at zoom 1)."""
        return round(length * self.zoom)

    def font(self, size: float = BODY, weight: int = 400, fixed: bool = False) -> QFont:
        """Return the font of a size in the design's pixels."""
        return font(size, weight, fixed, self.zoom)

    @property
    def small(self) -> QFont:
        """Return the font of meta lines and footers."""
        return font(SMALL, zoom=self.zoom)


class Appearance(QObject):
    """Owns the look of one application; ``changed`` follows every switch of scheme, zoom or motion."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._look = Look()
        self._scheme = Scheme.SYSTEM
        self._app: QApplication | None = None
        self.language = ""
        """The code that Settings asks for, empty for the system's; it counts from the next start on."""

    @property
    def look(self) -> Look:
        """Return the look in force."""
        return self._look

    @property
    def scheme(self) -> Scheme:
        """Return the owner's choice (not what it resolves to)."""
        return self._scheme

    def apply(
        self,
        app: QApplication,
        scheme: Scheme = Scheme.SYSTEM,
        zoom: float = 1.0,
        reduced_motion: bool = False,
    ) -> None:
        """Put a look on the application and follow the system's colour scheme from now on."""
        if self._app is None:
            self._app = app
            app.setStyle("Fusion")
            app.styleHints().colorSchemeChanged.connect(self._follow_system)
        self._scheme = scheme
        self._set(Look(self._resolve(app), max(0.5, min(3.0, zoom)), reduced_motion))

    def set_scheme(self, scheme: Scheme) -> None:
        """Switch between light, dark and the system's choice."""
        self._scheme = scheme
        if self._app is not None:
            self._set(replace(self._look, theme=self._resolve(self._app)))

    def set_zoom(self, zoom: float) -> None:
        """Scale all text and the lengths around it; 1.0 is the design's size."""
        self._set(replace(self._look, zoom=max(0.5, min(3.0, zoom))))

    def set_reduced_motion(self, reduced: bool) -> None:
        """Switch animations off or on."""
        self._set(replace(self._look, reduced_motion=reduced))

    def _resolve(self, app: QApplication) -> Theme:
        if self._scheme is Scheme.SYSTEM:
            # Plain X11 and offscreen answer Unknown; light is the design's first scheme.
            return DARK if app.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT
        return DARK if self._scheme is Scheme.DARK else LIGHT

    def _follow_system(self) -> None:
        if self._scheme is Scheme.SYSTEM and self._app is not None:
            self._set(replace(self._look, theme=self._resolve(self._app)))

    def _set(self, look: Look) -> None:
        known, self._look = self._look, look
        app = self._app
        if app is None or (look == known and app.styleSheet()):
            return
        app.setPalette(palette(look.theme))
        app.setFont(look.font())
        app.setStyleSheet(stylesheet(look.theme, look.zoom))
        self.changed.emit()


_appearance: Appearance | None = None


def appearance() -> Appearance:
    """Return the one appearance of this process."""
    global _appearance
    if _appearance is None:
        _appearance = Appearance()
    return _appearance


def look() -> Look:
    """Return the look in force."""
    return appearance().look

"""Fonts: the bundled Inter, else the system's; sizes in pixels scaled by the text zoom."""

from functools import lru_cache
from pathlib import Path

from PySide6.QtGui import QFont, QFontDatabase

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "fonts"
BODY = 14.0
SMALL = 12.5

_PROPORTIONAL = ("Inter", "Inter Variable", "Segoe UI", "SF Pro Text", "Noto Sans", "DejaVu Sans")
_FIXED = ("JetBrains Mono", "Cascadia Mono", "SF Mono", "Noto Sans Mono", "DejaVu Sans Mono")


@lru_cache(maxsize=1)
def families() -> tuple[str, str]:
    """Load the bundled fonts once and return the names (proportional, fixed) of the families in use."""
    for path in sorted(FOLDER.glob("*.[ot]tf")):
        QFontDatabase.addApplicationFont(str(path))
    known = set(QFontDatabase.families())
    proportional = next((name for name in _PROPORTIONAL if name in known), "")
    fixed = next((name for name in _FIXED if name in known), "")
    return (
        proportional or QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).family(),
        fixed or QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family(),
    )


@lru_cache(maxsize=64)
def font(size: float = BODY, weight: int = 400, fixed: bool = False, zoom: float = 1.0) -> QFont:
    """Return the shared font of a size in pixels at zoom 1; treat it as read-only."""
    proportional, monospace = families()
    result = QFont(monospace if fixed else proportional)
    result.setPixelSize(max(6, round(size * zoom)))
    result.setWeight(QFont.Weight(weight))
    result.setStyleHint(QFont.StyleHint.Monospace if fixed else QFont.StyleHint.SansSerif)
    if fixed:
        # Code is read letter by letter: "->" must not become an arrow.
        for feature in ("calt", "liga"):
            result.setFeature(QFont.Tag(feature), 0)
    result.setHintingPreference(QFont.HintingPreference.PreferVerticalHinting)
    return result

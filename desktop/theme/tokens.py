"""Colour and size tokens, light and dark equal; every colour in the window comes from here."""

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtGui import QColor


@dataclass(frozen=True, slots=True)
class Syntax:
    """Colours of highlighted code as ``#rrggbb``."""

    keyword: str
    string: str
    comment: str
    number: str
    function: str
    type_name: str
    inserted: str
    deleted: str


@dataclass(frozen=True, slots=True)
class Theme:
    """One colour scheme. Colours are ``#rrggbb``; ``*_text`` tokens are safe as text on every surface."""

    name: str
    dark: bool
    bg: str
    panel: str
    side: str
    line: str
    text: str
    dim: str
    accent: str
    on_accent: str
    accent_bg: str
    selection: str
    text_selection: str
    hover: str
    ok: str
    ok_text: str
    warn: str
    warn_text: str
    warn_bg: str
    danger: str
    danger_text: str
    danger_bg: str
    code: str
    find: str
    find_current: str
    syntax: Syntax


LIGHT = Theme(
    name="light",
    dark=False,
    bg="#f7f7f5",
    panel="#ffffff",
    side="#f1f1ee",
    line="#e3e3de",
    text="#1d1d1b",
    dim="#66665f",
    accent="#3c5bd8",
    on_accent="#ffffff",
    accent_bg="#eef1fd",
    selection="#e7e9f6",
    text_selection="#cdd6fa",
    hover="#ecece8",
    ok="#2f8f5b",
    ok_text="#1f7346",
    warn="#b7791f",
    warn_text="#8a5712",
    warn_bg="#fdf6e7",
    danger="#c8453b",
    danger_text="#b0362d",
    danger_bg="#fdf0ee",
    code="#f5f6f8",
    find="#ffe9a8",
    find_current="#ffc94d",
    syntax=Syntax(
        keyword="#7a3ea8",
        string="#1f6f43",
        comment="#666a70",
        number="#9a4a00",
        function="#2a4fb8",
        type_name="#0a6a78",
        inserted="#1f7346",
        deleted="#b0362d",
    ),
)

DARK = Theme(
    name="dark",
    dark=True,
    bg="#161618",
    panel="#1d1d20",
    side="#131315",
    line="#2d2d31",
    text="#ececea",
    dim="#9a9a95",
    accent="#8ea2ff",
    on_accent="#14151c",
    accent_bg="#24283a",
    selection="#25273a",
    text_selection="#39416b",
    hover="#232327",
    ok="#5dc28a",
    ok_text="#5dc28a",
    warn="#e0b060",
    warn_text="#e0b060",
    warn_bg="#2b2518",
    danger="#f0857c",
    danger_text="#f0857c",
    danger_bg="#2f1d1c",
    code="#17181b",
    find="#5a4a16",
    find_current="#7d600e",
    syntax=Syntax(
        keyword="#c9a0f5",
        string="#8fd0a6",
        comment="#8d9198",
        number="#f0b184",
        function="#9db4ff",
        type_name="#7fcfdc",
        inserted="#5dc28a",
        deleted="#f0857c",
    ),
)

SURFACES = ("bg", "panel", "side", "accent_bg", "selection", "hover", "code", "warn_bg", "danger_bg")
TEXT_PAIRS: tuple[tuple[str, str], ...] = (
    *((ink, surface) for ink in ("text", "dim", "accent") for surface in SURFACES[:6]),
    *((ink, surface) for ink in ("text", "dim") for surface in SURFACES[6:]),
    *(
        (ink, s)
        for ink in ("ok_text", "warn_text", "danger_text")
        for s in ("bg", "panel", "side", "selection")
    ),
    ("warn_text", "warn_bg"),
    ("danger_text", "danger_bg"),
    ("accent", "code"),
    ("on_accent", "accent"),
    ("text", "text_selection"),
    ("text", "find"),
    ("text", "find_current"),
)
"""Every pair (text token, surface token) that the window draws; each has a contrast of 4.5 or more."""

AVATAR_COLOURS = ("#2a7f70", "#3b6fc9", "#8a5bb8", "#b0542f", "#a8456f", "#4f7a2c", "#5b66c9", "#8a6a1c")
"""Discs behind a white initial; contrast with white is 4.5 or more."""


def avatar_colour(name: str) -> str:
    """Return the lasting colour of an agent that has none of its own, chosen by its name."""
    return AVATAR_COLOURS[sum(name.encode()) % len(AVATAR_COLOURS)]


def _luminance(colour: str) -> float:
    def channel(value: float) -> float:
        return value / 12.92 if value <= 0.03928 else float(((value + 0.055) / 1.055) ** 2.4)

    red, green, blue = (channel(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """Return the WCAG contrast ratio (1 to 21) of two ``#rrggbb`` colours."""
    high, low = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=256)
def colour(value: str) -> QColor:
    """Return the shared colour object of a token; treat it as read-only."""
    return QColor(value)

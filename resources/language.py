"""Translations of every sentence a person may see: one catalogue for core, window and terminal."""

import gettext as catalogues
import os
import sys
from collections.abc import Iterable
from pathlib import Path

NAMES = {"en": "English", "de": "Deutsch", "pl": "Polski", "ru": "Русский", "uk": "Українська"}
"""The languages that Bureau speaks, each by its own name. English is in the code, the others in ``i18n``."""

_FOLDER = Path(__file__).parent / "i18n"
_SYSTEM_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_catalogue: catalogues.NullTranslations = catalogues.NullTranslations()
_language = "en"


def choose_language(*wanted: str | None) -> str:
    """Use the first language that is wanted and spoken, else the system's, else English; return its code.

    Takes codes such as ``de``, ``de_DE.UTF-8`` or ``de-AT``; what is empty or not spoken is passed over.
    """
    global _catalogue, _language
    _language = spoken([*wanted, *_system_languages()]) or "en"
    _catalogue = catalogues.translation("bureau", _FOLDER, languages=[_language], fallback=_language == "en")
    return _language


def chosen_language() -> str:
    """Return the code of the language in use."""
    return _language


def spoken(codes: Iterable[str | None]) -> str | None:
    """Return the first of these codes that Bureau speaks, without its country, or None."""
    for code in codes:
        name = (code or "").replace("-", "_").partition("_")[0].partition(".")[0].partition("@")[0].lower()
        if name in ("c", "posix"):
            return "en"
        if name in NAMES:
            return name
    return None


def gettext(sentence: str) -> str:
    """Return the sentence in the chosen language."""
    return _catalogue.gettext(sentence)


def ngettext(singular: str, plural: str, count: int) -> str:
    """Return the form of the sentence that fits the count in the chosen language."""
    return _catalogue.ngettext(singular, plural, count)


def _system_languages() -> list[str]:
    """Return what the system asks for: a list in LANGUAGE, then the locale, unless that is C."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415  # elsewhere it costs time for nothing
        import locale  # noqa: PLC0415  # as above

        code = locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage())
        return [code] if code else []
    found = [os.environ.get(name, "") for name in _SYSTEM_VARIABLES]
    settled = next(filter(None, found[1:]), "C")
    # As gettext does it: LANGUAGE counts only where the locale itself is not C.
    return [settled] if spoken([settled]) == "en" and settled[0] in "CP" else [*found[0].split(":"), settled]

"""Translations of every sentence a person may see: one catalogue for core, window and terminal."""

import gettext as catalogues
import locale
from pathlib import Path

_FOLDER = Path(__file__).parent / "i18n"
_catalogue: catalogues.NullTranslations = catalogues.NullTranslations()


def choose_language(name: str | None) -> None:
    """Use the catalogue of a code such as ``de``; None follows the system, English is the fallback."""
    global _catalogue
    languages = [name] if name else [code for code in (locale.getlocale()[0],) if code]
    _catalogue = catalogues.translation("bureau", _FOLDER, languages=languages or ["en"], fallback=True)


def gettext(sentence: str) -> str:
    """Return the sentence in the chosen language."""
    return _catalogue.gettext(sentence)


def ngettext(singular: str, plural: str, count: int) -> str:
    """Return the form of the sentence that fits the count in the chosen language."""
    return _catalogue.ngettext(singular, plural, count)

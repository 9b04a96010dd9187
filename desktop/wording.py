"""Numbers, times and money as people read them."""

from datetime import datetime

from resources.language import gettext as _
from resources.language import ngettext

_MINUTE, _HOUR = 60_000, 3_600_000
_MICROS = 1_000_000


def local(at: int) -> datetime:
    """Return an instant (UTC milliseconds) in the owner's time zone."""
    return datetime.fromtimestamp(at / 1000).astimezone()


def ago(at: int, now: int) -> str:
    """Return how long ago an instant is: now, 5 min, 14:02, yesterday, Thursday, 12 Nov, 12 Nov 2025."""
    if now - at < _MINUTE:
        return _("now")
    if now - at < _HOUR:
        minutes = (now - at) // _MINUTE
        return _("{minutes} min").format(minutes=minutes)
    then, today = local(at), local(now)
    days = (today.date() - then.date()).days
    if days <= 0:
        return f"{then:%H:%M}"
    if days == 1:
        return _("yesterday")
    if days < 7:
        return f"{then:%A}"
    return _date(then, with_year=then.year != today.year)


def moment(at: int) -> str:
    """Return an instant in full: 12 Nov 2026, 14:02."""
    then = local(at)
    return f"{_date(then, with_year=True)}, {then:%H:%M}"


def money(micros: int | None) -> str:
    """Return millionths of a dollar as dollars, "unknown" where no price is known."""
    if micros is None:
        return _("unknown")
    dollars = micros / _MICROS
    if micros and dollars < 0.01:
        return f"${dollars:.4f}".rstrip("0")
    return f"${dollars:,.2f}"


def count(number: int) -> str:
    """Return a number with its thousands apart."""
    return f"{number:,}"


def plural(one: str, many: str, number: int) -> str:
    """Return a sentence in the plural that a number asks for, the number at its ``{count}``."""
    return ngettext(one, many, number).format(count=count(number))


def size(number: int) -> str:
    """Return a number of bytes with one unit."""
    if number < 1000:
        return ngettext("{number} byte", "{number} bytes", number).format(number=number)
    value = float(number)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.5 or unit == "TB":
            return f"{value:.3g} {unit}"
    raise AssertionError("unreachable")


def _date(then: datetime, *, with_year: bool) -> str:
    return f"{then.day} {then:%b}" + (f" {then.year}" if with_year else "")

"""Every setting, declared once: its type, default and sentence; stored only when its owner changed it."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory import audit
from memory.errors import Refused
from memory.identifiers import now
from memory.tables import SettingTable
from resources.language import NAMES
from resources.language import gettext as _

SettingKind = Literal["switch", "choice", "whole number", "amount", "text", "state"]


@dataclass(frozen=True, slots=True)
class Setting:
    """A declared setting.

    Kinds: ``switch`` (bool), ``choice`` (str out of ``choices``), ``whole number`` (int in ``unit``),
    ``amount`` (millionths of a dollar, None for no limit), ``text`` (str), ``state`` (a dict that the window
    keeps by itself; on no page).
    """

    key: str
    kind: SettingKind
    default: Any
    title: str
    sentence: str
    choices: tuple[tuple[str, str], ...] = ()
    """Values with their words."""
    minimum: int | None = None
    maximum: int | None = None
    unit: str = ""


def declared() -> tuple[Setting, ...]:
    """Return every setting in the order of the page, in the chosen language."""
    return (*_appearance(), *_work(), *_alerts(), *_life(), *_backups(), *_lock(), *_kept())


def _appearance() -> tuple[Setting, ...]:
    themes = (("system", _("as the system")), ("light", _("light")), ("dark", _("dark")))
    languages = (("", _("as the system")), *NAMES.items())
    return (
        Setting(
            "appearance.theme", "choice", "system", _("Theme"),
            _("Light or dark, or whatever the system shows."), choices=themes,
        ),
        Setting(
            "appearance.text_zoom", "whole number", 100, _("Text size"),
            _("Size of all text, in percent."), minimum=75, maximum=200, unit="%",
        ),
        Setting(
            "appearance.language", "choice", "", _("Language"),
            _("Language of Bureau, from its next start on; agents answer in the language you write."),
            choices=languages,
        ),
        Setting(
            "appearance.reduced_motion", "switch", False, _("Reduced motion"),
            _("Nothing glides or fades."),
        ),
    )  # fmt: skip


def _work() -> tuple[Setting, ...]:
    efforts = (("quick", _("quick")), ("normal", _("normal")), ("deep", _("deep")))
    return (
        Setting(
            "runs.effort", "choice", "normal", _("Effort"),
            _("How many steps an agent may take when neither you nor its card say otherwise."),
            choices=efforts,
        ),
        Setting(
            "budget.run_cap", "amount", 500_000, _("Cap per run"),
            _("A run pauses before it would cost more than this."), minimum=0,
        ),
        Setting(
            "budget.day_cap", "amount", 5_000_000, _("Cap per day"),
            _("No run spends more once all runs of a day have cost this."), minimum=0,
        ),
        Setting(
            "recall.enabled", "switch", True, _("Recall"),
            _("Agents are given what earlier conversations, files and notes say about your question."),
        ),
        Setting(
            "network.proxy", "text", "", _("Proxy"),
            _("Address of the proxy for every provider, as http://host:port; empty for none."),
        ),
    )  # fmt: skip


def _alerts() -> tuple[Setting, ...]:
    styles = (("off", _("none")), ("plain", _("without names")), ("named", _("with the chat's name")))
    return (
        Setting(
            "alerts.style", "choice", "plain", _("Messages of the system"),
            _("When an answer is there or an agent waits for you while you look elsewhere."),
            choices=styles,
        ),
    )  # fmt: skip


def _life() -> tuple[Setting, ...]:
    when = (("weekly", _("weekly, where something was erased")), ("asked", _("only when you ask for it")))
    return (
        Setting(
            "trash.days", "whole number", 30, _("Trash"),
            _("Days after which what is in the trash is erased."), minimum=1, maximum=365, unit=_("days"),
        ),
        Setting(
            "erasure.deep", "choice", "weekly", _("Deep erase"),
            _("When the database gets another key, so that nothing erased can be read from the disk."),
            choices=when,
        ),
    )  # fmt: skip


def _backups() -> tuple[Setting, ...]:
    rhythms = (("off", _("never")), ("daily", _("every day")), ("weekly", _("every week")))
    return (
        Setting(
            "backup.rhythm", "choice", "daily", _("Backups"),
            _("How often Bureau makes an encrypted backup by itself."), choices=rhythms,
        ),
        Setting(
            "backup.keep_days", "whole number", 7, _("Daily backups kept"),
            _("Of so many days the last backup stays."), minimum=1, maximum=90,
        ),
        Setting(
            "backup.keep_weeks", "whole number", 4, _("Weekly backups kept"),
            _("Of so many weeks the last backup stays."), minimum=0, maximum=52,
        ),
        Setting(
            "backup.keep_months", "whole number", 3, _("Monthly backups kept"),
            _("Of so many months the last backup stays."), minimum=0, maximum=120,
        ),
    )  # fmt: skip


def _lock() -> tuple[Setting, ...]:
    return (
        Setting(
            "lock.after_minutes", "whole number", 0, _("Lock after"),
            _("Minutes without a touch after which the window locks; 0 for never."),
            minimum=0, maximum=240, unit=_("min"),
        ),
        Setting(
            "lock.at_sleep", "switch", True, _("Lock at sleep"),
            _("The window locks before the computer sleeps, where there is a passphrase to unlock it."),
        ),
    )  # fmt: skip


def _kept() -> tuple[Setting, ...]:
    return (
        Setting("backup.folder", "state", {}, "", ""),
        Setting("lock.verifier", "state", {}, "", ""),
        Setting("lock.state", "state", {}, "", ""),
        Setting("window.layout", "state", {}, "", ""),
        Setting("first_minute.state", "state", {}, "", ""),
        Setting("lifecycle.clock", "state", {}, "", ""),
    )


def value(session: Session, key: str) -> Any:
    """Return the value in force. Raises Refused for a key that is not declared."""
    setting = _setting(key)
    row = session.get(SettingTable, key)
    return setting.default if row is None else row.value


def values(session: Session) -> dict[str, Any]:
    """Return the value in force of every declared setting."""
    changed = {row.key: row.value for row in session.scalars(select(SettingTable))}
    return {setting.key: changed.get(setting.key, setting.default) for setting in declared()}


def change(session: Session, key: str, new: Any) -> Any:
    """Store a value and return it. Raises Refused for an undeclared key or a value that does not fit."""
    setting = _setting(key)
    _check(setting, new)
    _note(session, setting, new)
    row = session.get(SettingTable, key)
    if row is None:
        session.add(SettingTable(key=key, value=new, updated_at=now()))
    else:
        row.value, row.updated_at = new, now()
    session.flush()
    return new


def reset(session: Session, key: str) -> Any:
    """Go back to the default and return it. Raises Refused for a key that is not declared."""
    setting = _setting(key)
    row = session.get(SettingTable, key)
    _note(session, setting, setting.default)
    if row is not None:
        session.delete(row)
        session.flush()
    return setting.default


def _note(session: Session, setting: Setting, new: Any) -> None:
    """Record in the audit trail what changes the office's conduct; looks do not, and a text may hold a secret."""
    if setting.kind == "state" or setting.key.startswith("appearance.") or value(session, setting.key) == new:
        return
    audit.append(session, "setting changed", setting.key, {} if setting.kind == "text" else {"to": new})


def _setting(key: str) -> Setting:
    for setting in declared():
        if setting.key == key:
            return setting
    raise Refused(_("There is no setting “{key}”: see the Settings page for all of them.").format(key=key))


def _check(setting: Setting, new: Any) -> None:
    if setting.kind in ("whole number", "amount"):
        _check_number(setting, new)
        return
    expected = {"switch": bool, "choice": str, "text": str, "state": dict}[setting.kind]
    if not isinstance(new, expected):
        raise Refused(_("“{title}” cannot be {value!r}.").format(title=setting.title, value=new))
    allowed = [name for name, _words in setting.choices]
    if allowed and new not in allowed:
        raise Refused(
            _("“{title}” can be {choices}, not “{value}”.").format(
                title=setting.title, choices=", ".join(name or '""' for name in allowed), value=new
            )
        )


def _check_number(setting: Setting, new: Any) -> None:
    if new is None and setting.kind == "amount":
        return
    if not isinstance(new, int) or isinstance(new, bool):
        raise Refused(_("“{title}” must be a whole number.").format(title=setting.title))
    low, high = setting.minimum, setting.maximum
    if low is not None and new < low:
        raise Refused(_("“{title}” must be {low} or more.").format(title=setting.title, low=low))
    if high is not None and new > high:
        raise Refused(_("“{title}” must be {high} or less.").format(title=setting.title, high=high))

"""The page of one account."""

from fastapi import Response

from memory.sync.hosted import accounts, deleting
from memory.sync.hosted.callers import ACTIVE, DEVICE, FROZEN, PENDING, SUSPENDED, Caller
from memory.sync.hosted.mails import day_text
from memory.sync.hosted.service import DAY, Service
from memory.sync.hosted.web import markup
from resources.language import gettext as _

_SHORT = 8
"""So much of a device’s id tells it from others."""


def confirmation() -> str:
    """Return the word to be typed before a deletion."""
    return _("delete")


async def show(service: Service, caller: Caller) -> Response:
    """Return the page."""
    held = await accounts.summary(service, caller)
    sessions = await accounts.sessions(service, caller)
    states = {
        ACTIVE: _("in use"),
        FROZEN: _("read-only, because you froze it"),
        SUSPENDED: _("suspended by the operator; exporting and deleting still work"),
        PENDING: _("to be deleted"),
    }
    rows = [
        (_("State"), states.get(held["state"], held["state"])),
        (_("Made on"), day_text(held["created_day"] * DAY)),
        (_("Devices"), str(held["counts"]["devices"])),
        (_("Offices"), str(held["counts"]["spaces"])),
        (_("Encrypted records"), str(held["records"]["used"])),
        (_("Encrypted files and records"), size_text(held["bytes"]["used"])),
        (_("Lines of the access log"), str(held["counts"]["access_log"])),
        (_("Entries of the audit"), str(held["counts"]["audit"])),
    ]
    if held["legal_hold"]:
        rows.append((_("Kept by law"), held["legal_hold"]))
    return markup.page(
        _("Your sync account"),
        *_pending(held),
        markup.table(rows),
        markup.paragraph(_("Nobody here can read what your devices wrote; only they can.")),
        markup.heading(_("Export")),
        markup.paragraph(_("Everything the service holds of you. Readable content is exported by the app.")),
        markup.form(
            "/account/export", _("Export what is known about the account"), markup.hidden("kind", "metadata")
        ),
        markup.form("/account/export", _("Export with all encrypted content"), markup.hidden("kind", "full")),
        markup.heading(_("Sessions")),
        markup.table(
            [
                (
                    _("this page") if session["this"] else _kind(session["kind"]),
                    (session["device_id"] or "")[:_SHORT],
                    day_text(session["signed_at"]),
                )
                for session in sessions
            ],
            (_("Kind"), _("Device"), _("Signed in")),
        ),
        markup.form("/account/end-sessions", _("End all other sessions")),
        markup.form("/account/sign-out", _("Sign out here")),
        *_deletion(service, held),
    )


def _kind(kind: str) -> str:
    return _("Device") if kind == DEVICE else _("by mail")


def _pending(held: dict[str, object]) -> list[str]:
    if held["state"] != PENDING:
        return []
    rows = held["deletions"]
    assert isinstance(rows, list)
    until = next((row["grace_until"] for row in rows if row["scope"] == deleting.ACCOUNT), 0)
    return [
        markup.paragraph(
            _("On {day} everything will be deleted for good.").format(day=day_text(until)), "note bad"
        ),
        markup.form("/account/restore", _("Keep my data")),
    ]


def _deletion(service: Service, held: dict[str, object]) -> list[str]:
    if held["state"] == PENDING:
        return []
    days = max(service.settings.grace_days, 7)
    word = confirmation()
    return [
        markup.heading(_("Delete")),
        markup.paragraph(
            _(
                "After {days} days everything is deleted for good. Until then you and each of your devices can stop it."
            ).format(days=days)
        ),
        markup.form(
            "/account/delete",
            _("Delete my account"),
            markup.field("confirmation", _("Type “{word}” to confirm").format(word=word)),
            danger=True,
        ),
    ]


def size_text(size: int) -> str:
    """Return a number of bytes for people."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"

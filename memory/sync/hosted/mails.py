"""The words of every mail. They name no content, for the service knows none."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from memory.sync.hosted import jobs
from memory.sync.hosted.service import Service
from memory.sync.hosted.settings import Settings
from memory.sync.hosted.tables.records import deletions
from resources.language import gettext as _

Words = tuple[str, str]


def write(settings: Settings, name: str, values: dict[str, Any]) -> Words:
    """Return subject and body of a mail."""
    subject, body = _WORDS[name](settings, values)
    return subject, f"{body}\n\n-- \n{settings.operator}\n{settings.public_url}\n"


async def still_true(service: Service, job: jobs.Job) -> bool:
    """Whether what a mail tells of still stands: a reminder of a deletion that was called off is not sent."""
    if job.payload["name"] != "deletion_reminder":
        return True
    async with service.stores.records.read(str(job.account_id)) as connection:
        row: Any = (
            await connection.execute(
                select(deletions.c.grace_until).where(
                    deletions.c.scope_id == job.payload["values"]["scope_id"]
                )
            )
        ).first()
    return row is not None and row.grace_until == job.payload["values"]["grace_until"]


def day_text(at: int) -> str:
    """Return an instant as its day."""
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%d")


def minute_text(at: int) -> str:
    """Return an instant to the minute: who reads it is in another zone than the service."""
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _sign_in(settings: Settings, values: dict[str, Any]) -> Words:
    return _("Sign in to your sync service"), _(
        "Somebody, probably you, asked to sign in. Type this code where you asked for it:\n\n    {code}\n\n"
        "or open {link} on the same device. It works once, for 15 minutes. If it was not you, do nothing."
    ).format(code=values["code"], link=f"{settings.public_url}/m/{values['code']}")


def _mail_code(_settings: Settings, values: dict[str, Any]) -> Words:
    return _("Code to delete at once"), _(
        "To delete without a time to think it over, type this code:\n\n    {code}\n\n"
        "If you did not ask for it, somebody has one of your devices: revoke that device now."
    ).format(code=values["code"])


def _device_added(_settings: Settings, _values: dict[str, Any]) -> Words:
    return _("A device joined your account"), _(
        "A new device can read what you sync. If you do not know it, revoke it on another device under Sync."
    )


def _device_revoked(_settings: Settings, _values: dict[str, Any]) -> Words:
    return _("A device left your account"), _(
        "One of your devices was revoked. If that was not you, look through your devices under Sync."
    )


def _new_recovery(_settings: Settings, _values: dict[str, Any]) -> Words:
    return _("Your recovery key was replaced"), _(
        "The former recovery key opens nothing any more. If that was not you, revoke unknown devices under Sync."
    )


def _deletion_begun(settings: Settings, values: dict[str, Any]) -> Words:
    return _("Your data is to be deleted"), _(
        "On {day} it will be deleted for good. Until then every device of yours can restore it under Sync, and so "
        "can you at {link}."
    ).format(day=day_text(values["grace_until"]), link=f"{settings.public_url}/account")


def _deletion_reminder(settings: Settings, values: dict[str, Any]) -> Words:
    return _("Your data will be deleted on {day}").format(day=day_text(values["grace_until"])), _(
        "After that nobody can bring it back. Restore it under Sync on a device of yours, or at {link}."
    ).format(link=f"{settings.public_url}/account")


def _deletion_now(_settings: Settings, _values: dict[str, Any]) -> Words:
    return _("Your data is being deleted"), _(
        "You asked for it to be deleted at once. Your devices show the receipt when it is done."
    )


def _restored(_settings: Settings, _values: dict[str, Any]) -> Words:
    return _("Your data stays"), _("The deletion was called off; everything goes on as before.")


def _export_ready(_settings: Settings, values: dict[str, Any]) -> Words:
    return _("Your export is ready"), _(
        "It can be fetched for {hours} hours, with the link that was shown to you where you asked for it."
    ).format(hours=values["hours"])


def _export_fetched(_settings: Settings, _values: dict[str, Any]) -> Words:
    return _("Your export was fetched"), _(
        "Somebody with the link fetched it for the first time. If that was not you, end all sessions."
    )


def _quota(_settings: Settings, values: dict[str, Any]) -> Words:
    return _("{percent} % of your space is used").format(percent=values["percent"]), _(
        "At 100 % nothing new is taken; nothing is deleted, and everything stays on your devices."
    )


def _incident(_settings: Settings, values: dict[str, Any]) -> Words:
    return _("Notice of a security incident"), _(
        "What happened: {nature}\n\nWhich data: {data}\n\nWhat is done about it: {measures}"
    ).format(**values)


def _policy(settings: Settings, values: dict[str, Any]) -> Words:
    return _("The policy of your sync service changes"), _(
        "Version {version} holds from {effective} on. Read it at {link}; if you do not agree, export and delete before."
    ).format(**values, link=f"{settings.public_url}/privacy")


_WORDS: dict[str, Callable[[Settings, dict[str, Any]], Words]] = {
    "sign_in": _sign_in,
    "mail_code": _mail_code,
    "device_added": _device_added,
    "device_revoked": _device_revoked,
    "new_recovery": _new_recovery,
    "deletion_begun": _deletion_begun,
    "deletion_reminder": _deletion_reminder,
    "deletion_now": _deletion_now,
    "restored": _restored,
    "export_ready": _export_ready,
    "export_fetched": _export_fetched,
    "quota": _quota,
    "incident": _incident,
    "policy": _policy,
}

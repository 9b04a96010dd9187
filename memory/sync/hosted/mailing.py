"""Mails: asked for in the transaction that they tell of, sent by a job over SMTP."""

import asyncio
import base64
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.identifiers import new_id
from memory.sync.hosted import jobs, mails
from memory.sync.hosted.errors import ServiceFault
from memory.sync.hosted.service import Service
from memory.sync.hosted.service_keys import open_with
from memory.sync.hosted.settings import Settings
from memory.sync.hosted.tables.keys import account_keys
from memory.sync.hosted.tables.records import accounts
from resources.language import gettext as _

KIND = "mail"
_SECONDS = 30


async def ask_to_address(
    service: Service, connection: AsyncConnection, address: str, name: str, **values: Any
) -> None:
    """Ask for a mail to an address that may belong to no account."""
    sealed = base64.b64encode(service.keys.seal(address, KIND)).decode()
    payload = {"name": name, "values": values, "to": sealed}
    await jobs.enqueue(connection, KIND, new_id(), payload, at=service.now())


async def ask(
    service: Service,
    connection: AsyncConnection,
    account_id: str,
    name: str,
    *,
    key: str = "",
    due_at: int | None = None,
    **values: Any,
) -> None:
    """Ask for a mail to the owner of an account; one ``key`` is sent once."""
    await jobs.enqueue(
        connection,
        KIND,
        f"{account_id}:{name}:{key or new_id()}",
        {"name": name, "values": values},
        at=service.now(),
        due_at=due_at,
        account_id=account_id,
    )


async def send(service: Service, job: jobs.Job) -> None:
    """Send the mail of a job; one whose account is gone meanwhile has nobody to go to. Raises ServiceFault."""
    if "to" in job.payload:
        address: str | None = service.keys.open(base64.b64decode(job.payload["to"]), KIND)
    else:
        address = await address_of(service, str(job.account_id))
    if address is None or not await mails.still_true(service, job):
        return
    subject, body = mails.write(service.settings, job.payload["name"], job.payload["values"])
    message = EmailMessage()
    message["From"] = service.settings.mail_from
    message["To"] = address
    message["Subject"] = subject
    message["Date"] = formatdate(service.now() / 1000)
    message["Message-ID"] = make_msgid(domain=service.settings.mail_from.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    try:
        await asyncio.to_thread(_deliver, service.settings, message)
    except OSError as wrong:  # smtplib's own are among them
        raise ServiceFault(
            _(
                "The mail server {host}:{port} took no mail ({reason}): see smtp_host and the settings beside it."
            ).format(host=service.settings.smtp_host, port=service.settings.smtp_port, reason=_reason(wrong))
        ) from wrong


async def address_of(service: Service, account_id: str) -> str | None:
    """Return the mail address of an account, None where account or key are gone."""
    async with service.stores.records.read(account_id) as connection:
        sealed = await connection.scalar(
            select(accounts.c.address).where(accounts.c.account_id == account_id)
        )
    async with service.stores.keys.read(account_id) as connection:
        key = await connection.scalar(
            select(account_keys.c.data_key).where(account_keys.c.account_id == account_id)
        )
    return open_with(key, sealed, account_id) if sealed and key else None


def _reason(wrong: OSError) -> str:
    """Return why, without the words of the mail server, in which an address may stand."""
    if isinstance(wrong, smtplib.SMTPResponseException):
        return str(wrong.smtp_code)
    return wrong.strerror or type(wrong).__name__


def _deliver(settings: Settings, message: EmailMessage) -> None:
    context = ssl.create_default_context()
    name = settings.mail_from.rpartition("@")[2]  # smtplib would ask the resolver for this machine's own
    host, port = settings.smtp_host, settings.smtp_port
    with (
        smtplib.SMTP_SSL(host, port, name, timeout=_SECONDS, context=context)
        if settings.smtp_tls == "tls"
        else smtplib.SMTP(host, port, name, _SECONDS)
    ) as connection:
        if settings.smtp_tls == "starttls":
            connection.starttls(context=context)
        if settings.smtp_user:
            password = Path(settings.smtp_password_file).read_text("utf-8").strip()
            connection.login(settings.smtp_user, password)
        connection.send_message(message)

"""``bureau sync`` at a service: the arguments and help of its commands, and what their owner is asked in between."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from desktop.command_line.authentication import authenticated, run_as_owner
from desktop.command_line.backup_commands import run_command
from desktop.command_line.options import UsageFault
from resources.language import gettext as _

if TYPE_CHECKING:
    from desktop.command_line.stepping import Steps

_HOURS = click.IntRange(1, 168)
_WHAT = click.Choice(["account", "office"])


def is_service(place: str) -> bool:
    """Whether a place is meant as the address of a service, and not as a folder."""
    return "://" in place


@dataclass(frozen=True, slots=True)
class Wish:
    """How a device joins: into which ``space``, ``without`` which categories, by whom."""

    space: str
    without: tuple[str, ...]
    by_device: bool
    from_stdin: bool


def found(context: click.Context, place: str, email: str | None, without: tuple[str, ...]) -> int:
    """Begin an account at a service: a code comes by mail, and once it is right the recovery key is shown once."""
    from desktop.command_line.recovery import counting_later, show_sync_key
    from desktop.command_line.stepping import Steps, run_steps

    proof = _proof(place, email)
    if (code := _code(context, proof)) is None:
        return 1

    async def work(steps: Steps) -> None:
        await steps.take("sync sign in", **proof, code=code, begins=True)
        words = show_sync_key()
        chosen = {"words": words, "without": list(without)}
        with counting_later():
            steps.end(await steps.take("sync found", **proof, code=code, **chosen))

    return run_steps(context.obj, "sync found", work)


def join(context: click.Context, place: str, email: str | None, wish: Wish) -> int:
    """Join an account at a service, by its recovery key or by another device."""
    proof = _proof(place, email)
    if (code := _code(context, proof)) is None:
        return 1
    if wish.by_device:
        return _join_by_device(context, proof, code, wish)
    words = sys.stdin.read() if wish.from_stdin else _ask(_("Recovery key of sync"), hidden=True)
    chosen = {"space": wish.space, "without": list(wish.without)}
    return run_command(context, "sync join account", **proof, code=code, words=words, **chosen)


def _join_by_device(context: click.Context, proof: dict[str, str], code: str, wish: Wish) -> int:
    from desktop.command_line.stepping import Steps, run_steps

    async def work(steps: Steps) -> None:
        await steps.take("sync announce", **proof, code=code)
        steps.say(_("Now run “bureau sync admit” on a device that is in your account."))
        if await _same_words(steps, "new"):
            steps.say(_("Say yes on the other device too."))
            steps.end(await steps.take("sync finish", space=wish.space, without=list(wish.without)))

    return run_steps(context.obj, "sync join", work)


@click.command("admit")
@authenticated
@click.pass_context
def admit(context: click.Context, authenticate_with: Path | None) -> int:
    """Let a new device in that runs “bureau sync join … --by-device”, by comparing six words."""
    from desktop.command_line.stepping import Steps, run_steps

    async def work(steps: Steps) -> None:
        await steps.take("sync answer")
        if await _same_words(steps, "old"):
            steps.end(await steps.take("sync let in"))

    return run_steps(context.obj, "sync admit", work, passphrase_file=authenticate_with)


@click.command("revoke")
@click.argument("devices", nargs=-1, metavar="DEVICE…")
@click.option("--others", is_flag=True, help=_("Every device but this one."))
@click.option("--keep", multiple=True, metavar="DEVICE", help=_("With --others: this one stays too."))
@click.pass_context
def revoke(context: click.Context, devices: tuple[str, ...], others: bool, keep: tuple[str, ...]) -> int:
    """Take devices off the account, named as “devices” lists them; from then on they receive nothing new."""
    if bool(devices) == others:
        raise UsageFault(_("Name the devices that are to go, or say --others."))
    return run_command(context, "sync revoke", devices=list(devices), others=others, keep=list(keep))


@click.command("sessions")
@click.option("--end", multiple=True, metavar="ID", help=_("End this session first."))
@click.option("--end-others", is_flag=True, help=_("End every session but this one first."))
@click.pass_context
def sessions(context: click.Context, end: tuple[str, ...], end_others: bool) -> int:
    """List who is signed in to your account, browsers too."""
    return run_command(context, "sync sessions", end=list(end), end_others=end_others)


@click.command("account")
@click.pass_context
def account(context: click.Context) -> int:
    """Say how your account at the service stands, and how much of its room is used."""
    return run_command(context, "sync account")


@click.command("freeze")
@click.pass_context
def freeze(context: click.Context) -> int:
    """Let the service take nothing new into your account; reading and erasing go on."""
    return run_command(context, "sync freeze", frozen=True)


@click.command("unfreeze")
@click.pass_context
def unfreeze(context: click.Context) -> int:
    """Let the service take something new into your account again."""
    return run_command(context, "sync freeze", frozen=False)


@click.command("address")
@click.argument("email", metavar="NEW-ADDRESS")
@authenticated
@click.pass_context
def address(context: click.Context, email: str, authenticate_with: Path | None) -> int:
    """Give your account another mail address; a code is sent there."""
    from memory.sync import base64url

    proof = {"email": email, "verifier": base64url.encode(os.urandom(32))}
    if not _done(context, "sync address code", **proof):
        return 1
    arguments = {**proof, "code": _ask(_("Code from the mail to {email}").format(email=email))}
    return run_as_owner(context.obj, "sync address", arguments, passphrase_file=authenticate_with)


@click.command("recovery")
@click.pass_context
def recovery(context: click.Context) -> int:
    """Make another recovery key and show it once; the former one joins nothing any more."""
    from desktop.command_line.recovery import show_sync_key
    from desktop.command_line.stepping import Steps, run_steps

    async def work(steps: Steps) -> None:
        await steps.take("sync require in")
        steps.end(await steps.take("sync recovery", words=show_sync_key()))

    return run_steps(context.obj, "sync recovery", work)


@click.command("delete")
@click.option(
    "--what", type=_WHAT, default="account", help=_("The account, or the copy of this office alone.")
)
@click.option(
    "--mode", type=click.Choice(["grace", "now"]), required=True, help=_("With time to think, or at once.")
)
@authenticated
@click.pass_context
def delete(context: click.Context, what: str, mode: str, authenticate_with: Path | None) -> int:
    """Delete at the service; what is on this device stays. At once needs a code that comes by mail."""
    code = ""
    if mode == "now":
        if not _done(context, "sync mail code"):
            return 1
        code = _ask(_("Code from the mail"))
    arguments = {"what": what, "mode": mode, "code": code}
    return run_as_owner(context.obj, "sync delete", arguments, passphrase_file=authenticate_with)


@click.command("restore")
@click.option(
    "--what", type=_WHAT, help=_("Only that of the account, or only that of the copy of this office.")
)
@click.pass_context
def restore(context: click.Context, what: str | None) -> int:
    """Call a deletion off that was begun with time to think."""
    return run_command(context, "sync restore", what=what or "")


@click.command("receipts")
@click.option("--offline", is_flag=True, help=_("Only those that are kept here."))
@click.option("--erased", is_flag=True, help=_("Ask for a receipt of what was erased in this office."))
@click.option(
    "--save", type=click.Path(file_okay=False, path_type=Path), help=_("Write each into this folder.")
)
@click.pass_context
def receipts(context: click.Context, offline: bool, erased: bool, save: Path | None) -> int:
    """List what the service proves to have destroyed; each receipt is verified and kept."""
    folder = str(save.absolute()) if save else ""
    return run_command(context, "sync receipts", fetch=not offline, erased=erased, save=folder)


@click.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", help=_("The key that the service publishes; otherwise the one in the file."))
@click.pass_context
def verify(context: click.Context, file: Path, key: str | None) -> int:
    """Verify a receipt that “receipts --save” wrote, without a network and without the office."""
    from desktop.command_line.rendering import Page
    from memory.sync import base64url, kept_receipts
    from memory.sync.errors import ReceiptWrong

    page = Page("sync verify", as_json=context.obj.as_json)
    try:
        receipt, signed_by = kept_receipts.from_file(file.read_bytes())
    except ReceiptWrong as wrong:
        page.fail(str(wrong))
        return 1
    if key is not None and key != base64url.encode(signed_by):
        page.fail(_("Another key signed this receipt: it is not from that service."))
        return 1
    server = str(receipt.members["server"])
    told = {"scope": receipt.scope, "from": server, "destroyed": receipt.purged_at, **receipt.counts}
    if key is None:
        told["and now"] = _(
            "It is as it was signed. Whether {server} signed it, its own list of keys says: give --key the key that "
            "stands at {server}/.well-known/officesync."
        ).format(server=server)
    else:
        told["and now"] = _("It is as {server} signed it.").format(server=server)
    page.show({"kind": "result", "value": {"signed by": base64url.encode(signed_by), **told}})
    return 0


@click.command("export")
@click.option(
    "--kind", type=click.Choice(["metadata", "full"]), default="full", help=_("Without or with the records.")
)
@click.option("--hours", type=_HOURS, default=24, help=_("How long the link leads there."))
@click.option("--since", default="", help=_("Only from a day on, as 2026-01-31, or 12mo for the last year."))
@authenticated
@click.pass_context
def export(context: click.Context, kind: str, hours: int, since: str, authenticate_with: Path | None) -> int:
    """Have the service write all that it holds of your account into one file, sealed as it is there."""
    arguments = {"kind": kind, "hours": hours, "since": since}
    return run_as_owner(context.obj, "sync export", arguments, passphrase_file=authenticate_with)


@click.command("share")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--hours", type=_HOURS, default=24, help=_("How long the link leads there."))
@click.pass_context
def share(context: click.Context, file: Path, hours: int) -> int:
    """Hand out an encrypted export by a link of the service, which ends by itself."""
    return run_command(context, "sync share", path=str(file.absolute()), hours=hours)


COMMANDS = (
    *(admit, account, sessions, address, freeze, unfreeze, revoke, recovery),
    *(delete, restore, receipts, verify, export, share),
)


def _proof(place: str, email: str | None) -> dict[str, str]:
    from memory.sync import base64url

    if not email:
        raise UsageFault(_("Say with --email to which address the code is to be mailed."))
    return {"place": place, "email": email, "verifier": base64url.encode(os.urandom(32))}


def _code(context: click.Context, proof: dict[str, str]) -> str | None:
    """Have a code mailed and ask for it, with the office closed meanwhile; None where none was mailed."""
    from desktop.command_line.stepping import Steps, run_steps

    async def work(steps: Steps) -> None:
        said = await steps.take("sync code", **proof)
        steps.say(
            _(
                "{server} says at {policy} what it sees and keeps (version {version}): with the code you accept that."
            ).format(**said)
        )

    if run_steps(context.obj, "sync code", work):
        return None
    return _ask(_("Code from the mail to {email}").format(email=proof["email"]))


def _done(context: click.Context, command: str, **arguments: str) -> bool:
    """Run a command whose result says nothing, and return whether it went well."""
    from desktop.command_line.stepping import Steps, run_steps

    async def work(steps: Steps) -> None:
        await steps.take(command, **arguments)

    return run_steps(context.obj, command, work) == 0


async def _same_words(steps: "Steps", side: str) -> bool:
    """Show the six words and ask whether the other screen shows them too."""
    found = await steps.take("sync compare", side=side)
    steps.say(_("Both devices must show these six words:"))
    steps.say("  " + " ".join(found["words"]))
    from desktop.command_line.stepping import interruptible

    with interruptible():
        same = click.confirm(_("Does the other device show the same words?"), err=True)
    if not same:
        steps.end(await steps.take("sync give up"))
    return same


def _ask(question: str, *, hidden: bool = False) -> str:
    return str(click.prompt(question, hide_input=hidden, err=True))

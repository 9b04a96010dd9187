"""The commands of what is kept and what goes: trash, retention, erase."""

from pathlib import Path

import click

from desktop.command_line.authentication import authenticated, run_as_owner
from desktop.command_line.commands import _run as run_in_office
from desktop.command_line.commands import office_commands
from resources.language import gettext as _

__all__ = ["office_commands"]

_KINDS = ["message", "note", "file", "conversation", "agent", "connection", "everything"]
_WORD = "everything"


@office_commands.group()
def trash() -> None:
    """What you put away: list it, restore it, empty the trash."""


@trash.command("list")
@click.pass_context
def trash_list(context: click.Context) -> int:
    """List what is in the trash, and when it leaves."""
    return run_in_office(context, "trash list")


@trash.command("restore")
@click.argument("name", metavar="ID")
@click.pass_context
def trash_restore(context: click.Context, name: str) -> int:
    """Bring something back from the trash, with everything that belongs to it."""
    return run_in_office(context, "trash restore", id=name)


@trash.command("empty")
@click.option(
    "--confirm", "confirmed", type=int, help=_("How many things that is, where it is a great many.")
)
@authenticated
@click.pass_context
def trash_empty(context: click.Context, confirmed: int | None, authenticate_with: Path | None) -> int:
    """Erase for good what is in the trash."""
    return run_as_owner(
        context.obj, "trash empty", {"confirmed": confirmed}, passphrase_file=authenticate_with
    )


@office_commands.group()
def retention() -> None:
    """How long things stay: show, set, preview, run."""


@retention.command("show")
@click.pass_context
def retention_show(context: click.Context) -> int:
    """List the rules, the narrowest first."""
    return run_in_office(context, "retention show")


@retention.command("set")
@click.argument("about")
@click.argument("days")
@click.pass_context
def retention_set(context: click.Context, about: str, days: str) -> int:
    """Let a category, agent, conversation or kind of file stay DAYS days, “keep” it, or go back to “default”."""
    return run_in_office(context, "retention set", about=about, days=days)


@retention.command("preview")
@click.pass_context
def retention_preview(context: click.Context) -> int:
    """List what leaves in the next thirty days, and when."""
    return run_in_office(context, "retention preview")


@retention.command("run")
@click.option("--confirm", "confirmed", is_flag=True, help=_("Delete although the clock jumped."))
@click.pass_context
def retention_run(context: click.Context, confirmed: bool) -> int:
    """Do now what is done once a day: erase what is due, shorten ledgers and logs."""
    return run_in_office(context, "retention run", confirmed=confirmed)


@office_commands.command()
@click.argument("kind", type=click.Choice(_KINDS))
@click.argument("name", metavar="ID", default="")
@click.option("--now", is_flag=True, help=_("Erase it at once instead of putting it into the trash."))
@click.option("--notes", is_flag=True, help=_("Also the notes that were drawn from it."))
@click.option("--deep", is_flag=True, help=_("Give the database another key besides, which takes a while."))
@click.option("--yes", is_flag=True, help=_("Ask nothing."))
@authenticated
@click.pass_context
def erase(
    context: click.Context,
    kind: str,
    name: str,
    now: bool,
    notes: bool,
    deep: bool,
    yes: bool,
    authenticate_with: Path | None,
) -> int:
    """Put something into the trash, or erase it for good and search for what is left of it."""
    from desktop.command_line.renewing import erase_and_offer, erase_everything

    if kind != _WORD:
        if not name:
            raise click.UsageError(_("Say which one: give its id, or the beginning of it."))
        arguments = {"kind": kind, "id": name, "now": now, "notes": notes, "deep": deep}
        return erase_and_offer(context.obj, arguments, authenticate_with, ask=not yes)
    if not yes:
        typed = click.prompt(
            _("This destroys the whole office and its keys for ever. Type “{word}” to go on").format(
                word=_WORD
            ),
            default="",
            show_default=False,
            err=True,
        )
        if typed.strip() != _WORD:
            raise click.UsageError(_("Nothing was erased."))
    return erase_everything(context.obj, authenticate_with)

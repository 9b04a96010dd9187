"""``bureau lock``: the arguments and help of its commands. What they do is in ``agents/commands/locking``."""

import sys

import click

from desktop.command_line.backup_commands import run_command
from resources.language import gettext as _


@click.group(invoke_without_command=True)
@click.pass_context
def lock(context: click.Context) -> int | None:
    """Lock the window. Alone, it locks now."""
    return run_command(context, "lock now") if context.invoked_subcommand is None else None


@lock.command("passphrase")
@click.option("--remove", is_flag=True, help=_("Take the passphrase of the lock away."))
@click.option(
    "--stdin",
    "from_stdin",
    is_flag=True,
    help=_("Read the new one, and on a second line the former one, from standard input."),
)
@click.pass_context
def lock_passphrase(context: click.Context, remove: bool, from_stdin: bool) -> int:
    """Choose the passphrase of the lock, for an office whose keys are in a keyring."""
    if from_stdin:
        new, _newline, former = sys.stdin.read().rstrip("\n").partition("\n")
    else:
        new = "" if remove else str(click.prompt(_("New passphrase"), hide_input=True, err=True))
        former = str(
            click.prompt(
                _("Former passphrase, empty if none"),
                default="",
                show_default=False,
                hide_input=True,
                err=True,
            )
        )
    return run_command(context, "lock passphrase", new="" if remove else new, former=former)

"""``bureau backup``: the arguments and help of its commands. What they do is in ``agents/commands/backups``."""

from pathlib import Path
from typing import Any

import click

from desktop.command_line.options import GlobalOptions
from resources.language import gettext as _


def run_command(context: click.Context, command: str, **arguments: Any) -> int:
    """Run one command with the options given anywhere on the line; return the exit code."""
    from desktop.command_line.session import run

    options: GlobalOptions = context.obj
    return run(options, command, arguments)


@click.group()
def backup() -> None:
    """Encrypted copies of the whole office: now, list, check, remove, folder, restore."""


@backup.command("now")
@click.pass_context
def backup_now(context: click.Context) -> int:
    """Make a backup and verify it."""
    return run_command(context, "backup now")


@backup.command("list")
@click.pass_context
def backup_list(context: click.Context) -> int:
    """List the backups, the latest first."""
    return run_command(context, "backup list")


@backup.command("check")
@click.argument("backup")
@click.pass_context
def backup_check(context: click.Context, backup: str) -> int:
    """Read a whole backup again and check every hash in it."""
    return run_command(context, "backup check", backup=backup)


@backup.command("remove")
@click.argument("backup")
@click.pass_context
def backup_remove(context: click.Context, backup: str) -> int:
    """Destroy the key of a backup and remove its file."""
    return run_command(context, "backup remove", backup=backup)


@backup.command("restore")
@click.argument("backup")
@click.option("--stdin", "from_stdin", is_flag=True, help=_("Read the recovery key from standard input."))
@click.pass_context
def backup_restore(context: click.Context, backup: str, from_stdin: bool) -> int:
    """Go back to a backup, by id or path; or, with --home naming an empty folder, make an office out of one."""
    from desktop.command_line.restoring import restore

    return restore(context.obj, backup, from_stdin=from_stdin)


@backup.command("folder")
@click.argument("path", type=click.Path(file_okay=False, path_type=Path), required=False)
@click.option("--own", is_flag=True, help=_("The office's own folder again."))
@click.pass_context
def backup_folder(context: click.Context, path: Path | None, own: bool) -> int:
    """Show where backups are put, or choose another folder."""
    chosen = "" if own else str(path.absolute()) if path else None
    return run_command(context, "backup folder", path=chosen)

"""Asks for the passphrase of the app lock before a command that exports or erases, where the office wants it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from desktop.command_line.options import GlobalOptions, UsageFault
from resources.language import gettext as _

F = TypeVar("F", bound=Callable[..., Any])


def authenticated(command: F) -> F:
    """Give a command the option for the file with the passphrase; it comes as ``authenticate_with``."""
    return click.option(
        "--authenticate-with",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help=_("Your passphrase, in this file; otherwise it is asked for."),
    )(command)


def run_as_owner(
    options: GlobalOptions,
    command: str,
    arguments: dict[str, Any],
    page: Any = None,
    *,
    passphrase_file: Path | None = None,
) -> int:
    """Run a command that only the owner may; return the exit code.

    ``page`` is as for ``session.run``. Raises UsageFault where the passphrase is needed and nobody can be asked.
    """
    from agents.door.protocol import OWNER_ASKED
    from desktop.command_line.session import run

    code = run(options, command, arguments, page)
    if code != OWNER_ASKED:
        return code
    return run(options, command, {**arguments, "authentication": given_passphrase(passphrase_file)}, page)


def given_passphrase(passphrase_file: Path | None) -> str:
    """Return the passphrase of the lock, out of a file or asked for. Raises UsageFault where nobody can be asked."""
    from desktop.command_line.passphrase import read_passphrase

    if passphrase_file is not None:
        return read_passphrase(passphrase_file)
    if not sys.stdin.isatty():
        raise UsageFault(
            _(
                "Your passphrase is needed: give it in a file with --authenticate-with, or run this "
                "in a terminal."
            )
        )
    return str(click.prompt(_("Passphrase"), hide_input=True, err=True))

"""Where ``bureau`` begins. Imports nothing slow: ``--help`` and ``paths`` answer at once."""

import os
import sys

from desktop.command_line.options import GlobalOptions, UsageFault, split
from resources.language import choose_language
from resources.language import gettext as _

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
"""One of these tells Qt where to draw."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit code: 0 done, 1 failed, 2 wrongly used."""
    choose_language(os.environ.get("BUREAU_LANGUAGE"))
    try:
        options, rest = split(sys.argv[1:] if arguments is None else arguments)
        if not rest:
            return _open_window(options)
        if rest == ["--toggle"]:
            return _open_window(options)
        return _run_command(options, rest)
    except UsageFault as fault:
        print(fault, file=sys.stderr)
        return 2


def _run_command(options: GlobalOptions, rest: list[str]) -> int:
    import click

    from desktop.command_line.commands import office_commands

    try:
        result = office_commands.main(rest, prog_name="bureau", standalone_mode=False, obj=options)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as fault:
        print(fault.format_message(), file=sys.stderr)
        return 2
    except click.exceptions.Abort:
        print(_("Stopped."), file=sys.stderr)
        return 1
    return result if isinstance(result, int) else 0


def _open_window(options: GlobalOptions) -> int:
    if sys.platform == "linux" and not any(os.environ.get(name) for name in SCREENS):
        print(
            _("There is no screen here. Talk to the office with “bureau chat”, or see “bureau --help”."),
            file=sys.stderr,
        )
        return 1
    from memory.locations import Locations

    locations = Locations.find(options.home)
    if locations.lock.exists() and locations.lock.stat().st_size:
        from desktop.command_line.session import raise_window

        if raise_window(locations):
            return 0
    from desktop.application import run

    return run(locations, options.passphrase_file)

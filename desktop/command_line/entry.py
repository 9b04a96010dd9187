"""Where ``bureau`` begins. Imports nothing slow: ``--help`` and ``paths`` answer at once."""

import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from desktop import first_look
from desktop.command_line.options import GlobalOptions, UsageFault, split
from memory.errors import StorageError
from memory.locations import Locations
from resources.language import choose_language
from resources.language import gettext as _

if TYPE_CHECKING:
    import click

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
"""One of these tells Qt where to draw."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


def program() -> NoReturn:
    """Run the command line of this process and end the process with its exit code."""
    code = main()
    if "PySide6" in sys.modules:
        sys.exit(code)  # Qt has things to hand on at the end, such as what was copied
    # Everything is closed and said; taking the interpreter down would take another third of a second.
    sys.stdout.flush()
    os._exit(code)


def main(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit code: 0 done, 1 failed, 2 wrongly used."""
    choose_language(os.environ.get("BUREAU_LANGUAGE"))
    _prepare_streams()
    options = GlobalOptions()
    try:
        options, rest = split(sys.argv[1:] if arguments is None else arguments)
        locations = Locations.find(options.home)
        choose_language(os.environ.get("BUREAU_LANGUAGE"), first_look.read(locations).language)
        code = _open_window(options, locations) if rest in ([], ["--toggle"]) else _run_command(options, rest)
        sys.stdout.flush()
        return code
    except (UsageFault, StorageError) as fault:
        print(fault, file=sys.stderr)
        return 2 if isinstance(fault, UsageFault) else 1
    except BrokenPipeError:
        _give_up_output()  # who read it has gone, as `head` does
        return 1
    except KeyboardInterrupt:
        print(_("Stopped."), file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno not in _FULL or error.filename is not None:
            return _broke(error, options)
        _give_up_output()
        print(_("What the command says cannot be written: make room where its output goes."), file=sys.stderr)
        return 1
    except Exception as error:  # noqa: BLE001 - the last place where a fault can become a sentence
        return _broke(error, options)


def _broke(error: Exception, options: GlobalOptions) -> int:
    from desktop.command_line.reporting import report

    report(error, options)
    return 1


def _give_up_output() -> None:
    """Let nobody complain of standard output any more, Python's own last flush included."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _prepare_streams() -> None:
    """Let no character stop a command: not one that the terminal cannot show, nor a broken one on its input.

    A stream that whoever started us has closed becomes an empty one.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115  open as long as the process
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "backslashreplace")):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=errors)


def _run_command(options: GlobalOptions, rest: list[str]) -> int:
    import click

    from desktop.command_line.life_commands import office_commands

    _translate(office_commands)
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


def _translate(command: "click.Command") -> None:
    """Put the help of a command, and of those below it, into the chosen language."""
    if command.help:  # the translation of nothing is the catalogue's header
        command.help = _(command.help)
    for each in getattr(command, "commands", {}).values():
        _translate(each)


def _open_window(options: GlobalOptions, locations: Locations) -> int:
    if sys.platform == "linux" and not any(os.environ.get(name) for name in SCREENS):
        print(
            _("There is no screen here. Talk to the office with “bureau chat”, or see “bureau --help”."),
            file=sys.stderr,
        )
        return 1
    if locations.lock.exists() and locations.lock.stat().st_size:
        from desktop.command_line.session import raise_window

        if raise_window(locations):
            return 0
    from desktop.application import run

    return run(locations, options.passphrase_file)

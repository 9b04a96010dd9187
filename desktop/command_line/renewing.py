"""After a deep erase: what could still open old pieces of the disk, and making another one of it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from desktop.command_line.authentication import run_as_owner
from desktop.command_line.options import GlobalOptions
from desktop.command_line.recovery import change_passphrase, show_new_key
from desktop.command_line.rendering import Page
from memory.lifecycle.reports import warnings
from resources.language import gettext as _

_COMMANDS = {"recovery key": "bureau recovery new", "passphrase": "bureau recovery passphrase"}


def erase_and_offer(
    options: GlobalOptions, arguments: dict[str, Any], passphrase_file: Path | None, *, ask: bool
) -> int:
    """Erase one thing; after a deep erase offer another recovery key and passphrase. Returns the exit code.

    Without ``ask``, or where nobody can answer, the sentence and the command are printed instead.
    """
    page = Page("erase", as_json=options.as_json)
    code = run_as_owner(options, "erase", arguments, page, passphrase_file=passphrase_file)
    openers = page.value.get("openers", []) if page.value else []
    if ask and not options.as_json and sys.stdin.isatty():
        return _offer(options, openers) or code
    for opener, sentence in zip(openers, warnings(openers), strict=True):
        fix = _("Make another one with “{command}” and destroy the former one.")
        print(sentence, fix.format(command=_COMMANDS[opener]), file=sys.stderr)
    return code


def erase_everything(options: GlobalOptions, passphrase_file: Path | None) -> int:
    """Erase the office, and say what to destroy with it: another key would have nothing left to open."""
    page = Page("erase everything", as_json=options.as_json)
    code = run_as_owner(options, "erase everything", {}, page, passphrase_file=passphrase_file)
    for sentence in warnings(page.value["openers"]) if page.value else ():
        print(sentence, _("Destroy it too."), file=sys.stderr)
    return code


def _offer(options: GlobalOptions, openers: Sequence[str]) -> int:
    make = {"recovery key": show_new_key, "passphrase": change_passphrase}
    for opener, sentence in zip(openers, warnings(openers), strict=True):
        print(sentence, file=sys.stderr)
        if not click.confirm(_("Make another one now, and destroy the former one?"), default=True, err=True):
            print(_("Then the report does not claim that nothing can be decrypted."), file=sys.stderr)
        elif code := make[opener](options):
            return code
    return 0

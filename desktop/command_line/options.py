"""The options that every command takes, before or after the subcommand."""

from dataclasses import dataclass
from pathlib import Path

from resources.language import gettext as _


class UsageFault(Exception):
    """A command was wrongly used; the message names the right way. Exit code 2."""


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """Where the office is, how it is unlocked, and whether output is one JSON object."""

    home: Path | None = None
    as_json: bool = False
    passphrase_file: Path | None = None


def split(arguments: list[str]) -> tuple[GlobalOptions, list[str]]:
    """Take the global options out of the arguments, wherever they stand before ``--``. Raises UsageFault."""
    home: Path | None = None
    passphrase_file: Path | None = None
    as_json = False
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            rest += [word, *waiting]
            break
        name, given, value = word.partition("=")
        if name == "--json" and not given:
            as_json = True
        elif name in {"--home", "--passphrase-file"}:
            if not given:
                if not waiting:
                    raise UsageFault(_("{option} needs a path after it.").format(option=name))
                value = waiting.pop(0)
            if not value:
                raise UsageFault(_("{option} needs a path after it.").format(option=name))
            if name == "--home":
                home = Path(value)
            else:
                passphrase_file = Path(value)
        else:
            rest.append(word)
    return GlobalOptions(home, as_json, passphrase_file), rest

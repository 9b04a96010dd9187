"""The passphrase that a command is given in a file."""

from pathlib import Path

from desktop.command_line.options import GlobalOptions, UsageFault
from desktop.vault_ahead import passphrase_in
from resources.language import gettext as _
from vault.secret import Secret


def read_secret(path: Path) -> str:
    """Return what a file says, without the line's end. Raises UsageFault."""
    try:
        return passphrase_in(path).reveal()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageFault(
            _("{path} cannot be read as a passphrase: name a text file.").format(path=path)
        ) from error


def read_passphrase(path: Path) -> str:
    """Return the passphrase in a file, without the line's end. Raises UsageFault, also where there is none in it."""
    text = read_secret(path)
    if not text:
        raise UsageFault(_("{path} is empty: write the passphrase into it.").format(path=path))
    return text


def passphrase_of(options: GlobalOptions) -> Secret | None:
    """Return the passphrase of --passphrase-file, without the line's end. Raises UsageFault."""
    path = options.passphrase_file
    return None if path is None else Secret(read_passphrase(path))

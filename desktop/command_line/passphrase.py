"""The passphrase that a command is given in a file."""

from desktop.command_line.options import GlobalOptions, UsageFault
from desktop.vault_ahead import passphrase_in
from resources.language import gettext as _
from vault.secret import Secret


def passphrase_of(options: GlobalOptions) -> Secret | None:
    """Return the passphrase of --passphrase-file, without the line's end. Raises UsageFault."""
    path = options.passphrase_file
    if path is None:
        return None
    try:
        passphrase = passphrase_in(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageFault(
            _("{path} cannot be read as a passphrase: name a text file.").format(path=path)
        ) from error
    if not passphrase.reveal():
        raise UsageFault(_("{path} is empty: write the passphrase into it.").format(path=path))
    return passphrase

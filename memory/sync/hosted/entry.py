"""Where ``bureau-hosted`` begins: secrets are kept out of what is printed, and the language is chosen first."""

import os
import resource
import sys

import click

from memory.sync.hosted.errors import HostedError
from resources.language import choose_language
from resources.language import gettext as _
from vault import redaction


def program() -> int:
    """Run the command; return its exit code: 2 with a sentence for what the operator must mend."""
    redaction.install()
    os.umask(0o077)  # databases and backups are for the service's own user, whatever the shell says
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    choose_language(os.environ.get("BUREAU_LANGUAGE"))
    from memory.sync.hosted.command_line import commands

    try:
        commands(standalone_mode=False)
    except click.ClickException as wrong:
        wrong.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        return 130
    except HostedError as wrong:
        click.echo(str(wrong), err=True)
        return 2
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] in ("", "memory", "resources", "vault"):
            raise
        click.echo(
            _(
                "The service needs libraries that the desktop does without, and {name} is not here: "
                "packaging/hosted/README.md says how to install them."
            ).format(name=missing.name),
            err=True,
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(program())

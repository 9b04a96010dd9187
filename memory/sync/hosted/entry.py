"""Where ``bureau-hosted`` begins: secrets are kept out of what is printed, and the language is chosen first."""

import os
import resource
import sys

import click

from memory.sync.hosted.errors import HostedError
from resources.language import choose_language
from vault import redaction


def program() -> int:
    """Run the command; return its exit code: 2 with a sentence for what the operator must mend."""
    redaction.install()
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
    return 0


if __name__ == "__main__":
    sys.exit(program())

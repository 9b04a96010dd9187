"""The command ``bureau-hosted``."""

import resource
import sys
from dataclasses import fields
from pathlib import Path

import click

from memory.sync.hosted.errors import HostedError
from memory.sync.hosted.settings import Settings, load
from resources.language import choose_language

_settings_option = click.option(
    "--settings", "file", type=click.Path(path_type=Path), help="A TOML file with the settings."
)


@click.group(help="The hosted service of OfficeSync.")
def commands() -> None:
    """Collect the commands."""


@commands.command(help="Serve, with everything that is needed made at the first start.")
@_settings_option
@click.option("--data", type=click.Path(path_type=Path), help="The folder of the databases and blobs.")
@click.option("--host", help="The address to listen at.")
@click.option("--port", type=int, help="The port to listen at.")
@click.option("--public-url", help="How the service is reached from outside.")
@click.option("--no-jobs", is_flag=True, help="Only answer; another replica does the jobs.")
def serve(
    file: Path | None,
    data: Path | None,
    host: str | None,
    port: int | None,
    public_url: str | None,
    no_jobs: bool,
) -> None:
    """Serve until stopped."""
    settings = load(file, data=data, host=host, port=port, public_url=public_url)
    from memory.sync.hosted.serving import serve as run

    run(settings, working=not no_jobs)


@commands.command(name="settings", help="List the settings and their values.")
@_settings_option
def show_settings(file: Path | None) -> None:
    """Print every setting but secrets."""
    settings = load(file)
    for each in fields(Settings):
        if each.repr:
            click.echo(f"{each.name} = {getattr(settings, each.name)}")


def program() -> int:
    """Run the command; return its exit code: 2 with a sentence for what the operator must mend."""
    from vault import redaction

    choose_language()
    redaction.install()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
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

"""The commands of ``bureau-hosted``. Their help is made when this is imported: choose a language before."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import click

from memory.sync.hosted.errors import SettingsInvalid
from memory.sync.hosted.occupation import nobody_serving, serving_here
from memory.sync.hosted.settings import Settings, load
from resources.language import gettext as _

_FILE = click.Path(path_type=Path)


@click.group(help=_("The hosted service of OfficeSync."))
@click.option("--settings", "file", type=_FILE, help=_("A TOML file with the settings."))
@click.pass_context
def commands(context: click.Context, file: Path | None) -> None:
    """Collect the commands."""
    context.obj = file


@commands.command(help=_("Serve, with everything that is needed made at the first start."))
@click.option("--data", type=_FILE, help=_("The folder of the databases and blobs."))
@click.option("--host", help=_("The address to listen at."))
@click.option("--port", type=int, help=_("The port to listen at."))
@click.option("--public-url", help=_("How the service is reached from outside."))
@click.option("--no-jobs", is_flag=True, help=_("Only answer; another replica does the jobs."))
@click.pass_obj
def serve(
    file: Path | None,
    data: Path | None,
    host: str | None,
    port: int | None,
    public_url: str | None,
    no_jobs: bool,
) -> None:
    """Serve until stopped."""
    from memory.sync.hosted.serving import serve as run

    run(load(file, data=data, host=host, port=port, public_url=public_url), working=not no_jobs)


@commands.command(name="settings", help=_("List the settings and their values."))
@click.pass_obj
def show_settings(file: Path | None) -> None:
    """Print every setting but secrets."""
    settings = load(file)
    for each in fields(Settings):
        if each.repr:
            click.echo(f"{each.name} = {getattr(settings, each.name)}")


@commands.command(help=_("Write a backup of the records and replace that of the keys."))
@click.argument("folder", type=_FILE)
@click.pass_obj
def backup(file: Path | None, folder: Path) -> None:
    """Back up."""
    from memory.sync.hosted import backing_up

    done = _do(file, lambda service: backing_up.back_up(service, folder))
    click.echo(f"{done.records}\n{done.keys}")


@commands.command(
    help=_("Bring a backup back into a service that is stopped, and replay the ledger over it.")
)
@click.option("--records", type=_FILE, help=_("A backup of the records."))
@click.option("--keys", type=_FILE, help=_("The backup of the keys, if they are lost too."))
@click.option("--without-ledger", is_flag=True, help=_("Begin another ledger where it is lost for good."))
@click.pass_obj
def restore(file: Path | None, records: Path | None, keys: Path | None, without_ledger: bool) -> None:
    """Restore."""
    from memory.sync.hosted import backing_up, replaying

    if records is None and keys is None and not without_ledger:
        raise click.UsageError(_("Name what to bring back: --records, --keys or both."))

    async def bring_back(service: Any) -> None:
        if not without_ledger:
            await replaying.require_ledger(service)
        await backing_up.restore(service, records, keys)

    _do(file, bring_back, nobody_serving)
    if without_ledger:
        click.echo(
            _(
                "It is back, and every space has a new generation: devices erase again what they know as erased."
            )
        )
    else:
        click.echo(
            _("It is back. What was erased since then is gone again, and every space has a new generation.")
        )


@commands.command(help=_("Back up, bring it back into an empty place, and compare."))
@click.option("--into", type=_FILE, help=_("Settings of an empty service; a folder of its own by default."))
@click.pass_obj
def drill(file: Path | None, into: Path | None) -> None:
    """Drill."""
    from memory.sync.hosted import drilling
    from memory.sync.hosted.service import make_service
    from memory.sync.hosted.service_keys import secret_path

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)

        async def run(service: Any) -> Any:
            secret = str(secret_path(service.settings))
            there = load(into) if into else Settings(data=folder / "copy")
            copy = make_service(replace(there, secret_file=secret))
            try:
                return await drilling.drill(service, copy, folder / "backup")
            finally:
                for store in copy.stores:
                    await store.close()

        done = _do(file, run)
    click.echo(
        _("{rows} rows came back whole: backup {backup} s, restoring {restore} s.").format(
            rows=done.rows, backup=round(done.backup_seconds, 1), restore=round(done.restore_seconds, 1)
        )
    )


@commands.group(help=_("What only the operator does to an account, found by its mail address."))
def account() -> None:
    """Collect the commands about accounts."""


def _account_command(name: str, help_: str, change: Callable[[Any, str], Awaitable[None]]) -> None:
    @account.command(name=name, help=help_)
    @click.argument("address")
    @click.pass_obj
    def run(file: Path | None, address: str) -> None:
        from memory.sync.hosted import operating

        async def do(service: Any) -> None:
            await change(service, await operating.account_of(service, address))

        _do(file, do)


async def _suspend(service: Any, account_id: str) -> None:
    from memory.sync.hosted import operating

    await operating.suspend(service, account_id, True)


async def _resume(service: Any, account_id: str) -> None:
    from memory.sync.hosted import operating

    await operating.suspend(service, account_id, False)


_account_command("suspend", _("Let it only pull, export, erase and delete."), _suspend)
_account_command("resume", _("Let it go on."), _resume)


@account.command(help=_("Keep it from being purged, for a reason that its owner reads; no reason ends that."))
@click.argument("address")
@click.option("--reason", default="", help=_("Why the law asks for it."))
@click.pass_obj
def hold(file: Path | None, address: str, reason: str) -> None:
    """Set or end a legal hold."""
    from memory.sync.hosted import operating

    async def do(service: Any) -> None:
        await operating.set_hold(service, await operating.account_of(service, address), reason)

    _do(file, do)


@commands.group(help=_("Breaches of security, with the 72 hours of the law."))
def incident() -> None:
    """Collect the commands about incidents."""


@incident.command(name="open", help=_("Note an incident; the 72 hours run from its detection."))
@click.option("--detected", required=True, help=_("When it was detected, like 2026-05-01T13:30 (UTC)."))
@click.option("--nature", required=True, help=_("What happened."))
@click.option("--data", required=True, help=_("Which data it is about."))
@click.option("--measures", required=True, help=_("What is done about it."))
@click.pass_obj
def open_(file: Path | None, detected: str, nature: str, data: str, measures: str) -> None:
    """Open an incident."""
    from memory.sync.hosted import incidents

    at = incidents.instant_of(detected)
    click.echo(_do(file, lambda service: incidents.open_incident(service, at, nature, data, measures)))


@incident.command(name="list", help=_("List the incidents, the hours left and the mails sent."))
@click.pass_obj
def list_(file: Path | None) -> None:
    """List incidents."""
    from memory.sync.hosted import incidents

    for each in _do(file, incidents.listed):
        click.echo(json.dumps(each, ensure_ascii=False))


@incident.command(help=_("Note that the authority was told."))
@click.argument("incident_id")
@click.pass_obj
def authority_told(file: Path | None, incident_id: str) -> None:
    """Note it."""
    from memory.sync.hosted import incidents

    _do(file, lambda service: incidents.authority_told(service, incident_id))


@incident.command(help=_("Mail those affected, each once."))
@click.argument("incident_id")
@click.option("--since", help=_("Only accounts that used the service since then; all by default."))
@click.pass_obj
def tell(file: Path | None, incident_id: str, since: str | None) -> None:
    """Ask for the mails."""
    from memory.sync.hosted import incidents

    at = incidents.instant_of(since) if since else None

    async def do(service: Any) -> int:
        return await incidents.tell(service, incident_id, await incidents.affected(service, at))

    click.echo(_("Mails are asked for: {count}").format(count=_do(file, do)))


@commands.command(help=_("Announce a new version of the policy, at least 30 days ahead."))
@click.argument("version")
@click.argument("effective")
@click.argument("text", type=_FILE)
@click.pass_obj
def announce(file: Path | None, version: str, effective: str, text: Path) -> None:
    """Announce a policy."""
    from memory.sync.hosted import policies

    count = _do(file, lambda service: policies.announce(service, version, effective, text))
    click.echo(_("Mails are asked for: {count}").format(count=count))


def _do(
    file: Path | None,
    work: Callable[[Any], Awaitable[Any]],
    held: Callable[[Settings], AbstractContextManager[None]] = serving_here,
) -> Any:
    """Run something on the databases of the service: beside it, or while nothing else works on them."""
    settings = _founded(load(file))

    async def run() -> Any:
        async with _opened(settings) as service:
            return await work(service)

    with held(settings):
        return asyncio.run(run())


def _founded(settings: Settings) -> Settings:
    """Return the settings of a service that is there; else an empty one would be founded, and backed up over it."""
    from memory.sync.hosted.service_keys import secret_path

    if not (path := secret_path(settings)).exists():
        raise SettingsInvalid(
            _(
                "No service is here, for its secret {path} is missing: name its settings with --settings, or bring "
                "the secret back from where it is kept."
            ).format(path=path)
        )
    return settings


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Any]:
    from memory.sync.hosted.service import make_service

    service = make_service(settings)
    try:
        for store in service.stores:
            await store.create()
        yield service
    finally:
        for store in service.stores:
            await store.close()
        await service.objects.close()

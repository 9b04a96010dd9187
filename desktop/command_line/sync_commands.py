"""``bureau sync``: the arguments and help of its commands. What they do is in ``agents/commands/syncing``."""

import sys
from pathlib import Path

import click

from desktop.command_line.authentication import authenticated, run_as_owner
from desktop.command_line.backup_commands import run_command
from desktop.command_line.sync_account_commands import COMMANDS, Wish, found, is_service, join
from resources.language import gettext as _

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_EMAIL = click.option("--email", help=_("Where a service mails the code with which you sign in."))
CATEGORIES = ("agents", "chats", "files", "notes", "settings")
_CATEGORY = click.Choice(CATEGORIES)
_WITHOUT = click.option(
    "--without",
    type=_CATEGORY,
    multiple=True,
    help=_("Leave this out; may be given several times."),
)


@click.group()
def sync() -> None:
    """The same office on several devices, through a folder or a service that you choose."""


for _command in COMMANDS:
    sync.add_command(_command)


@sync.command("on")
@click.argument("place", metavar="[FOLDER | https://SERVICE]", required=False)
@_EMAIL
@_WITHOUT
@click.pass_context
def sync_on(context: click.Context, place: str | None, email: str | None, without: tuple[str, ...]) -> int:
    """Begin in an empty folder that your devices share, or at a service; without either, go on after “off”."""
    if place is None:
        return run_command(context, "sync on", folder="", words="", without=[])
    if is_service(place):
        return found(context, place, email, without)
    folder = _folder(context, place)
    from desktop.command_line.recovery import counting_later, show_sync_key
    from desktop.command_line.stepping import Steps, run_steps

    async def work(steps: Steps) -> None:
        await steps.take("sync found in", folder=folder)
        words = show_sync_key()
        with counting_later():
            steps.end(await steps.take("sync on", folder=folder, words=words, without=list(without)))

    return run_steps(context.obj, "sync on", work)


@sync.command("join")
@click.argument("place", metavar="FOLDER | https://SERVICE")
@_EMAIL
@click.option(
    "--by-device", is_flag=True, help=_("At a service: by another device instead of the recovery key.")
)
@click.option("--space", default="", help=_("At a service: which of your offices, or “new” for another one."))
@click.option("--stdin", "from_stdin", is_flag=True, help=_("Read the recovery key from standard input."))
@_WITHOUT
@click.pass_context
def sync_join(
    context: click.Context,
    place: str,
    email: str | None,
    by_device: bool,
    space: str,
    without: tuple[str, ...],
    from_stdin: bool,
) -> int:
    """Join the devices that meet in a folder or at a service, by the recovery key that “on” showed."""
    if is_service(place):
        wish = Wish(space, without, by_device, from_stdin)
        return join(context, place, email, wish)
    folder = _folder(context, place)
    words = (
        sys.stdin.read()
        if from_stdin
        else str(click.prompt(_("Recovery key of sync"), hide_input=True, err=True))
    )
    return run_command(context, "sync join", folder=folder, words=words, without=list(without))


def _folder(context: click.Context, place: str) -> str:
    found: Path = _FOLDER.convert(place, None, context)
    return str(found.absolute())


@sync.command("now")
@click.option("--erase", type=int, help=_("Erase here so many things that were erased on another device."))
@click.option(
    "--set-aside", type=int, help=_("Set aside so many things that are gone at the service without proof.")
)
@click.option("--keep-missing", is_flag=True, help=_("Keep what is gone at the service without proof."))
@click.option("--generation", default="", help=_("Go on with this copy of the service, which was reset."))
@click.pass_context
def sync_now(
    context: click.Context, erase: int | None, set_aside: int | None, keep_missing: bool, generation: str
) -> int:
    """Receive what the other devices changed, and send what was changed here."""
    return run_command(
        context, "sync now", confirmed=erase, missing=set_aside, keep=keep_missing, generation=generation
    )


@sync.command("status")
@click.pass_context
def sync_status(context: click.Context) -> int:
    """Say whether sync is on, where, what waits, how the last round ended and when the next one comes."""
    return run_command(context, "sync status")


@sync.command("categories")
@click.option("--on", type=_CATEGORY, multiple=True, help=_("Let it sync from now on."))
@click.option("--off", type=_CATEGORY, multiple=True, help=_("Let it stay on this device from now on."))
@click.pass_context
def sync_categories(context: click.Context, on: tuple[str, ...], off: tuple[str, ...]) -> int:
    """List what syncs, or change it; what the other devices have already stays there."""
    return run_command(context, "sync categories", on=list(on), off=list(off))


@sync.command("conflicts")
@click.option("--take", default="", metavar="ID", help=_("Let these words stand again."))
@click.option("--dismiss", default="", metavar="ID", help=_("Let go of these words."))
@click.pass_context
def sync_conflicts(context: click.Context, take: str, dismiss: str) -> int:
    """List the words that lost where two devices changed the same place, and decide about them."""
    return run_command(context, "sync conflicts", take=take, dismiss=dismiss)


@sync.command("aside")
@click.option("--take-back", multiple=True, metavar="ID", help=_("Show it again, or “all” of it."))
@click.option("--let-go", multiple=True, metavar="ID", help=_("Erase it here now, or “all” of it."))
@authenticated
@click.pass_context
def sync_aside(
    context: click.Context,
    take_back: tuple[str, ...],
    let_go: tuple[str, ...],
    authenticate_with: Path | None,
) -> int:
    """List what went missing elsewhere without proof and lies in the trash, and decide about it."""
    arguments = {"take_back": list(take_back), "let_go": list(let_go)}
    if let_go:
        return run_as_owner(context.obj, "sync aside", arguments, passphrase_file=authenticate_with)
    return run_command(context, "sync aside", **arguments)


@sync.command("apart")
@click.pass_context
def sync_apart(context: click.Context) -> int:
    """List what does not sync like everything else: too long, kept here, not placed or not read yet."""
    return run_command(context, "sync apart")


@sync.command("devices")
@click.pass_context
def sync_devices(context: click.Context) -> int:
    """List the devices that share this office."""
    return run_command(context, "sync devices")


@sync.command("name")
@click.argument("name")
@click.option("--device", default="", metavar="ID", help=_("Another device, as “devices” lists it."))
@click.pass_context
def sync_name(context: click.Context, name: str, device: str) -> int:
    """Name this device, or another one; the name is sealed, and seen on your devices alone."""
    return run_command(context, "sync name", name=name, device=device)


@sync.command("folder")
@click.argument("folder", metavar="[FOLDER]", required=False)
@click.pass_context
def sync_folder(context: click.Context, folder: str | None) -> int:
    """Say in which folder your devices meet; with a folder, go on there: the former one was moved."""
    return run_command(context, "sync folder", folder=_folder(context, folder) if folder else "")


@sync.command("off")
@click.pass_context
def sync_off(context: click.Context) -> int:
    """Pause sync: nothing is received or sent until “on”."""
    return run_command(context, "sync off")


@sync.command("leave")
@click.pass_context
def sync_leave(context: click.Context) -> int:
    """Forget the other devices and this one's keys; what the office holds stays, and the folder stays as it is."""
    return run_command(context, "sync leave")

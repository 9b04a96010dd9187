"""``bureau backup restore``: back to a backup in its own office, or a new office out of one."""

import asyncio
import sys
from pathlib import Path

import click

from agents.door.protocol import Caller, CommandFailed
from agents.lifecycle.going_back import restore_into_new
from desktop.command_line.options import GlobalOptions
from desktop.command_line.passphrase import passphrase_of
from desktop.command_line.rendering import Page
from desktop.command_line.session import Host, ending_in_order, protect, stopping
from memory.errors import StorageError
from memory.locations import Locations
from resources.language import gettext as _
from vault.errors import VaultError
from vault.secret import Secret


def restore(options: GlobalOptions, backup: str, *, from_stdin: bool) -> int:
    """Restore a backup and return the exit code."""
    protect()
    locations = Locations.find(options.home)
    page = Page("backup restore", as_json=options.as_json)
    if locations.database.exists():
        return asyncio.run(_go_back(options, backup, page))
    return _into_new(options, locations, Path(backup), page, from_stdin=from_stdin)


async def _go_back(options: GlobalOptions, backup: str, page: Page) -> int:
    caller = Caller()
    path = str(Path(backup).absolute()) if Path(backup).is_file() else backup  # noqa: ASYNC240  before anything runs
    try:
        with ending_in_order(), stopping(caller):
            waits = False
            async with Host(options) as host:
                async for item in host.items("backup restore", {"backup": path}, caller):
                    if item["kind"] == "result":
                        waits = item["value"]["window_open"]
                    else:
                        page.show(item)
            done = None
            if not waits:
                # Opening the office again carries it out.
                async with Host(options) as host:
                    async for item in host.items("backup restored", {}, caller):
                        done = item["value"]
    except CommandFailed as failure:
        page.fail(str(failure))
        return failure.code
    if done is None:
        sentence = _("The backup is ready: close Bureau and open it again to go back to it.")
        page.show({"kind": "notice", "sentence": sentence})
    page.show({"kind": "result", "value": done or {"restored": False}})
    return 0


def _into_new(
    options: GlobalOptions, locations: Locations, path: Path, page: Page, *, from_stdin: bool
) -> int:
    try:
        passphrase = passphrase_of(options)
        words = None
        if from_stdin:
            words = Secret(sys.stdin.read())
        elif passphrase is None:
            words = Secret(str(click.prompt(_("Recovery key"), hide_input=True, err=True)))
        back = restore_into_new(locations, path.absolute(), words=words, passphrase=passphrase)
    except (StorageError, VaultError) as error:
        page.fail(str(error))
        return 1
    sentence = _("The office is in {folder}. Add your provider keys again: no backup holds them.")
    page.show({"kind": "notice", "sentence": sentence.format(folder=locations.home)})
    value = {"restored": True, "made_at": back.made_at, "erased_again": back.erased_again}
    page.show({"kind": "result", "value": value})
    return 0

"""``bureau recovery``: the recovery key is written to the terminal itself, never to a redirected stdout."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO

import click

from agents.door.protocol import Caller, CommandFailed
from desktop.command_line.options import GlobalOptions
from desktop.command_line.passphrase import passphrase_of
from desktop.command_line.session import Host, protect, run
from memory.locations import Locations
from resources.language import gettext as _
from vault.errors import VaultError
from vault.office_keys import open_vault, unlock_with_recovery
from vault.recovery_key import words_of
from vault.secret import Secret


def show_new_key(options: GlobalOptions) -> int:
    """Make a recovery key and show it once; a former one no longer opens the office."""
    protect()
    try:
        with _terminal() as terminal:
            vault = open_vault(
                Locations.find(options.home).home, passphrase=passphrase_of(options), create=False
            )
            words = vault.new_recovery_key().split()
            print(
                _("Your recovery key. It is shown this once: write it down and keep it apart."), file=terminal
            )
            _write(words, terminal)
        asyncio.run(_record(options))
        return 0
    except (VaultError, NoTerminal, CommandFailed) as error:
        print(error, file=sys.stderr)
        return 1


def show_sync_key() -> str:
    """Make a recovery key of sync, show its words once, and return them. Raises CommandFailed without a terminal."""
    try:
        with _terminal() as terminal:
            words = words_of(os.urandom(32)).split()
            print(
                _(
                    "The recovery key of sync: with it your other devices join. Write it down, it is shown once."
                ),
                file=terminal,
            )
            _write(words, terminal)
        return " ".join(words)
    except NoTerminal as error:
        raise CommandFailed(str(error)) from error


@contextlib.contextmanager
def counting_later() -> Iterator[None]:
    """Say what the words that were just shown are worth where sync was not turned on after all."""
    try:
        yield
    except CommandFailed as failure:
        kept = _(
            "Keep the words above until this has gone well: where “bureau sync on” says next time that a device is "
            "there already, join with them; otherwise it shows others."
        )
        raise CommandFailed(f"{failure} {kept}", failure.code) from failure


def _write(words: list[str], terminal: TextIO) -> None:
    for start in range(0, len(words), 6):
        print("  " + " ".join(words[start : start + 6]), file=terminal)


def change_passphrase(options: GlobalOptions) -> int:
    """Ask for another passphrase and let it open the office instead of the former one."""
    passphrase = click.prompt(_("New passphrase"), hide_input=True, confirmation_prompt=True, err=True)
    return run(options, "recovery passphrase", {"passphrase": str(passphrase)})


async def _record(options: GlobalOptions) -> None:
    """Tell the office, wherever it is open, that it has another recovery key."""
    async with Host(options) as host:
        async for _item in host.items("recovery made", {}, Caller()):
            pass


def unlock(options: GlobalOptions, words: str) -> int:
    """Open the office with its recovery key and put its keys back into the keyring or passphrase vault."""
    protect()
    try:
        vault = unlock_with_recovery(
            Locations.find(options.home).home, Secret(words), passphrase=passphrase_of(options)
        )
    except VaultError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        _("The office is open again; its keys are in {store}.").format(store=vault.store.name),
        file=sys.stderr,
    )
    return 0


class NoTerminal(Exception):
    """There is no terminal to show a secret on."""


@contextlib.contextmanager
def _terminal() -> Iterator[TextIO]:
    place = "CONOUT$" if sys.platform == "win32" else "/dev/tty"
    try:
        terminal = open(place, "w", encoding="utf-8")  # noqa: SIM115, PTH123  a device, closed below
    except OSError as error:
        raise NoTerminal(_("There is no terminal to show the recovery key on: run this in one.")) from error
    with terminal:
        yield terminal

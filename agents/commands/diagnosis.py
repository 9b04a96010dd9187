"""``bureau doctor``: every part that can fail, whole, with a hint, or with what to do."""

import asyncio
import os
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from agents.commands.readiness import recall_ready
from agents.commands.serving import Served
from agents.connections.naming import spoken
from agents.lifecycle import diagnostics, trail
from memory import integrity
from memory.errors import StorageError
from resources.language import gettext as _
from resources.language import ngettext
from vault.errors import VaultError
from vault.secret import Secret

State = Literal["ok", "hint", "failed"]
"""A hint is no fault: something that its owner should know or has still to do."""

LEAST_FREE = 512 * 1024 * 1024
"""Bytes of free disk below which the owner is warned."""


async def doctor(served: Served, arguments: dict[str, Any]) -> dict[str, Any]:
    """Check the vault, the database, the index, the disk and the keys' last checks; nothing is sent.

    Each of ``checks`` is ``{name, ok, state, sentence}``; ``ok`` is False where ``state`` is ``failed``.
    """
    checks = [
        await asyncio.to_thread(_vault, served),
        await _database(served),
        await _audit(served),
        await _backups(served),
        await _recall(served),
        *await _sync(served),
        *_disk(served.office.locations.home),
        *await _keys(served),
    ]
    ok = all(check["state"] != "failed" for check in checks)
    if not arguments.get("bundle") and not arguments.get("preview"):
        return {"ok": ok, "checks": checks}
    text = await diagnostics.bundle(served.office, checks)
    if arguments.get("bundle"):
        await asyncio.to_thread(diagnostics.save, text, Path(arguments["bundle"]))
    return {"ok": ok, "checks": checks, "bundle": arguments.get("bundle") or "", "preview": text}


def _check(name: str, state: State, sentence: str) -> dict[str, Any]:
    return {"name": name, "ok": state != "failed", "state": state, "sentence": sentence}


def _vault(served: Served) -> dict[str, Any]:
    vault = served.office.vault
    probe = "00000000000000000000000000000000"
    try:
        vault.write_key(probe, Secret("doctor-probe-of-the-vault"), _("probe"))
        vault.delete_key(probe)
    except VaultError as error:
        return _check("vault", "failed", str(error))
    sentence = _("Keys are kept in {store}.").format(store=vault.store.name)
    if vault.has_recovery_key:
        return _check("vault", "ok", sentence)
    missing = _("There is no recovery key yet: make one with “bureau recovery new”.")
    return _check("vault", "hint", f"{sentence} {missing}")


async def _database(served: Served) -> dict[str, Any]:
    try:
        problems = await served.office.database.read(integrity.check)
    except StorageError as error:
        return _check("database", "failed", str(error))
    if problems:
        sentence = _("The database is damaged ({problem}): restore the newest snapshot in backups.")
        return _check("database", "failed", sentence.format(problem=problems[0]))
    return _check("database", "ok", _("The database is whole: every page and reference checks out."))


async def _audit(served: Served) -> dict[str, Any]:
    try:
        office = served.office
        length = await office.database.read(trail.check, office.locations, office.vault.keys)
    except StorageError as error:
        return _check("audit", "failed", str(error))
    return _check("audit", "ok", _("The audit trail is unbroken ({count} entries).").format(count=length))


async def _backups(served: Served) -> dict[str, Any]:
    """Say when the last backup was made that can be seen now."""
    every = await served.office.backups.all()
    there = await asyncio.to_thread(lambda: [one for one in every if one.there])
    if there:
        day = datetime.fromtimestamp(there[0].at / 1000).astimezone().date().isoformat()
        return _check("backups", "ok", _("The last backup is of {day}.").format(day=day))
    if every:
        return _check("backups", "failed", _("No backup can be seen: connect the disk they are on."))
    return _check("backups", "hint", _("There is no backup yet: make one with “bureau backup now”."))


async def _recall(served: Served) -> dict[str, Any]:
    await recall_ready(served)
    condition = served.office.recall.condition
    if condition.state in {"warm", "warming"}:
        place = {
            "sealed": _("in memory, sealed on disk"),
            "memory": _("in memory only"),
        }.get(condition.home, _("being opened"))
        return _check("recall", "ok", _("The index of memory answers ({place}).").format(place=place))
    return _check(
        "recall",
        "failed",
        _("The index of memory is down; full text answers alone. Run “bureau memory rebuild”."),
    )


async def _sync(served: Served) -> list[dict[str, Any]]:
    """Say how far this device is behind, where the office syncs."""
    status = await served.office.syncing.status()
    here, waits = status.here, status.waiting.marked + status.waiting.outbox
    if here is None:
        return []
    if here.fault:
        return [_check("sync", "failed", here.fault)]
    if not here.enabled:
        return [_check("sync", "hint", _("Sync is paused: turn it on again with “bureau sync on”."))]
    if waits or here.round_at is None:
        sentence = ngettext("{count} change waits to be sent.", "{count} changes wait to be sent.", waits)
        return [_check("sync", "hint", sentence.format(count=waits))]
    day = datetime.fromtimestamp(here.round_at / 1000).astimezone().date().isoformat()
    return [
        _check("sync", "ok", _("Nothing waits to be synced; the last round was on {day}.").format(day=day))
    ]


def _disk(home: Path) -> list[dict[str, Any]]:
    checks = []
    free = shutil.disk_usage(home).free
    if free < LEAST_FREE:
        megabytes = free // 1_048_576
        checks.append(
            _check(
                "disk",
                "failed",
                _("Only {free} MB of disk are left: free some space.").format(free=megabytes),
            )
        )
    else:
        checks.append(_check("disk", "ok", _("There is room on the disk.")))
    if sys.platform == "linux" and _plain_swap():
        checks.append(
            _check(
                "swap", "hint", _("Swap is not known to be encrypted: what is in memory may reach the disk.")
            )
        )
    if home.stat().st_mode & 0o077 or home.stat().st_uid != os.getuid():
        checks.append(
            _check("folder", "failed", _("Others can open {home}: run “chmod 700” on it.").format(home=home))
        )
    return checks


def _plain_swap() -> bool:
    """Whether a swap area is no device-mapper or zram device; those are encrypted or in memory."""
    try:
        lines = Path("/proc/swaps").read_text("ascii", "replace").splitlines()[1:]
    except OSError:
        return False
    return any(not line.startswith(("/dev/dm-", "/dev/mapper/", "/dev/zram")) for line in lines)


async def _keys(served: Served) -> list[dict[str, Any]]:
    checks = []
    for connection in await served.office.connections.all():
        steps = (connection.last_check or {}).get("steps", [])
        failed = next((step for step in steps if step["state"] == "failed"), None)
        if failed is not None:
            checks.append(_check(connection.label, "failed", failed["sentence"]))
        elif steps:
            checks.append(
                _check(connection.label, "ok", _("{label} works.").format(label=spoken(connection)))
            )
        else:
            sentence = _("{label} was never checked: run “bureau keys check”.")
            checks.append(_check(connection.label, "hint", sentence.format(label=spoken(connection))))
    return checks

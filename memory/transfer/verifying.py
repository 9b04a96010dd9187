"""Checks an export without changing anything: every byte, every record, and who signed it."""

import base64
import hashlib
import json
from array import array
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

from memory.transfer import workspace
from memory.transfer.bag_reading import SIGNATURE, Bag
from memory.transfer.errors import ArchiveDamaged, ArchiveNewer, ArchiveUnknown
from memory.transfer.exporting import FORMAT, VERSION
from memory.transfer.record_reading import broken, checker, read_records
from memory.transfer.record_types import RecordType, record_types
from memory.transfer.watching import Watch
from resources.language import gettext as _

Signed = Literal["here", "elsewhere", "unsigned"]
_THREADS = 2
_MOST_SUMMARY = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Summary:
    """What an export says of itself."""

    office: str
    application: str
    created: str
    version: int
    filters: dict[str, Any]
    counts: dict[str, int]
    redactions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """An export that was found whole. ``sha256`` is that of its tag manifest; ``size`` is of its payload."""

    summary: Summary
    signed: Signed
    sha256: str
    files: int
    size: int
    unknown_types: tuple[str, ...]


def verify(bag: Bag, watch: Watch, *, own_key: bytes = b"") -> Verified:
    """Check every file, every record and the signature; blocks. ``own_key`` is this office's public key.

    Raises ArchiveDamaged, ArchiveNewer, ArchiveUnsafe, ArchiveUnknown or TransferCancelled.
    """
    watch.total = bag.size
    summary = read_summary(bag)
    signed = check_signature(bag, own_key)
    known = {f"records/{kind.name}.jsonl": kind for kind in record_types()}

    def check(name: str) -> tuple[str, int]:
        pieces = bag.pieces(name, watch)
        if name.startswith("records/"):
            return name, check_records(name, known.get(name), pieces)
        return name, sum(1 for _piece in pieces)

    # Records first: while one thread reads them, the other hashes files.
    names = sorted(bag.listed, key=lambda name: not name.startswith("records/"))
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="verifying") as threads:
        try:
            results = dict(threads.map(check, names))
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    compare_counts(bag, summary, results)
    return Verified(
        summary=summary,
        signed=signed,
        sha256=hashlib.sha256(bag.tag_manifest).hexdigest(),
        files=len(bag.listed),
        size=bag.size,
        unknown_types=tuple(
            sorted(
                PurePosixPath(name).stem
                for name in bag.listed
                if name.startswith("records/") and name not in known and name != _WORKSPACE
            )
        ),
    )


_WORKSPACE = f"records/{workspace.RECORD}.jsonl"


def read_summary(bag: Bag) -> Summary:
    """Return what the export says of itself. Raises ArchiveUnknown, ArchiveDamaged or ArchiveNewer."""
    if "export.json" not in bag.listed:
        raise ArchiveUnknown(
            _("“{name}” is a bag, but no export of Bureau: choose a file that Bureau wrote.").format(
                name=bag.name
            )
        )
    if bag.size_of("export.json") > _MOST_SUMMARY:
        raise bag.damaged("data/export.json")
    try:
        said = json.loads(b"".join(bag.pieces("export.json", Watch())).decode())
        if said["format"] != FORMAT:
            raise ValueError(said["format"])
        if int(said["version"]) > VERSION:
            raise ArchiveNewer(
                _("“{name}” was written by a later version of Bureau ({app}): update Bureau first.").format(
                    name=bag.name, app=said.get("app", "?")
                )
            )
        return Summary(
            office=str(said["office"]),
            application=str(said["app"]),
            created=str(said["created"]),
            version=int(said["version"]),
            filters=dict(said["filters"]),
            counts={str(name): int(count) for name, count in said["counts"].items()},
            redactions=tuple(str(each) for each in said["redactions"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise bag.damaged("data/export.json") from error


def check_signature(bag: Bag, own_key: bytes) -> Signed:
    """Say whose signature the tag manifest carries. Raises ArchiveDamaged where it does not fit."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if not bag.has(SIGNATURE):
        return "unsigned"
    try:
        said = json.loads(bag.tag(SIGNATURE).decode())
        public = base64.b64decode(said["public_key"], validate=True)
        signature = base64.b64decode(said["signature"], validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, bag.tag_manifest)
    except (InvalidSignature, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ArchiveDamaged(
            _("The signature of “{name}” does not fit it: somebody changed the export.").format(name=bag.name)
        ) from error
    return "here" if own_key and public == own_key else "elsewhere"


def check_records(name: str, kind: RecordType | None, pieces: Iterator[bytes]) -> int:
    """Read every record of a file and return how many there are. Raises ArchiveDamaged or ArchiveUnsafe."""
    check = checker(kind) if kind is not None else None
    seen = array("q")
    number = 0
    for number, record in enumerate(read_records(name, pieces), 1):
        if check is not None and kind is not None:
            if field := check(record):
                raise broken(name, number, field)
            seen.append(hash(kind.identity(record)))
        elif name == _WORKSPACE and (field := workspace.unfit(record)):
            raise broken(name, number, field)
    if len(seen) != len(set(seen)):
        twice = Counter(seen).most_common(1)[0][0]
        raise broken(name, len(seen) - 1 - seen[::-1].index(twice) + 1)
    return number


def compare_counts(bag: Bag, summary: Summary, results: dict[str, int]) -> None:
    """Raise ArchiveDamaged where there are other numbers of records than the export says."""
    found = {
        PurePosixPath(name).stem: count for name, count in results.items() if name.startswith("records/")
    }
    if found != summary.counts:
        wrong = min(set(found.items()) ^ set(summary.counts.items()))[0]
        raise bag.damaged(f"data/records/{wrong}.jsonl")

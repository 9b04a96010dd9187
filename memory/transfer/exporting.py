"""Writes an export: everything the office holds, as a bag that any tool can check (``.aofx``).

It is one consistent reading of the database, streamed: no more than a few megabytes are in memory at a time.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from memory.blobs import Blob, BlobStore
from memory.identifiers import now
from memory.lifecycle.data_map import Category, data_map
from memory.tables import BlobTable, ErasedTable
from memory.tables.records import record
from memory.transfer import embeddings, readable, workspace
from memory.transfer.bag_writing import BagWriter
from memory.transfer.lines import Counted, joined, unknown_fields, unknown_types
from memory.transfer.record_types import record_types, to_rfc3339
from memory.transfer.schemas import schema
from memory.transfer.selection import Filters, condition, takes
from memory.transfer.targets import Encrypter, target
from memory.transfer.watching import Watch
from resources.language import gettext as _

FORMAT = "aofx"
VERSION = 1
SIGNATURE = "signature.json"
SECRETS = "secrets.jsonl"
_ROW = 600
"""Bytes that a row comes to in lines, Markdown and pages, for telling how far the export is."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be exported and how.

    ``sign`` returns the Ed25519 signature of bytes, ``public_key`` its 32 bytes. ``secrets`` are records
    ``{"connection_id", "label", "secret"}``; they are taken only with an ``encrypter``.
    """

    path: Path
    office_id: str
    application: str
    sign: Callable[[bytes], bytes]
    public_key: bytes
    filters: Filters = field(default_factory=Filters)
    with_embeddings: bool = False
    encrypter: Encrypter | None = None
    secrets: Iterable[dict[str, Any]] = ()
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """An export that is on disk.

    ``sha256`` is that of its tag manifest, which names every byte of it, so a folder has one as well as a
    zip; ``erased`` is how many erasures the reading knew of.
    """

    path: Path
    at: int
    size: int
    sha256: str
    counts: dict[str, int]
    redactions: tuple[str, ...]
    encrypted: bool
    filters: dict[str, Any]
    erased: int


def export(session: Session, order: Order, blobs: BlobStore, folder: Path, watch: Watch) -> Written:
    """Write an export of the office whose workspace is ``folder``; blocks.

    Raises TargetRefused, DiskFull, TransferCancelled, BlobDamaged or NotFound; then nothing is left of it.
    """
    order.filters.check(session)
    writing = _Writing(session, order, blobs, folder, watch)
    watch.total = writing.estimate()
    with (
        target(order.path, encrypter=order.encrypter, replace=order.replace) as place,
        BagWriter(place, watch) as bag,
    ):
        manifest = writing.write(bag)
    return Written(
        path=order.path,
        at=writing.at,
        size=_size(order.path),
        sha256=hashlib.sha256(manifest).hexdigest(),
        counts=writing.counts,
        redactions=tuple(writing.redactions),
        encrypted=order.encrypter is not None,
        filters=order.filters.said(),
        erased=session.scalar(select(func.count()).select_from(ErasedTable)) or 0,
    )


class _Writing:
    def __init__(self, session: Session, order: Order, blobs: BlobStore, folder: Path, watch: Watch) -> None:
        self.at = now()
        self.counts: dict[str, int] = {}
        self.redactions: list[str] = []
        self._session = session
        self._order = order
        self._blobs = blobs
        self._folder = folder
        self._watch = watch
        self._kinds = [kind for kind in record_types() if takes(order.filters, kind)]
        self._map = _document(_map())

    def estimate(self) -> int:
        """Return about how many bytes will be written."""
        rows = 0
        for kind in self._kinds:
            query = select(func.count()).select_from(kind.table).where(condition(self._order.filters, kind))
            rows += self._session.scalar(query) or 0
        return rows * _ROW + sum(blob.size for blob in self._files())

    def write(self, bag: BagWriter) -> bytes:
        """Write the whole bag and return its tag manifest."""
        self._documents(bag)
        self._records(bag)
        self._conversations(bag)
        for blob in self._files():
            name = f"files/{blob.sha256[:2]}/{blob.sha256}"
            bag.payload(name, self._blobs.stream(blob), compress=False, size=blob.size)
        self._workspace(bag)
        if self._order.with_embeddings:
            for name, pieces in embeddings.files(self._session, self._order.filters):
                bag.payload(f"embeddings/{name}", pieces, compress=False)
        if self._order.encrypter is not None:
            self._secrets(bag)
        bag.payload("export.json", [self._summary()], compress=False)
        manifest = bag.seal(
            {
                "Bag-Software-Agent": self._order.application,
                "Bagging-Date": datetime.fromtimestamp(self.at / 1000, UTC).date().isoformat(),
                "External-Identifier": self._order.office_id,
            }
        )
        bag.unlisted(SIGNATURE, _signature(self._order, manifest))
        return manifest

    def _documents(self, bag: BagWriter) -> None:
        bag.payload("README.md", [readme().encode()], compress=False)
        bag.payload("datamap.json", [self._map], compress=True)
        for kind in self._kinds:
            bag.payload(f"schema/{kind.name}.schema.json", [_document(schema(kind))], compress=True)

    def _records(self, bag: BagWriter) -> None:
        for kind in self._kinds:
            counted = Counted(self._session, kind, self._order.filters)
            bag.payload(f"records/{kind.name}.jsonl", counted.pieces(), compress=True)
            self.counts[kind.name] = counted.count
            if counted.redacted:
                self.redactions.append(
                    _("passwords in addresses ({name}): {count}").format(
                        count=counted.redacted, name=kind.name
                    )
                )
        if not self._order.filters.narrow:
            for name in unknown_types(self._session, [kind.name for kind in self._kinds]):
                lines = list(unknown_fields(self._session, name).values())
                bag.payload(f"records/{name}.jsonl", [joined(lines)], compress=True)
                self.counts[name] = len(lines)

    def _conversations(self, bag: BagWriter) -> None:
        if not any(kind.name == "messages" for kind in self._kinds):
            return
        listed = readable.conversation_ids(self._session, self._order.filters)
        for identifier, title, at in listed:
            markdown, page = readable.pages(self._session, identifier, title, at)
            bag.payload(f"markdown/{identifier}.md", [markdown], compress=True, size=len(markdown))
            bag.payload(f"html/{identifier}.html", [page], compress=True, size=len(page))
        bag.payload("html/index.html", readable.index(listed), compress=True)

    def _files(self) -> Iterator[Blob]:
        """Yield each content once, however many files have it."""
        kind = next((kind for kind in self._kinds if kind.name == "blobs"), None)
        if kind is None:
            return
        rows = self._session.scalars(
            select(BlobTable)
            .where(condition(self._order.filters, kind))
            .order_by(BlobTable.sha256, literal_column("blob.rowid"))
            .execution_options(yield_per=500)
        )
        last = ""
        for row in rows:
            if row.sha256 != last:
                last = row.sha256
                yield record(Blob, row)

    def _workspace(self, bag: BagWriter) -> None:
        filters = self._order.filters
        chosen = not filters.categories or Category.FILES in filters.categories
        if not chosen or filters.agent_id or filters.conversation_id or filters.since is not None:
            return
        found = workspace.walk(self._folder)
        lines = []
        for item in found.items:
            size = 0
            if not item.folder:
                size = bag.payload(f"workspace/{item.stored}", workspace.pieces(item), compress=False)
            lines.append(workspace.record(item, size))
        bag.payload(f"records/{workspace.RECORD}.jsonl", [joined(lines)], compress=True)
        self.counts[workspace.RECORD] = len(lines)
        if found.links:
            self.redactions.append(_("links in the workspace: {count}").format(count=found.links))

    def _secrets(self, bag: BagWriter) -> None:
        said = list(self._order.secrets)
        if said:
            bag.payload(SECRETS, [joined(said)], compress=False)

    def _summary(self) -> bytes:
        return _document(
            {
                "format": FORMAT,
                "version": VERSION,
                "app": self._order.application,
                "office": self._order.office_id,
                "created": to_rfc3339(self.at),
                # What is kept, why and for how long is the data map; its digest tells one version from another.
                "policy_version": f"sha256:{hashlib.sha256(self._map).hexdigest()}",
                "filters": self._order.filters.said(),
                "counts": self.counts,
                "redactions": self.redactions,
            }
        )


def readme() -> str:
    """Return what stands beside the data for whoever opens the export without Bureau."""
    parts = (
        ("html/index.html", _("the conversations, for any browser; it loads nothing from elsewhere")),
        ("markdown/", _("the same conversations as text")),
        ("records/", _("everything as JSON, one record per line")),
        ("schema/", _("what each field of a record is")),
        ("files/", _("your files, named by their SHA-256; records/files.jsonl has their own names")),
        ("workspace/", _("the agents' files, plain")),
        ("datamap.json", _("what is kept, why, for how long, and who receives it")),
    )
    return "\n".join(
        (
            "# " + _("Your data from Bureau"),
            "",
            *(f"* `{name}`: {words}" for name, words in parts),
            "",
            _("To check that nothing is missing or changed, run this in the folder above:"),
            "",
            "    sha512sum -c manifest-sha512.txt tagmanifest-sha512.txt",
            "",
            _("“bureau verify” checks it too, and “bureau import” brings it into an office again."),
            _("Your keys are not in it unless you asked for them."),
            "",
        )
    )


def _map() -> list[dict[str, Any]]:
    return [
        {
            "place": entry.place,
            "category": entry.category.value,
            "purpose": entry.purpose,
            "retention": entry.retention.value,
            "erase": entry.erase.value,
            "recipients": list(entry.recipients),
            "record": entry.record,
            "exported": list(entry.exported),
            "left_out": entry.left_out,
        }
        for entry in data_map()
    ]


def _signature(order: Order, manifest: bytes) -> bytes:
    return _document(
        {
            "algorithm": "Ed25519",
            "signed": "tagmanifest-sha512.txt",
            "office": order.office_id,
            "public_key": base64.b64encode(order.public_key).decode(),
            "signature": base64.b64encode(order.sign(manifest)).decode(),
        }
    )


def _document(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size

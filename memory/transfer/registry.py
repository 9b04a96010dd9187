"""The register of exports: a copy that was made is one that may have to be found again."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from memory import audit
from memory.errors import Refused
from memory.identifiers import new_id
from memory.tables import ErasedTable, ExportRecordTable
from memory.transfer.exporting import Written
from resources.language import gettext as _


def record_export(session: Session, written: Written) -> str:
    """Note an export that is on disk and return its id.

    Raises Refused where something was erased after the export was begun, which it therefore still holds.
    """
    erased = session.scalar(select(func.count()).select_from(ErasedTable)) or 0
    if erased != written.erased:
        raise Refused(_("Something was erased while the export was written: make the export again."))
    row = ExportRecordTable(
        id=new_id(),
        at=written.at,
        path=str(written.path),
        sha256=written.sha256,
        size=written.size,
        encrypted=written.encrypted,
        filters=written.filters,
        counts=dict(written.counts),
    )
    session.add(row)
    session.flush()
    audit.append(
        session, "exported", row.id, {"encrypted": written.encrypted, "counts": dict(written.counts)}
    )
    return row.id

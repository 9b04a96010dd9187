"""The scenes of files between devices: one that arrives in a chat, and what the Sync page says of it."""

import os

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from agents.events import AttachmentChanged
from agents.sync_rounds import Standing
from desktop.pages.sync.page import SyncPage
from memory import attachments
from memory.identifiers import new_id
from memory.sync.taking import Round
from memory.tables import AttachmentTable, SyncTransferTable
from tests.shots.camera import Camera, Scene


def files_scenes() -> dict[str, Scene]:
    """Return the scenes in their order; they follow those of an office that has begun to sync."""
    return {"sync-files": _page, "chat-arriving": _chat}


async def _page(camera: Camera) -> None:
    await camera.opened()
    await camera.office.database.write(_let_arrive)
    camera.office.sync_rounds.standing = Standing("waiting", 1_795_000_000_000, Round())
    page = await camera.page("sync")
    assert isinstance(page, SyncPage)
    page.conflicts.show_conflicts(())
    page._states.currentWidget().verticalScrollBar().setValue(0)


async def _chat(camera: Camera) -> None:
    page = await camera.chat("Harbour")
    for file in await camera.office.database.read(attachments.attachments_in_state, "arriving"):
        camera.office.events.publish(AttachmentChanged(file))
    await camera.settle(0.3)
    page.view.verticalScrollBar().setValue(0)


def _let_arrive(session: Session) -> None:
    """Let the office look as if its files were known and not here, for the disk is full."""
    files = select(AttachmentTable.id).where(AttachmentTable.content.is_not(None))
    for file_id in session.scalars(files).all():
        session.execute(
            update(AttachmentTable)
            .where(AttachmentTable.id == file_id)
            .values(blob_id=None, state="arriving", kind="", pages=None)
        )
        session.add(
            SyncTransferTable(
                attachment_id=file_id, arrives=True, key=os.urandom(32), blob_id=new_id(), content_id=new_id(),
                addresses=b"", pieces=0, fault="disk_full",
            )
        )  # fmt: skip

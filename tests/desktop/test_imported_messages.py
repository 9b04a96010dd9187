"""What was brought in from another app is shown as such: no run, no face of the team, its files with it."""

from desktop.chats.projection import Projection
from memory.attachments import Attachment
from memory.chats import Message

IMPORTED = Message(
    id="m", conversation_id="c", parent_id=None, batch_id="m", position=0, role="agent", agent_id=None,
    agent_name="ChatGPT", model="gpt-4o", run_id=None, text="At noon.", thinking="", citations=(),
    state="complete", created_at=0, pinned_at=None, restricted=False, attachment_ids=("f",),
)  # fmt: skip
FILE = Attachment(
    id="f", conversation_id="c", message_id="m", blob_id="b", name="tide.webp", kind="", media_type="", size=0,
    pages=None, characters=None, state="failed", reason="Not in the export.", note="", created_at=0,
)  # fmt: skip


def test_an_imported_answer_says_where_it_is_from() -> None:
    projection = Projection(lambda _attachment_id: b"")
    projection.files["f"] = FILE
    shown = projection.message(IMPORTED)
    assert (shown.author, shown.model, shown.footer) == ("ChatGPT", "gpt-4o", "brought in from another app")
    assert [(one.name, one.detail) for one in shown.attachments] == [("tide.webp", "Not in the export.")]
    assert shown.notice is None and shown.tools == ()

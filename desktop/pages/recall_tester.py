"""The memory tester: what a question finds, in which order, and why."""

from typing import Any

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.pages.folding import FlowLayout
from desktop.pages.page import clear, label
from desktop.session import Session
from desktop.wording import moment
from resources.language import gettext as _

_LIMIT = 10


class RecallTester(QWidget):
    """A field, a line about who answered, and the hits with the score of each leg."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.query = QLineEdit()
        self.query.setPlaceholderText(_("Ask as you would ask an agent"))
        self.query.setAccessibleName(_("Question for the memory"))
        self.query.returnPressed.connect(self._search)
        button = QPushButton(_("Search"))
        button.setProperty("kind", "primary")
        button.clicked.connect(self._search)
        row = QHBoxLayout()
        row.addWidget(self.query, 1)
        row.addWidget(button)
        self.summary = label("", "small", wrap=True)
        self._hits = QVBoxLayout()
        self._hits.setSpacing(10)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(row)
        column.addWidget(self.summary)
        column.addLayout(self._hits)
        self.setFocusProxy(self.query)
        self.show_state()

    def ask(self, query: str) -> None:
        """Type a question and search."""
        self.query.setText(query)
        self.query.home(False)
        self._search()

    def show_state(self) -> None:
        """Say how the index is, while nothing is asked."""
        if self.query.text():
            return
        words = {
            "cold": _("The index by meaning has not started; words are found already."),
            "starting": _("The index by meaning is starting; words are found already."),
            "warm": _("Words and meaning are both searched."),
        }
        state = self._session.office.recall.condition.state
        self.summary.setText(
            words.get(str(state), _("The index by meaning is not there now; words are found."))
        )

    def _search(self) -> None:
        if self.query.text().strip():
            self._session.spawn(self._find(self.query.text().strip()), name="test the memory")

    async def _find(self, query: str) -> None:
        found = await self._session.office.recall.why(query, limit=_LIMIT)
        clear(self._hits)
        legs = {"lexical": _("words"), "dense": _("meaning")}
        self.summary.setText(
            _(
                "Searched by {legs} · Chroma home: {home} · a passage without any of the words must be at least "
                "{cutoff} near in meaning"
            ).format(
                legs=" + ".join(legs.get(each, each) for each in found["legs"]),
                home=found["home"],
                cutoff=f"{found['cutoff']['cosine_without_words']:.2f}",
            )
        )
        if not found["hits"]:
            self._hits.addWidget(
                label(
                    _("Nothing is near enough: an agent would be told that nothing was found."),
                    "dim",
                    wrap=True,
                )
            )
        for rank, hit in enumerate(found["hits"], 1):
            self._hits.addWidget(_HitCard(self._session, rank, hit))


class _HitCard(QFrame):
    """One passage with the score of each leg."""

    def __init__(self, session: Session, rank: int, hit: dict[str, Any]) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        text = " ".join(str(hit["text"]).split())
        self.setAccessibleName(_("Hit {rank}: {text}").format(rank=rank, text=text[:200]))
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(label(f"{rank}", "strong"))
        head.addWidget(label(_source(hit), "small", wrap=True), 1)
        head.addWidget(label(f"{hit['score']:.3f}", "mono"))
        column.addLayout(head)
        column.addWidget(label(text[:600] + ("…" if len(text) > 600 else ""), wrap=True))
        legs = FlowLayout(14)
        for name, value in _legs(hit["legs"]):
            legs.addWidget(label(f"{name} {value:.3f}", "small"))
        column.addLayout(legs)
        conversation = hit["source"]["conversation"]
        if conversation:
            door = QPushButton(_("Open the chat"))
            door.setProperty("kind", "link")
            message = hit["source"]["id"] if hit["source"]["kind"] == "message" else ""
            door.clicked.connect(lambda: session.open_chat(conversation, message))
            last = QHBoxLayout()
            last.addWidget(door)
            last.addStretch(1)
            column.addLayout(last)


def _source(hit: dict[str, Any]) -> str:
    kinds = {"message": _("conversation"), "attachment": _("file"), "note": _("note")}
    place = ", ".join(f"{name} {value}" for name, value in hit["place"].items())
    parts = [kinds.get(hit["source"]["kind"], ""), hit["speaker"], hit["heading"], place, moment(hit["at"])]
    return " · ".join(part for part in parts if part)


def _legs(legs: dict[str, float]) -> list[tuple[str, float]]:
    names = {
        "lexical": _("words"),
        "dense": _("meaning"),
        "speaker": _("speaker named"),
        "session": _("same conversation"),
        "recency": _("recent"),
        "pin": _("pinned"),
        "coverage": _("share of the words"),
    }
    return [(words, legs[key]) for key, words in names.items() if legs.get(key)]

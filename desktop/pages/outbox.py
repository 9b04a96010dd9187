"""Outbox: every request that left this machine."""

from desktop.pages.page import Page, label
from desktop.pages.table import Column, Table, TableModel
from desktop.session import Session
from desktop.wording import count, moment, money, size
from memory import accounts, ledger, roster
from memory.ledger import Request
from resources.language import gettext as _

_PAGE = 200


def category_words(category: str) -> str:
    """Return a kind of data in words; one that has none is shown as it is."""
    return {
        "conversation": _("conversation"),
        "attachment": _("files"),
        "attachments": _("files"),
        "note": _("notes"),
        "notes": _("notes"),
        "instructions": _("instructions"),
        "tools": _("tools"),
        "question": _("question"),
        "sealed": _("sealed changes"),
    }.get(category, category)


def purpose_words(purpose: str) -> str:
    """Return why a request was made."""
    return {
        "chat": _("answer"),
        "check": _("key check"),
        "models": _("list of models"),
        "discovery": _("look for local servers"),
        "sync": _("sync"),
    }.get(purpose, purpose)


def result_words(request: Request) -> str:
    """Return how a request ended."""
    if request.error:
        return _fault_words(request.error)
    if request.finished_at is None:
        return _("under way")
    return (
        _("done")
        if request.status is not None and request.status < 400
        else str(request.status or _("no answer"))
    )


def _fault_words(kind: str) -> str:
    """Return what stopped a request; of the transport's names for it the owner needs only the gist."""
    gist = {
        "ConnectError": _("not reached"),
        "ConnectTimeout": _("not reached"),
        "ReadTimeout": _("no answer in time"),
        "ReadError": _("cut off"),
        "RemoteProtocolError": _("cut off"),
        "CancelledError": _("stopped"),
    }
    return gist.get(kind, kind)


class OutboxPage(Page):
    """A table, newest first, that grows as it is scrolled."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Outbox"), wide=True)
        self._agents: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        self._reading = False
        self.model: TableModel[Request] = TableModel(self._columns(), self._read_more)
        self.column.addWidget(
            label(
                _("Every request that left this machine: to whom, for which agent, with what inside."),
                "dim",
                wrap=True,
            )
        )
        self.table = Table(self.model, _("Requests that left this machine"))
        self.column.addWidget(self.table, 1)
        from agents.events import OutboxChanged

        session.on(OutboxChanged, lambda _event: self.mark_stale())

    async def load(self) -> None:
        database = self.session.office.database
        self._agents = {
            agent.id: agent.name
            for archived in (False, True)
            for agent in await database.read(roster.agents, archived=archived)
        }
        self._keys = {each.id: each.label for each in await database.read(accounts.connections)}
        shown = max(_PAGE, len(self.model.rows))
        requests = await database.read(ledger.outbox, limit=shown)
        if not requests:
            self.show_empty(
                "outbox",
                _("Nothing has left this machine"),
                _(
                    "When an agent asks a provider, or you check a key, the request is listed here: "
                    "when, to whom, what kinds of data, how large, what it cost."
                ),
            )
            return
        self.model.show(requests, complete=len(requests) < shown)
        self.show_content()

    def _read_more(self) -> None:
        if not self._reading:
            self._reading = True
            self.session.spawn(self._extend(), name="read more of the outbox")

    async def _extend(self) -> None:
        try:
            last = self.model.rows[-1] if self.model.rows else None
            more = await self.session.office.database.read(ledger.outbox, limit=_PAGE, before=last)
            self.model.extend(more, complete=len(more) < _PAGE)
        finally:
            self._reading = False

    def _columns(self) -> list[Column[Request]]:
        def tokens(request: Request) -> str:
            if request.input_tokens is None and request.output_tokens is None:
                return "–"
            return f"{count(request.input_tokens or 0)} / {count(request.output_tokens or 0)}"

        return [
            Column(_("When"), lambda request: moment(request.at), share=1.5, tone=lambda _row: "dim"),
            Column(_("To"), lambda request: request.host, share=1.7),
            Column(_("Key"), lambda request: self._keys.get(request.connection_id or "", "–")),
            Column(_("Agent"), lambda request: self._agents.get(request.agent_id or "", "–")),
            Column(_("For"), lambda request: purpose_words(request.purpose)),
            Column(
                _("Inside"),
                lambda request: ", ".join(category_words(each) for each in request.categories) or "–",
                share=1.7,
            ),
            Column(_("Sent"), lambda request: size(request.bytes_sent), number=True),
            Column(_("Received"), lambda request: size(request.bytes_received), number=True),
            Column(_("Tokens in / out"), tokens, number=True, share=1.5),
            Column(
                _("Cost"),
                lambda request: money(request.cost) if request.input_tokens is not None else "–",
                number=True,
                share=0.9,
            ),
            Column(
                _("Result"),
                result_words,
                share=1.2,
                tone=lambda request: (
                    "danger_text" if request.error or (request.status or 0) >= 400 else "dim"
                ),
            ),
        ]

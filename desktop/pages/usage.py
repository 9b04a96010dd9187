"""Usage: tokens and cost by day, agent, model and key."""

from datetime import date, timedelta
from typing import Any

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QTabBar, QWidget

from desktop.pages.page import Page, label
from desktop.pages.table import Column, Table, TableModel
from desktop.session import Session
from desktop.theme.appearance import appearance, look
from desktop.wording import count, money
from memory import ledger, purposes
from memory.ledger import UsageKey, UsageSum
from resources.language import gettext as _
from resources.language import ngettext

_PLOT_HEIGHT = 220
_MOST_BARS = 40
_MICROS = 1_000_000


class UsagePage(Page):
    """A sentence with the total, a plot, and a table of the same figures."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Usage"))
        self._keys: tuple[UsageKey, ...] = ("day", "agent", "model", "key")
        self._sums: tuple[UsageSum, ...] = ()
        self.period = QComboBox()
        self.period.setAccessibleName(_("Period"))
        for words, days in (
            (_("Last 7 days"), 7),
            (_("Last 30 days"), 30),
            (_("Last year"), 365),
            (_("All time"), 0),
        ):
            self.period.addItem(words, days)
        self.period.setCurrentIndex(1)
        self.period.currentIndexChanged.connect(self.reload)
        self.header_row.addWidget(self.period)
        self.tabs = QTabBar()
        self.tabs.setAccessibleName(_("Sum by"))
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        for words in (_("By day"), _("By agent"), _("By model"), _("By key")):
            self.tabs.addTab(words)
        self.tabs.currentChanged.connect(self.reload)
        self.total = label("", "heading", wrap=True)
        self.column.addWidget(self.total)
        self._left_out = label(_("Without the agents whose usage you do not want shown."), "small", wrap=True)
        self.column.addWidget(self._left_out)
        self.column.addWidget(self.tabs)
        self._plot: Any = None
        self._plot_place = QWidget()
        self.column.addWidget(self._plot_place)
        self.model: TableModel[UsageSum] = TableModel(self._columns())
        self.table = Table(self.model, _("Usage"))
        self.table.setMinimumHeight(look().px(260))
        self.column.addWidget(self.table, 1)
        from agents.events import PurposesChanged, RunChanged

        session.on(PurposesChanged, lambda _event: self.mark_stale())
        session.on(RunChanged, lambda event: self.mark_stale() if event.run.finished_at else None)
        appearance().changed.connect(self._draw)

    @property
    def by(self) -> UsageKey:
        """Return what the figures are summed by."""
        return self._keys[self.tabs.currentIndex()]

    async def load(self) -> None:
        days = int(self.period.currentData())
        since = (date.today() - timedelta(days=days - 1)).isoformat() if days else None
        database = self.session.office.database
        off = await database.read(purposes.objections, "usage")
        if purposes.EVERYBODY in off:
            self.show_empty(
                "usage",
                _("Usage charts are switched off"),
                _("You objected to them on the Privacy page. What caps need is counted all the same."),
                _("Open Privacy"),
                lambda: self.session.privacy_wanted.emit("purposes", ""),
            )
            return
        total = await database.read(ledger.usage_total, since=since, without=off)
        self._sums = await database.read(ledger.usage_by, self.by, since=since, without=off)
        self._left_out.setVisible(bool(off))
        if not total.requests:
            self.show_empty(
                "usage",
                _("Nothing was used in this period"),
                _("Tokens and cost of every answer are summed here. The librarian costs nothing."),
                _("Show all time") if days else "",
                lambda: self.period.setCurrentIndex(3),
            )
            return
        self.total.setText(total_words(total))
        self.model.show(self._sums if self.by != "day" else self._sums[::-1])
        self.show_content()
        self._draw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._plot is not None:
            self._draw()

    def _draw(self) -> None:
        """Draw the bars: cost where every price is known, else tokens."""
        if not self._sums:
            return
        import pyqtgraph

        theme = look().theme
        if self._plot is None:
            self._plot = pyqtgraph.PlotWidget()
            self._plot.setMenuEnabled(False)
            self._plot.setMouseEnabled(False, False)
            self._plot.hideButtons()
            self.column.replaceWidget(self._plot_place, self._plot)
            self._plot_place.deleteLater()
        plot = self._plot
        plot.clear()
        plot.setFixedHeight(look().px(_PLOT_HEIGHT))
        plot.setBackground(theme.bg)
        priced = all(each.cost is not None and not each.unpriced for each in self._sums)
        shown = self._sums[-_MOST_BARS:] if self.by == "day" else self._sums[:_MOST_BARS]
        heights = [
            (each.cost or 0) / _MICROS if priced else each.input_tokens + each.output_tokens for each in shown
        ]
        names = [name_of(each, self.by) for each in shown]
        plot.addItem(
            pyqtgraph.BarGraphItem(
                x=list(range(len(shown))), height=heights, width=0.62, brush=theme.accent, pen=theme.accent
            )
        )
        # Before its first layout the plot has a width of its own invention.
        room = max(1, min(plot.width(), self.width() - look().px(110)) // look().px(80))
        step = max(1, -(-len(names) // room))
        ticks = [(place, name) for place, name in enumerate(names) if place % step == 0]
        for side in ("bottom", "left"):
            axis = plot.getAxis(side)
            axis.setPen(theme.line)
            axis.setTextPen(theme.dim)
            axis.setStyle(tickFont=look().font(11))
        plot.getAxis("bottom").setTicks([ticks])
        plot.getAxis("left").enableAutoSIPrefix(False)
        plot.getAxis("left").tickStrings = _dollar_ticks if priced else _token_ticks
        unit = _("dollars") if priced else _("tokens")
        plot.setLabel("left", unit, color=theme.dim)
        plot.getAxis("left").label.setFont(look().font(11))
        plot.setXRange(-0.6, max(len(shown) - 0.4, 6), padding=0)
        plot.setYRange(0, max(heights) or 1, padding=0.08)
        plot.setAccessibleName(
            _("{unit} {by}").format(unit=unit, by=self.tabs.tabText(self.tabs.currentIndex()))
        )

    def _columns(self) -> list[Column[UsageSum]]:
        return [
            Column(_("What"), lambda each: name_of(each, self.by), share=2.0),
            Column(_("Requests"), lambda each: count(each.requests), number=True),
            Column(_("Tokens in"), lambda each: count(each.input_tokens), number=True),
            Column(_("Tokens out"), lambda each: count(each.output_tokens), number=True),
            Column(_("From cache"), lambda each: count(each.cache_read_tokens), number=True),
            Column(_("Cost"), cost_words, number=True, share=1.5),
        ]


def name_of(each: UsageSum, by: UsageKey) -> str:
    """Return the name of a sum; what was removed since has none."""
    if by == "day" and each.key:
        day = date.fromisoformat(each.key)
        return f"{day.day} {day:%b}"
    return each.label or each.key or _("removed")


def cost_words(each: UsageSum) -> str:
    """Return a cost, and say where part of it is not known."""
    if each.cost is None:
        return money(None)
    return money(each.cost) + (" + " + _("unknown") if each.unpriced else "")


def total_words(total: UsageSum) -> str:
    """Return the total as a sentence."""
    return ngettext(
        "{requests} request, {tokens} tokens, cost {cost}",
        "{requests} requests, {tokens} tokens, cost {cost}",
        total.requests,
    ).format(
        requests=count(total.requests),
        tokens=count(total.input_tokens + total.output_tokens),
        cost=cost_words(total),
    )


def _dollar_ticks(values: list[float], _scale: float, spacing: float) -> list[str]:
    return [f"{value:,.{2 if spacing < 1 else 0}f}" for value in values]


def _token_ticks(values: list[float], _scale: float, _spacing: float) -> list[str]:
    return [count(round(value)) for value in values]

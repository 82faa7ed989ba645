"""The files that the results are handed out as: CSV of closed trades, the tradebook, the workbook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboard.pnl_file_tables import FileTable, Kind, Progress, as_csv, file_name
from dashboard.pnl_record_words import SEGMENT_NAMES, days_words, plural
from dashboard.pnl_sheets import (
    DAYS,
    GROUPS,
    OPEN,
    TRADES,
    charges_table,
    chosen_notes,
    days_table,
    doubts_table,
    group_table,
    line_sums,
    open_table,
    sources_table,
    tax_table,
    trades_table,
)
from dashboard.pnl_words import LINE_NAMES
from dashboard.pnl_workbook import MIME, Places, SummaryLine, as_workbook
from services.pnl.values import ALL_ACCOUNTS, Filter
from services.pnl.views import PnlView
from services.portfolio.charges.kinds import LINES
from services.portfolio.readers.tradebooks import write_ours

_CSV = "text/csv"


@dataclass(frozen=True, slots=True)
class File:
    """A file that is ready."""

    name: str
    mime: str
    content: bytes
    rows: int


def trades_csv(view: PnlView, *, progress: Progress = lambda share: None) -> File:
    """The closed trades with their itemised charges, one a line."""
    table = trades_table(view)
    return File(_name("pnl-trades", view, "csv"), _CSV, as_csv(table, progress=progress), len(table))


def tradebook_csv(view: PnlView, *, progress: Progress = lambda share: None) -> File:
    """Every fill of the period, in the desk's own form: it can be imported again, here or elsewhere."""
    fills = view.fills()
    progress(0.3)
    return File(_name("tradebook", view, "csv"), _CSV, write_ours(fills).encode(), len(fills))


def workbook(view: PnlView, *, where: str, made: datetime, progress: Progress = lambda share: None) -> File:
    """Everything, in several sheets. `where`: the mode and the source of prices, in words."""
    notes = chosen_notes(view)
    tables = [
        trades_table(view),
        days_table(view),
        *(group_table(view, by) for by in GROUPS),
        charges_table(notes),
        tax_table(view),
        open_table(view),
        doubts_table(view),
        sources_table(view.sources),
    ]
    content = as_workbook(
        summary_lines(view, tables, where=where, made=made),
        tables,
        title=f"Profit and loss, {period_words(view.only)}",
        made=made,
        progress=progress,
    )
    return File(_name("pnl", view, "xlsx"), MIME, content, len(view.trades))


def period_words(only: Filter) -> str:
    """`1 Apr 2026 to 20 Nov 2026`, `until 31 Mar 2026`, `all days`."""
    if only.first is not None and only.last is not None:
        return days_words(only.first, only.last)
    if only.first is not None:
        return f"since {days_words(only.first, only.first)}"
    return f"until {days_words(only.last, only.last)}" if only.last is not None else "all days"


def filter_words(view: PnlView) -> dict[str, str]:
    """What is looked at, besides the period."""
    only = view.only
    account = "all accounts" if only.account == ALL_ACCOUNTS else view.wanted_account or "the running account"
    words = {"Account": account, "Segment": SEGMENT_NAMES.get(only.segment, "all segments")}
    words |= {"Symbol": only.symbol} if only.symbol else {}
    words |= {"Product": only.product} if only.product else {}
    return words | ({"Tax bucket": only.bucket} if only.bucket else {})


def summary_lines(view: PnlView, tables: Sequence[FileTable], *, where: str, made: datetime) -> list[SummaryLine]:
    """The first sheet: what this is, the result as formulas over the other sheets, and what is missing from it."""
    rows = {table.name: table for table in tables}
    trades = view.trades
    sums = line_sums(view.trade_lines)
    gross, charges, net = int(trades.gross.sum()), int(trades.charges.sum()), int(trades.net.sum())
    won, lost = int((trades.net > 0).sum()), int((trades.net < 0).sum())
    unrealised = view.unrealised_total

    def total(table: str, column: str) -> Callable[[Places], str]:
        return lambda places: f"SUM({places.column(table, column)})"

    def count(condition: str) -> Callable[[Places], str]:
        return lambda places: f'COUNTIF({places.column(TRADES, "net")},"{condition}")'

    def difference(table: str) -> Callable[[Places], str]:
        return lambda places: f"ROUND(SUM({places.column(table, 'net')})-{places.line('Net')},2)"

    def sum_of(places: Places) -> str:
        return "+".join(places.line(LINE_NAMES[line]) for line in LINES)

    rounding = view.total.gross - gross
    lines = [
        SummaryLine("What this is"),
        SummaryLine("Period", Kind.TEXT, period_words(view.only), note="days of the closing, in India"),
        *(SummaryLine(name, Kind.TEXT, word) for name, word in filter_words(view).items()),
        SummaryLine("Desk", Kind.TEXT, where),
        SummaryLine("Trades as of", Kind.MOMENT, view.as_of, note="when the broker last told them"),
        SummaryLine("Made", Kind.MOMENT, made),
        SummaryLine("Result"),
        SummaryLine("Gross", Kind.MONEY, gross, total(TRADES, "gross"), "sold less bought, charges apart"),
        *(SummaryLine(LINE_NAMES[line], Kind.MONEY, sums[line], total(TRADES, LINE_NAMES[line])) for line in LINES),
        SummaryLine("Charges", Kind.MONEY, charges, sum_of, "computed by the desk's rates", strong=True),
        SummaryLine(
            "Net", Kind.MONEY, net, lambda places: f"{places.line('Gross')}-{places.line('Charges')}", strong=True
        ),
        SummaryLine(
            "Unrealised",
            Kind.MONEY,
            unrealised.paise,
            total(OPEN, "unrealised") if unrealised.paise is not None else None,
            unrealised.why_not or "of what is open, at the prices named there; charges apart",
        ),
        SummaryLine("Trades"),
        SummaryLine(
            "Closed trades",
            Kind.COUNT,
            len(trades),
            lambda places: f"COUNTA({places.column(TRADES, 'trade id')})",
            "what one order closed of one instrument on one day",
        ),
        SummaryLine("Won", Kind.COUNT, won, count(">0"), "net of charges"),
        SummaryLine("Lost", Kind.COUNT, lost, count("<0")),
        SummaryLine(
            "Win rate",
            Kind.PERCENT,
            won / (won + lost) if won + lost else None,
            lambda places: _divided(places.line("Won"), f"({places.line('Won')}+{places.line('Lost')})"),
            "of wins and losses; trades that broke even are in neither",
        ),
        SummaryLine(
            "Net of a trade, on average",
            Kind.MONEY,
            net / len(trades) if len(trades) else None,
            lambda places: _divided(places.line("Net"), places.line("Closed trades")),
        ),
        SummaryLine("Do the sheets agree?"),
        SummaryLine(
            "Days less trades",
            Kind.MONEY,
            0,
            difference(DAYS),
            "must be zero",
        ),
        *(
            SummaryLine(
                f"{GROUPS[by]} less trades",
                Kind.MONEY,
                sum(int(value) for value in rows[GROUPS[by]].column("net").values) - net,
                difference(GROUPS[by]),
                "zero, but for paise where prices are finer than a paisa",
            )
            for by in GROUPS
        ),
    ]
    if rounding:
        lines.append(
            SummaryLine("Gross as the page shows it", Kind.MONEY, view.total.gross, note="the exact sum, rounded once")
        )
    return [*lines, *_missing(view)]


def _missing(view: PnlView) -> list[SummaryLine]:
    doubtful = [flag for flag in view.flags if flag.cause.doubtful]
    told = list(view.missing)
    if view.building:
        told.append("The book was being built anew when this was made; newer trades are not in it.")
    if view.total.unpriced:
        told.append(f"{plural(view.total.unpriced, 'lot')} older than the table of rates: charges are known in part.")
    if doubtful:
        told.append(
            f"{plural(len(doubtful), 'instrument')} of which a part of the history is missing: sheet “Not known”."
        )
    if not told:
        return []
    return [SummaryLine("What is missing", note=""), *(SummaryLine("", Kind.TEXT, "", note=one) for one in told)]


def _divided(over: str, under: str) -> str:
    return f'IF({under}=0,"–",{over}/{under})'


def _name(what: str, view: PnlView, ending: str) -> str:
    only = view.only
    days = [day.isoformat() for day in (only.first, only.last) if day is not None]
    return file_name(what, view.wanted_account or "all", only.segment, only.symbol, *days, ending=ending)

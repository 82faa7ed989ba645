"""The results as tables for files: closed trades with itemised charges, days, groups, charges by day, what is open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dashboard.pnl_file_tables import FileColumn, FileTable, Kind
from dashboard.pnl_record_words import SEGMENT_NAMES
from dashboard.pnl_words import LINE_NAMES
from services.domain.clock import from_epoch_ms
from services.pnl.values import SourceLine
from services.pnl.views import PnlView
from services.portfolio.charges.kinds import LINES, Line
from services.portfolio.closed import By
from services.portfolio.closed_columns import UNKNOWN_TIME
from services.portfolio.day_notes import DayNote
from services.portfolio.lots.fills import Ints
from services.portfolio.money import paise_of_units

TRADES = "Closed trades"
DAYS = "Days"
CHARGES = "Charges by day"
TAX = "Tax years"
OPEN = "Open positions"
DOUBTS = "Not known"
SOURCES = "Sources"
GROUPS = {
    By.SYMBOL: "By symbol", By.UNDERLYING: "By underlying",
    By.SEGMENT: "By segment", By.PRODUCT: "By product", By.BUCKET: "By tax bucket",
    By.MONTH: "By month",
}  # fmt: skip


def trades_table(view: PnlView) -> FileTable:
    """One row a closed trade, the newest first."""
    trades, lines = view.trades, view.trade_lines
    notes = [view.journal_notes.get(id) for id in trades.id.tolist()]
    columns = [
        _of("closed on", Kind.DAY, trades.closed_day.tolist()),
        _of("closed at", Kind.MOMENT, _instants(trades.closed_ms)),
        _of("opened on", Kind.DAY, trades.opened_day.tolist()),
        _of("symbol", Kind.TEXT, trades.symbol.tolist()),
        _of("instrument", Kind.TEXT, trades.instrument.tolist()),
        _of("account", Kind.TEXT, trades.account.tolist()),
        _of("segment", Kind.TEXT, trades.segment.tolist()),
        _of("product", Kind.TEXT, trades.product.tolist()),
        _of("tax bucket", Kind.TEXT, trades.bucket.tolist()),
        _of("side", Kind.TEXT, trades.side.tolist()),
        _of("quantity", Kind.COUNT, trades.quantity.tolist()),
        _of("buy average", Kind.PRICE, trades.buy_average.tolist()),
        _of("sell average", Kind.PRICE, trades.sell_average.tolist()),
        _of("gross", Kind.MONEY, trades.gross.tolist(), total=True),
        *(_of(LINE_NAMES[line], Kind.MONEY, lines[line].tolist(), total=True) for line in LINES),
        _of("charges", Kind.MONEY, trades.charges.tolist(), total=True),
        _of("net", Kind.MONEY, trades.net.tolist(), total=True),
        _of("days held", Kind.COUNT, trades.held_days.tolist()),
        _of("doubtful", Kind.FLAG, trades.doubtful.tolist()),
        _of("tags", Kind.TEXT, [", ".join(note.tags) or None if note else None for note in notes]),
        _of("note", Kind.TEXT, [note.text or None if note else None for note in notes]),
        _of("trade id", Kind.TEXT, trades.id.tolist()),
    ]
    return FileTable(TRADES, tuple(columns))


def days_table(view: PnlView) -> FileTable:
    """One row a day on which something was closed."""
    curve = view.curve
    return FileTable(
        DAYS,
        (
            _of("day", Kind.DAY, curve.days.tolist()),
            _of("trades", Kind.COUNT, curve.trades.tolist(), total=True),
            _of("net", Kind.MONEY, curve.net.tolist(), total=True),
            _of("running net", Kind.MONEY, curve.cumulative.tolist()),
            _of("below the highest point", Kind.MONEY, curve.below.tolist()),
        ),
    )


def group_table(view: PnlView, by: By) -> FileTable:
    """What was closed, in the groups of `by`."""
    groups, name = view.by(by), GROUPS[by]
    labels = [SEGMENT_NAMES.get(sums.label, sums.label) if by is By.SEGMENT else sums.label for sums in groups]
    return FileTable(
        name,
        (
            _of(name.removeprefix("By "), Kind.TEXT, labels),
            _of("lots closed", Kind.COUNT, [sums.matches for sums in groups], total=True),
            _of("bought", Kind.MONEY, [paise_of_units(sums.bought) for sums in groups], total=True),
            _of("sold", Kind.MONEY, [paise_of_units(sums.sold) for sums in groups], total=True),
            _of("gross", Kind.MONEY, [sums.gross for sums in groups], total=True),
            *_charge_columns([sums.charges.of for sums in groups]),
            _of("charges", Kind.MONEY, [sums.charges.total for sums in groups], total=True),
            _of("net", Kind.MONEY, [sums.net for sums in groups], total=True),
            _of("lots without charges", Kind.COUNT, [sums.unpriced or None for sums in groups]),
        ),
    )


def charges_table(notes: Sequence[DayNote]) -> FileTable:
    """The contract notes of the days on which something was traded, whether or not that closed anything."""
    orders = [sum(not order.settled for order in note.orders) for note in notes]
    return FileTable(
        CHARGES,
        (
            _of("day", Kind.DAY, [note.day for note in notes]),
            _of("account", Kind.TEXT, [note.account for note in notes]),
            _of("note of", Kind.TEXT, [note.of.value for note in notes]),
            _of("orders", Kind.COUNT, orders, total=True),
            _of("bought", Kind.MONEY, [paise_of_units(note.bought) for note in notes], total=True),
            _of("sold", Kind.MONEY, [paise_of_units(note.sold) for note in notes], total=True),
            *_charge_columns([note.lines.of for note in notes]),
            _of("charges", Kind.MONEY, [note.lines.total for note in notes], total=True),
            _of("paid out, or in (below 0)", Kind.MONEY, [note.net for note in notes], total=True),
            _of("trades without charges", Kind.COUNT, [note.unpriced or None for note in notes]),
        ),
    )


def tax_table(view: PnlView) -> FileTable:
    """The heads of every financial year in which anything was closed."""
    rows = [(year, row) for year in view.years for row in view.tax(year).rows if row.sums.matches]
    sums = [row.sums for _, row in rows]
    return FileTable(
        TAX,
        (
            _of("financial year", Kind.TEXT, [year for year, _ in rows]),
            _of("head", Kind.TEXT, [row.bucket.value for _, row in rows]),
            _of("lots closed", Kind.COUNT, [one.matches for one in sums], total=True),
            _of("gain", Kind.MONEY, [one.gross for one in sums], total=True),
            _of(LINE_NAMES[Line.STT], Kind.MONEY, [one.charges.of(Line.STT) for one in sums], total=True),
            _of("all charges", Kind.MONEY, [one.charges.total for one in sums], total=True),
            _of("deductible", Kind.MONEY, [row.deductible for _, row in rows], total=True),
            _of("gain less deductible", Kind.MONEY, [row.taxable for _, row in rows], total=True),
            _of("turnover", Kind.MONEY, [row.turnover for _, row in rows], total=True),
        ),
    )


def open_table(view: PnlView) -> FileTable:
    """What is open at the prices of now, each with its source and time."""
    rows = view.unrealised
    return FileTable(
        OPEN,
        (
            _of("symbol", Kind.TEXT, [row.symbol for row in rows]),
            _of("instrument", Kind.TEXT, [row.instrument for row in rows]),
            _of("account", Kind.TEXT, [row.account for row in rows]),
            _of("segment", Kind.TEXT, [row.segment for row in rows]),
            _of("quantity", Kind.COUNT, [row.quantity for row in rows]),
            _of("average", Kind.PRICE, [row.average for row in rows]),
            _of("price", Kind.PRICE, [row.price for row in rows]),
            _of("price from", Kind.TEXT, [row.told_by or None for row in rows]),
            _of("price of", Kind.MOMENT, [row.at for row in rows]),
            _of("unrealised", Kind.MONEY, [row.unrealised for row in rows], total=True),
            _of("why not known", Kind.TEXT, [row.why_not or None for row in rows]),
            _of("doubt", Kind.TEXT, [row.doubt or None for row in rows]),
        ),
    )


def doubts_table(view: PnlView) -> FileTable:
    """What cannot be known, instrument by instrument."""
    flags = view.flags
    return FileTable(
        DOUBTS,
        (
            _of("symbol", Kind.TEXT, [flag.symbol for flag in flags]),
            _of("instrument", Kind.TEXT, [flag.instrument for flag in flags]),
            _of("account", Kind.TEXT, [flag.account for flag in flags]),
            _of("cause", Kind.TEXT, [flag.cause.value for flag in flags]),
            _of("units", Kind.COUNT, [flag.quantity or None for flag in flags]),
            _of("in words", Kind.TEXT, [flag.words for flag in flags]),
            _of("figures hang on it", Kind.FLAG, [flag.cause.doubtful for flag in flags]),
        ),
    )


def sources_table(sources: Sequence[SourceLine]) -> FileTable:
    """Where the trades come from."""
    return FileTable(
        SOURCES,
        (
            _of("source", Kind.TEXT, [one.origin.value for one in sources]),
            _of("file", Kind.TEXT, [one.name or None for one in sources]),
            _of("account", Kind.TEXT, [one.account for one in sources]),
            _of("trades", Kind.COUNT, [one.trades for one in sources]),
            _of("first day", Kind.DAY, [one.first for one in sources]),
            _of("last day", Kind.DAY, [one.last for one in sources]),
            _of("told at", Kind.MOMENT, [one.told_at for one in sources]),
            _of("not understood", Kind.COUNT, [one.unread or None for one in sources]),
            _of("why", Kind.TEXT, [one.why or None for one in sources]),
        ),
    )


def chosen_notes(view: PnlView) -> list[DayNote]:
    """The contract notes of the period that is looked at."""
    return view.notes(view.only.first, view.only.last)


def line_sums(lines: Mapping[Line, Ints]) -> dict[Line, int]:
    """The sum of each line, in paise."""
    return {line: int(amounts.sum()) for line, amounts in lines.items()}


def _of(name: str, kind: Kind, values: Sequence[Any], *, total: bool = False) -> FileColumn:
    return FileColumn(name, kind, values, total)


def _charge_columns(tellers: Sequence[Callable[[Line], int]]) -> list[FileColumn]:
    """One column a line. `tellers`: how each row tells it."""
    return [_of(LINE_NAMES[line], Kind.MONEY, [told(line) for told in tellers], total=True) for line in LINES]


def _instants(stamps: Ints) -> list[datetime | None]:
    return [None if stamp == UNKNOWN_TIME else from_epoch_ms(stamp) for stamp in stamps.tolist()]

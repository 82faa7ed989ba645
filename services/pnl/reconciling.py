"""Ours beside the broker's, and beside contract notes: where they differ, by how much, and most likely why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from services.domain.orders import Side
from services.pnl.comparisons import BrokerSpan, NoteCheck, PositionCheck, SpanCheck
from services.pnl.kept import KeptBook
from services.pnl.prices import BrokerHolds
from services.pnl.values import Held
from services.portfolio.charges.engine import NoteOf
from services.portfolio.charges.kinds import LINES, Line
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.closed import SEGMENTS, closing_day, total_of
from services.portfolio.lots.book import base_symbol
from services.portfolio.lots.fills import Asset, Fill, Flags, day_number
from services.portfolio.money import half_up, paise_of_units
from services.portfolio.reconcile import BY_ORDER, RUPEE, Cause, Difference, assumptions, reconcile
from services.portfolio.records import StoredNote

NOT_OF_THE_BOOK = "no trade of that day is in the book"


def check_span(kept: KeptBook, account: str, broker: BrokerSpan) -> SpanCheck:
    """One segment of one financial year."""
    first, last = broker.first, broker.last
    closed = kept.table.chosen(first=first, last=last, account=account, segment=broker.segment)
    sums = total_of(kept.book, kept.costs, closed)
    traded = _traded(kept, account, first, last, broker.segment)
    ours = _cost_of(kept, traded)
    differences: tuple[Difference, ...] = ()
    if broker.told and broker.charges:
        notes, orders = _counts(kept, traded)
        told = _compared(kept, ours, broker.charges, traded, max(notes, 1), max(orders, 1))
        loose = _loose(kept, traded)
        differences = tuple(_explained(one, broker.segment, notes, broker.others, loose, kept) for one in told)
    return SpanCheck(
        broker.segment, broker.year, first, last, sums.matches, sums.gross, sums.charges, ours, broker, differences,
        _gross_cause(kept, account, broker, sums.gross, closed, traded),
    )  # fmt: skip


def check_notes(kept: KeptBook, notes: Iterable[StoredNote]) -> list[NoteCheck]:
    """Imported notes beside ours of the same day, the newest first."""
    found = [_check_note(kept, note) for note in notes]
    return sorted(found, key=lambda one: (one.day or date.min, one.name), reverse=True)


def check_positions(
    kept: KeptBook,
    account: str,
    today: date,
    held: Sequence[Held] | None,
    positions: Mapping[str, Sequence[BrokerHolds]],
    totals: Mapping[str, tuple[int, int] | None],
) -> list[PositionCheck]:
    """What is open or was traded today. `positions` by instrument; `totals`: of those, price and result of all
    (ten-thousandths of a rupee), `None` where the broker does not tell enough."""
    book = kept.book
    own = [place for place, name in enumerate(book.matched.names) if name.account == account]
    quantity = _open(kept)
    beside = {one.instrument: one for one in held or ()}
    rows: dict[str, PositionCheck] = {}
    todays = {place for place in own if _today(kept, place, today)}
    for place in own:
        name = book.matched.names[place]
        if quantity.get(place, 0) or place in todays or name.instrument in beside or name.instrument in positions:
            rows[name.instrument] = _check_position(
                kept, place, quantity.get(place, 0), today,
                None if held is None else beside.get(name.instrument, _nobody(name.instrument)),
                positions.get(name.instrument, ()), totals.get(name.instrument),
            )  # fmt: skip
    for instrument, one in beside.items():
        if instrument not in rows and one.quantity:
            words = "the book knows no trade of it: bought before the book begins, or come another way"
            rows[instrument] = PositionCheck(
                instrument, base_symbol(one.symbol), 0, one.quantity, None, None, None, words
            )
    return sorted(rows.values(), key=lambda row: (row.agrees, row.symbol))


def unknown_words(
    kept: KeptBook, account: str | None, first: date | None = None, last: date | None = None
) -> list[str]:
    """What cannot be known, and what hangs on it."""
    words = [
        f"{base_symbol(flag.symbol)}: {flag.words}"
        for flag in kept.book.flags
        if flag.cause.doubtful and account in {None, flag.account}
    ]
    rows = kept.book.fills.rows
    loose = [
        fill
        for fill in rows
        if not (fill.order_id and fill.product)
        and not fill.settled
        and account in {None, fill.account}
        and (first is None or fill.day >= first)
        and (last is None or fill.day <= last)
    ]
    if loose:
        words.append(
            f"of {len(loose)} trades nobody tells the order or the product: "
            "each counts as an order of its own, so that brokerage, and GST with it, may differ"
        )
    unpriced = sum(1 for place in kept.costs.unpriced.tolist() if account in {None, rows[place].account})
    if unpriced:
        begins = max(kept.rates.changes[0], kept.plan.changes[0])
        words.append(f"charges of {unpriced} trades are not known: the rates begin on {begins:%Y-%m-%d}")
    return words


def _traded(kept: KeptBook, account: str, first: date, last: date, segment: str) -> Flags:
    """Fills of the span."""
    fills, names = kept.book.fills, kept.book.matched.names
    mine = np.array([name.account == account and SEGMENTS[name.asset] == segment for name in names], bool)
    within = (fills.day >= day_number(first)) & (fills.day <= day_number(last))
    return within & mine[fills.series] if len(fills) else within


def _cost_of(kept: KeptBook, fills: Flags) -> PaiseLines:
    return PaiseLines(*(int(kept.costs.fills[line][fills].sum()) for line in LINES))


def _counts(kept: KeptBook, traded: Flags) -> tuple[int, int]:
    """Notes and orders among these fills."""
    rows = kept.book.fills.rows
    chosen = [rows[place] for place in np.flatnonzero(traded).tolist()]
    return len({fill.day for fill in chosen}), len({(fill.day, fill.order_id or fill.trade_id) for fill in chosen})


def _compared(
    kept: KeptBook, ours: PaiseLines, theirs: Mapping[Line, int | None], only: Flags, notes: int, orders: int
) -> list[Difference]:
    """Line by line. What would hold under other assumptions is worked out only where rounding does not explain it."""
    plain = reconcile(ours, theirs, notes=notes, orders=orders, plan=kept.plan)
    if all(one.cause in {Cause.NONE, Cause.ROUNDING, Cause.NOT_TOLD} for one in plain):
        return plain
    others = assumptions(kept.costs, rates=kept.rates, plan=kept.plan, only=only, ours=ours)
    return reconcile(ours, theirs, notes=notes, orders=orders, plan=kept.plan, others=others)


def _loose(kept: KeptBook, fills: Flags) -> int:
    """How many of these fills nobody tells the order or the product of."""
    rows = kept.book.fills.rows
    return sum(not (rows[place].order_id and rows[place].product) for place in np.flatnonzero(fills).tolist())


def _explained(one: Difference, segment: str, notes: int, others: int, loose: int, kept: KeptBook) -> Difference:
    """What is known besides of a difference: GST of what the broker books under "others" stands in its GST, and
    brokerage and STT depend on orders and products."""
    if one.off_by is None or abs(one.off_by) <= max(notes, 1):
        return one
    if one.line is Line.GST and others:
        of_others = half_up(others * int(kept.plan.gst_percent), 100)
        if abs(one.off_by + of_others) <= max(notes, RUPEE // 20):
            return replace(one, cause=Cause.FOLLOWS, words='GST of what they book under "others"')
    hanging = {Line.BROKERAGE, Line.STT, Line.STAMP, Line.DP} if segment == "EQ" else {Line.BROKERAGE}
    guessed = {Cause.UNKNOWN, Cause.PLAN, Cause.DEPOSITORY} | ({Cause.ROUNDING} if one.words == BY_ORDER else set())
    if loose and one.line in hanging and one.cause in guessed:
        return replace(one, cause=Cause.UNKNOWN, words=f"of {loose} trades nobody tells the order or the product")
    return one


def _gross_cause(kept: KeptBook, account: str, broker: BrokerSpan, gross: int, closed: Flags, traded: Flags) -> str:
    if broker.gross is None or broker.gross == gross:
        return ""
    if broker.count is not None and broker.rows is not None and broker.rows < broker.count:
        return f"the broker announced {broker.count} rows and told {broker.rows}"
    series = kept.book.matched.matches.series
    doubtful = kept.book.doubtful()
    names = kept.book.matched.names
    mine = {
        place
        for place in doubtful
        if names[place].account == account and SEGMENTS[names[place].asset] == broker.segment
    }
    if mine:
        symbols = sorted({base_symbol(kept.book.symbols[place]) for place in mine})
        return f"a part of the history is missing: {', '.join(symbols[:5])}{' …' if len(symbols) > 5 else ''}"
    shares = _loose(kept, traded) if broker.segment == "EQ" else 0
    if shares:
        return f"of {shares} trades nobody tells the product: which of a day were pairs is not known"
    if not traded.any() and not closed.any():
        return "the book has no trades of it"
    if abs(broker.gross - gross) <= max(1, len(np.unique(series[closed]))):
        return "rounding of the broker's averages"
    return "other trades, or other pairs of purchases and sales"


def _check_note(kept: KeptBook, note: StoredNote) -> NoteCheck:
    told = note.totals
    if told.day is None:
        why = "the note's date is not known"
        return NoteCheck(told.name, None, told.segment, told.lines, None, (), told.off_by, why)
    commodity = any(word in told.segment.upper() for word in ("MCX", "COM"))
    kind = NoteOf.COMMODITIES if commodity else NoteOf.SECURITIES
    rows = kept.book.fills.rows
    fills = kept.book.fills
    own = fills.day == day_number(told.day)
    mine = [
        place
        for place in np.flatnonzero(own).tolist()
        if (not note.account or rows[place].account == note.account)
        and rows[place].asset.kind(intraday=False).of_commodities == commodity
    ]
    if not mine:
        return NoteCheck(told.name, told.day, told.segment, told.lines, None, (), told.off_by, NOT_OF_THE_BOOK)
    accounts = {rows[place].account for place in mine}
    lines = sum(
        (printed for key, printed in kept.costs.notes().items()
         if key.account in accounts and key.day == told.day and key.of is kind),
        PaiseLines(),
    )  # fmt: skip
    only = np.zeros(len(fills), bool)
    only[mine] = True
    orders = len({rows[place].order_id or rows[place].trade_id for place in mine})
    differences = _compared(kept, lines, told.lines, only, len(accounts), orders)
    return NoteCheck(told.name, told.day, told.segment, told.lines, lines, tuple(differences), told.off_by)


def _open(kept: KeptBook) -> dict[int, int]:
    items = kept.book.matched.open
    sums = np.zeros(len(kept.book.matched.names), np.int64)
    np.add.at(sums, items.series, np.where(items.sells, -items.quantity, items.quantity))
    return {place: int(sums[place]) for place in np.flatnonzero(sums).tolist()}


def _today(kept: KeptBook, series: int, today: date) -> list[Fill]:
    fills = kept.book.fills
    places = np.flatnonzero((fills.series == series) & (fills.day == day_number(today)))
    return [fills.rows[place] for place in places.tolist()]


def _check_position(
    kept: KeptBook,
    series: int,
    quantity: int,
    today: date,
    held: Held | None,
    positions: Sequence[BrokerHolds],
    total: tuple[int, int] | None,
) -> PositionCheck:
    name = kept.book.matched.names[series]
    symbol = base_symbol(kept.book.symbols[series])
    ours = price = theirs = None
    if positions and total is not None:
        price, told = total
        theirs = paise_of_units(told)
        ours = paise_of_units(_result(kept, series, quantity, today, price))
    words = ""
    if held is not None and not held.agrees(quantity):
        words = f"the broker holds {held.quantity}, the book {quantity}"
    elif ours is not None and theirs is not None and abs(ours - theirs) > len(positions):
        words = _why(kept, series, today, positions)
    return PositionCheck(
        name.instrument, symbol, quantity, None if held is None else held.quantity, ours, theirs, price, words
    )


def _result(kept: KeptBook, series: int, quantity: int, today: date, price: int) -> int:
    """What today brought at `price`, in ten-thousandths of a rupee: of shares what today's trades did, of contracts
    what was carried as well, since its entry."""
    name = kept.book.matched.names[series]
    trades = _today(kept, series, today)
    net = sum(fill.side.sign * fill.quantity for fill in trades)
    if name.asset.delivered or quantity == net:
        cash = sum(-fill.side.sign * fill.value for fill in trades)
        return cash + net * price * name.multiplier
    closed = kept.book.matched.matches
    mine = (closed.series == series) & (closing_day(kept.book) == day_number(today))
    items = kept.book.matched.open
    left = items.take(items.series == series)
    costs = left.values(np.arange(len(left)), np.zeros_like(left.quantity), left.quantity)
    cost = int(np.where(left.sells, -costs, costs).sum())
    return int(closed.realised[mine].sum()) + quantity * price * name.multiplier - cost


def _why(kept: KeptBook, series: int, today: date, positions: Sequence[BrokerHolds]) -> str:
    trades = _today(kept, series, today)
    bought = sum(fill.quantity for fill in trades if fill.side is Side.BUY)
    sold = sum(fill.quantity for fill in trades if fill.side is Side.SELL)
    day_bought, day_sold = sum(row.day_bought for row in positions), sum(row.day_sold for row in positions)
    if (bought, sold) != (day_bought, day_sold):
        return (
            f"the positions tell {day_bought} bought and {day_sold} sold today, the trades {bought} and {sold}: trades "
            "are missing, or were told late"
        )
    if series in kept.book.doubtful():
        return "a part of its history is missing in the book"
    return "the broker counts what was carried from another price"


def _nobody(instrument: str) -> Held:
    return Held(instrument, "", Asset.SHARE, 0, None)

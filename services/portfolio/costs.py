"""What the trades of a book of lots cost: the kind of each fill follows from what it was matched with, and each match
bears its share of what its two fills cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.domain.errors import NotPublished
from services.domain.orders import Side
from services.portfolio.charges.columns import GROUPS, KINDS, Columns, Trades, charge_columns
from services.portfolio.charges.engine import NoteKey, NoteOf, Part
from services.portfolio.charges.kinds import LINES, Kind, Line
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.charges.plan import STANDARD_PLAN, Plan
from services.portfolio.charges.table import STANDARD, RateTable
from services.portfolio.lots.book import Book
from services.portfolio.lots.fills import Asset, Fill, Flags, Ints, day_number, day_of

_EXERCISED = {Asset.OPTION: Kind.EXERCISE, Asset.COMMODITY_OPTION: Kind.COMMODITY_EXERCISE}
"""What the holder of a settled option is taxed as. Of commodities the tax is a millionth of the settlement price, which
is not known here: the intrinsic value stands for it."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Charges of all fills of a book, in paise such that they add up to the contract notes, to the paisa."""

    columns: Columns
    place: Ints
    """The fill of each row of `columns`."""
    note_keys: tuple[NoteKey, ...]
    fills: Mapping[Line, Ints]
    """By fill."""
    matches: Mapping[Line, Ints]
    """By match: its share of both fills. What is left of a fill belongs to what is still open."""
    unpriced: Ints
    """Places of fills of which no rates are known: they stand at 0 above."""
    incomplete: Flags
    """Matches with such a fill: their charges are known in part, if at all."""

    @property
    def total(self) -> PaiseLines:
        return PaiseLines(*(int(self.fills[line].sum()) for line in LINES))

    def notes(self) -> dict[NoteKey, PaiseLines]:
        """The contract notes, by day."""
        return dict(zip(self.note_keys, self.columns.notes(), strict=True))


def costs_of(book: Book, *, rates: RateTable = STANDARD, plan: Plan = STANDARD_PLAN) -> Costs:
    """What the fills of `book` cost. Fills of which a rate is not known, because they are older than the table or of a
    kind that it says nothing of, are named in `unpriced`.

    A purchase and a sale of shares on one day is intraday, and so is all of an intraday product on the running day. The
    rest of a fill is delivery: what a finished day leaves unpaired of an intraday product was converted. Contracts that
    were settled at expiry cost nothing but the tax of the holder who exercises.
    """
    known = book.fills.day >= day_number(max(rates.changes[0], plan.changes[0]))
    trades, place, keys = _trades(book, known)
    unknown = _without_rates(trades, rates, plan)
    if unknown.any():
        known[place[unknown]] = False
        trades, place, keys = _trades(book, known)
    columns = charge_columns(trades, rates=rates, plan=plan)
    booked = columns.booked()
    fills = {line: _by_fill(booked[line], place, len(book.fills)) for line in LINES}
    matches = {line: _by_match(amounts, book) for line, amounts in fills.items()}
    closed = book.matched.matches
    incomplete = ~(known[closed.buy] & known[closed.sell])
    return Costs(columns, place, keys, fills, matches, np.flatnonzero(~known), incomplete)


def _without_rates(trades: Trades, rates: RateTable, plan: Plan) -> Flags:
    """Rows of which the tables do not tell every rate: looked up once for each kind, exchange, group, side and era."""
    if len(trades) == 0:
        return np.zeros(0, bool)
    changes = sorted({*rates.changes, *plan.changes})
    era = np.searchsorted(np.array([day_number(day) for day in changes], np.int64), trades.day, side="right")
    joined = era.astype(np.int64)
    for column in (trades.kind, trades.exchange, trades.group, trades.sells.astype(np.int64)):
        joined = joined * (int(column.max()) + 1) + column
    _, first, number = np.unique(joined, return_index=True, return_inverse=True)
    missing = np.zeros(len(first), bool)
    for at, place in enumerate(first.tolist()):
        kind, day = KINDS[trades.kind[place]], day_of(int(trades.day[place]))
        side = Side.SELL if trades.sells[place] else Side.BUY
        try:
            rates.units(kind, trades.exchanges[trades.exchange[place]], side, day, GROUPS[trades.group[place]])
            plan.brokerage_of(kind, day)
        except NotPublished:
            missing[at] = True
    return np.asarray(missing[number.reshape(-1)])


def parts_of(book: Book) -> list[Part]:
    """The same trades one by one, for the exact engine."""
    same_day = _same_day(book).tolist()
    parts: list[Part] = []
    for fill, matched in zip(book.fills.rows, same_day, strict=True):
        for kind, side, quantity in _kinds(fill, matched):
            parts.append(
                Part(
                    fill.trade_id, fill.order_id or fill.trade_id, fill.day, fill.exchange, kind, side, quantity,
                    fill.price, fill.multiplier, fill.instrument if kind.of_shares else "", fill.group,
                    account=fill.account,
                )
            )  # fmt: skip
    return parts


def _same_day(book: Book) -> Ints:
    """Units of each fill that were matched within the day; all of an intraday product while its day runs."""
    closed = book.matched.matches
    units = np.zeros(len(book.fills), np.int64)
    within = closed.same_day
    np.add.at(units, closed.buy[within], closed.quantity[within])
    np.add.at(units, closed.sell[within], closed.quantity[within])
    if book.as_of is None:
        return units
    running = book.fills.intraday & (book.fills.day == day_number(book.as_of))
    return np.where(running, book.fills.quantity, units)


def _settled(fill: Fill) -> bool:
    """Not traded: a contract that ended. Nobody trades one for nothing; a broker that books the end of a worthless
    option as a sale tells it at 0, and takes nothing for it."""
    return fill.settled or (fill.price == 0 and not fill.asset.delivered)


def _kinds(fill: Fill, same_day: int) -> list[tuple[Kind, Side, int]]:
    if _settled(fill):
        kind = _EXERCISED.get(fill.asset)
        if kind is None or fill.side is Side.BUY or fill.price == 0:
            return []
        return [(kind, Side.BUY, fill.quantity)]
    if not fill.asset.delivered:
        return [(fill.asset.kind(intraday=False), fill.side, fill.quantity)]
    split = ((fill.asset.kind(intraday=True), same_day), (fill.asset.kind(intraday=False), fill.quantity - same_day))
    return [(kind, fill.side, quantity) for kind, quantity in split if quantity]


def _trades(book: Book, known: Flags) -> tuple[Trades, Ints, tuple[NoteKey, ...]]:
    """The columns of `parts_of`, made without its objects, of the fills that are `known`."""
    fills, rows = book.fills, book.fills.rows
    kinds = {kind: number for number, kind in enumerate(KINDS)}
    groups = {group: number for number, group in enumerate(GROUPS)}
    assets = [name.asset for name in fills.names]
    shares = _by_series([asset.delivered for asset in assets], fills.series).astype(bool)
    settled = np.array([_settled(fill) for fill in rows], bool)
    within = np.where(known & shares & ~settled, _same_day(book), 0)
    rest = np.where(known & ~settled, fills.quantity - within, 0)
    exercised = [place for place in np.flatnonzero(settled & known).tolist() if _kinds(rows[place], 0)]
    blocks = (
        (np.flatnonzero(within), within, [kinds[asset.kind(intraday=True)] for asset in assets]),
        (np.flatnonzero(rest), rest, [kinds[asset.kind(intraday=False)] for asset in assets]),
        (
            np.array(exercised, np.int64),
            fills.quantity,
            [kinds[_EXERCISED.get(asset, Kind.EXERCISE)] for asset in assets],
        ),
    )
    place = np.concatenate([block[0] for block in blocks])
    quantity = np.concatenate([block[1][block[0]] for block in blocks])
    kind = np.concatenate([_by_series(block[2], fills.series[block[0]]) for block in blocks])
    by_time = np.argsort(place, kind="stable")
    place, quantity, kind = place[by_time], quantity[by_time], kind[by_time]
    accounts, account = _names([fill.account for fill in rows])
    exchanges, exchange = _names([fill.exchange for fill in rows])
    _, order = _names([fill.order_id or fill.trade_id for fill in rows])
    commodity = np.array([one.of_commodities for one in KINDS])[kind]
    day = fills.day[place]
    owned = account[place] * 2**20 + day  # days since 1970: some 20,000
    notes, note = np.unique(owned * 2 + ~commodity, return_inverse=True)
    trades = Trades(
        day=day,
        exchange=exchange[place],
        exchanges=exchanges,
        kind=kind,
        group=np.array([groups[fill.group] for fill in rows], np.int64)[place],
        sells=fills.sells[place] & ~settled[place],
        quantity=quantity,
        price=np.array([fill.price for fill in rows], np.int64)[place],
        multiplier=np.array([fill.multiplier for fill in rows], np.int64)[place],
        order=_joined(owned, order[place]),
        scrip=_joined(owned, fills.series[place]),
        note=note.reshape(-1),
        rank=np.arange(len(place), dtype=np.int64),
        assisted=np.zeros(len(place), bool),
    )
    keys = tuple(
        NoteKey(accounts[code >> 21], day_of(code // 2 % 2**20), NoteOf.SECURITIES if code % 2 else NoteOf.COMMODITIES)
        for code in notes.tolist()
    )
    return trades, place, keys


def _by_series(values: Sequence[int], series: Ints) -> Ints:
    return np.array(values, np.int64)[series] if len(series) else np.zeros(0, np.int64)


def _names(names: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """The names that occur, sorted, and for each row the number of its own."""
    distinct = tuple(sorted(set(names)))
    numbers = {name: number for number, name in enumerate(distinct)}
    return distinct, np.array([numbers[name] for name in names], np.int64)


def _joined(one: Ints, other: Ints) -> Ints:
    """A number for each combination."""
    if len(one) == 0:
        return one
    _, numbers = np.unique(one * (int(other.max()) + 1) + other, return_inverse=True)
    return np.asarray(numbers.reshape(-1))


def _by_fill(amounts: Ints, place: Ints, fills: int) -> Ints:
    sums = np.zeros(fills, np.int64)
    np.add.at(sums, place, amounts)
    return sums


def _by_match(amounts: Ints, book: Book) -> Ints:
    closed, quantity = book.matched.matches, book.fills.quantity
    share = np.zeros(len(closed), np.int64)
    sides = ((closed.buy, closed.buy_from, closed.buy_to), (closed.sell, closed.sell_from, closed.sell_to))
    for fill, start, end in sides:
        share += amounts[fill] * end // quantity[fill] - amounts[fill] * start // quantity[fill]
    return share

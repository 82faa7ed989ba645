"""Closed trades as columns: what one order closed, of a hundred thousand trades at once, and cuts through them.

A closed trade is what one order closed of one instrument in one account on one day (as `closed.closed_trades`). Its id
is derived from these alone, so the same trades, whenever and from wherever they are read, have the same ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from services.domain.clock import from_epoch_ms
from services.portfolio.charges.kinds import LINES, Line
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.closed import SEGMENTS, closing_day, closing_fill
from services.portfolio.costs import Costs
from services.portfolio.lots.book import Book, base_symbol
from services.portfolio.lots.fills import Fill, Flags, Ints, day_of
from services.portfolio.lots.terms import BUCKETS

Days = npt.NDArray[np.datetime64]
Texts = npt.NDArray[np.object_]
UNKNOWN_TIME = -1


@dataclass(frozen=True, slots=True)
class TradeColumns:
    """Closed trades, the newest first: columns of one length. Amounts in paise, averages in ten-thousandths of a
    rupee, both whole numbers."""

    id: Texts
    closed_day: Days
    closed_ms: Ints
    """Milliseconds since the epoch; -1: a source tells days only."""
    opened_day: Days
    """Of the oldest lot."""
    opened_ms: Ints
    account: Texts
    instrument: Texts
    symbol: Texts
    segment: Texts
    product: Texts
    """`I`, `D`, …; empty where the source does not tell it."""
    bucket: Texts
    """`intraday`; where lots of several buckets were closed, all of them: `short term + long term`."""
    side: Texts
    """`long`, `short`."""
    quantity: Ints
    buy_average: Ints
    sell_average: Ints
    buy_value: Ints
    """Ten-thousandths of a rupee, exact."""
    sell_value: Ints
    gross: Ints
    charges: Ints
    net: Ints
    held_days: Ints
    held_ms: Ints
    """Weighted by quantity; -1: not known."""
    doubtful: Flags
    """A part of the instrument's history is missing, or its charges are not known in full."""
    place: Ints
    """Number of the trade in the whole book, for `lots` and `charges`."""

    def __len__(self) -> int:
        return len(self.quantity)


@dataclass(frozen=True, slots=True)
class LotRow:
    """A lot that a trade closed, or a part of one. Prices and values: ten-thousandths of a rupee; the rest: paise."""

    quantity: int
    bought: date
    bought_at: datetime | None
    sold: date
    sold_at: datetime | None
    buy_price: int
    """As it was traded; the value below counts corporate actions in."""
    sell_price: int
    buy_value: int
    sell_value: int
    gross: int
    charges: PaiseLines
    bucket: str
    held_days: int
    buy_trade: str
    buy_order: str
    sell_trade: str
    sell_order: str
    exchange: str

    @property
    def net(self) -> int:
        return self.gross - self.charges.total


class TradeTable:
    """All closed trades of one book, and what a filter needs of each match. Immutable once built; costs some tenths of
    a second for a hundred thousand fills, cuts through it some milliseconds."""

    def __init__(self, book: Book, costs: Costs) -> None:
        self.book, self.costs = book, costs
        closed, rows, names = book.matched.matches, book.fills.rows, book.matched.names
        self._ending, self._day = closing_fill(book), closing_day(book)
        self._opening = np.where(closed.long, closed.buy, closed.sell)
        self._opened_day = np.where(closed.long, closed.buy_day, closed.sell_day)
        orders: dict[tuple[str, str], int] = {}
        order = np.array(
            [orders.setdefault((one.account, one.order_id or one.trade_id), len(orders)) for one in rows], np.int64
        )
        joined = (self._day * max(len(names), 1) + closed.series) * (len(orders) + 1) + order[self._ending]
        _, first, codes = np.unique(joined, return_index=True, return_inverse=True)
        last = np.zeros(len(first), np.int64)
        np.maximum.at(last, codes.reshape(-1), self._ending)
        rank = np.empty(len(first), np.int64)
        rank[np.lexsort((last, self._day[first]))[::-1]] = np.arange(len(first))
        self._codes = rank[codes.reshape(-1)]
        self._last = np.empty_like(last)
        self._last[rank] = last
        self._a_match = np.empty_like(first)
        self._a_match[rank] = first
        self._at = np.array([UNKNOWN_TIME if one.at_ms is None else one.at_ms for one in rows], np.int64)
        self._ids = np.array([self._id_of(place) for place in self._a_match.tolist()], object)
        self._places = {name: place for place, name in enumerate(self._ids.tolist())}
        self._symbols = np.array([base_symbol(symbol) for symbol in book.symbols], object)
        self._segments = np.array([SEGMENTS[name.asset] for name in names], object)
        self._accounts = np.array([name.account for name in names], object)
        self._products = np.array([one.product for one in rows], object)
        doubtful = book.doubtful()
        self._doubtful = np.array([place in doubtful for place in range(len(names))], bool)

    def __len__(self) -> int:
        return len(self._ids)

    def chosen(
        self,
        *,
        first: date | None = None,
        last: date | None = None,
        account: str | None = None,
        segment: str = "",
        symbol: str = "",
        product: str = "",
        bucket: str = "",
    ) -> Flags:
        """Which matches belong to what was closed from `first` to `last` (both included) and is all the rest."""
        closed = self.book.matched.matches
        only = np.ones(len(closed), bool)
        if first is not None:
            only &= self._day >= np.datetime64(first, "D").astype(np.int64)
        if last is not None:
            only &= self._day <= np.datetime64(last, "D").astype(np.int64)
        for wanted, column in (
            (account, self._accounts),
            (segment or None, self._segments),
            (symbol or None, self._symbols),
        ):
            if wanted is not None:
                only &= (column == wanted)[closed.series]
        if product:
            only &= (self._products == product)[self._ending]
        if bucket:
            only &= self.book.bucket == next((place for place, one in enumerate(BUCKETS) if one.value == bucket), -1)
        return only

    def columns(self, only: Flags) -> TradeColumns:
        """The closed trades of the matches that are chosen."""
        closed, rows = self.book.matched.matches, self.book.fills.rows
        chosen = np.flatnonzero(only)
        present, codes = np.unique(self._codes[chosen], return_inverse=True)
        codes = codes.reshape(-1)
        groups = len(present)

        def added(values: Ints) -> Ints:
            sums = np.zeros(groups, np.int64)
            np.add.at(sums, codes, values)
            return sums

        sample, ending = self._a_match[present], self._last[present]
        quantity = added(closed.quantity[chosen])
        bought, sold = added(closed.buy_value[chosen]), added(closed.sell_value[chosen])
        charges = np.zeros(groups, np.int64)
        for line in LINES:
            charges += added(self.costs.matches[line][chosen])
        gross = _paise(sold - bought)
        series = closed.series[sample]
        day, opened_day = self._day[sample], np.full(groups, np.iinfo(np.int64).max)
        np.minimum.at(opened_day, codes, self._opened_day[chosen])
        at, opened_at = self._at[self._ending[chosen]], self._at[self._opening[chosen]]
        untimed = np.zeros(groups, bool)
        untimed[codes[(at < 0) | (opened_at < 0)]] = True
        opened_ms = np.full(groups, np.iinfo(np.int64).max)
        np.minimum.at(opened_ms, codes, opened_at)
        per_unit = np.maximum(quantity, 1)
        held = added((self._day - self._opened_day)[chosen] * closed.quantity[chosen]) // per_unit
        seconds = added((at - opened_at) // 1000 * closed.quantity[chosen]) // per_unit
        kinds = np.zeros(groups, np.int64)
        np.bitwise_or.at(kinds, codes, np.int64(1) << self.book.bucket[chosen])
        incomplete = np.zeros(groups, bool)
        incomplete[codes[self.costs.incomplete[chosen]]] = True
        units = (
            per_unit * np.array([name.multiplier for name in self.book.matched.names], np.int64)[series]
            if groups
            else per_unit
        )
        instruments = np.array([name.instrument for name in self.book.matched.names], object)
        return (
            TradeColumns(
                id=self._ids[present],
                closed_day=day.astype("datetime64[D]"),
                closed_ms=self._at[ending],
                opened_day=opened_day.astype("datetime64[D]"),
                opened_ms=np.where(untimed, UNKNOWN_TIME, opened_ms),
                account=self._accounts[series],
                instrument=instruments[series],
                symbol=self._symbols[series],
                segment=self._segments[series],
                product=self._products[ending],
                bucket=_bucket_words(kinds),
                side=np.where(closed.long[sample], "long", "short").astype(object),
                quantity=quantity,
                buy_average=(2 * bought + units) // (2 * units),
                sell_average=(2 * sold + units) // (2 * units),
                buy_value=bought,
                sell_value=sold,
                gross=gross,
                charges=charges,
                net=gross - charges,
                held_days=held,
                held_ms=np.where(untimed, UNKNOWN_TIME, seconds * 1000),
                doubtful=self._doubtful[series] | incomplete,
                place=present,
            )
            if rows
            else _nothing()
        )

    def lines(self, only: Flags) -> dict[Line, Ints]:
        """Charges by line of each row of `columns(only)`, in paise."""
        chosen = np.flatnonzero(only)
        present, codes = np.unique(self._codes[chosen], return_inverse=True)
        found = {line: np.zeros(len(present), np.int64) for line in LINES}
        for line, sums in found.items():
            np.add.at(sums, codes.reshape(-1), self.costs.matches[line][chosen])
        return found

    def lots(self, trade_id: str) -> tuple[LotRow, ...]:
        """What the trade closed, lot by lot, the oldest purchase first; `()` for an id that is none."""
        place = self._places.get(trade_id)
        if place is None:
            return ()
        matches = np.flatnonzero(self._codes == place).tolist()
        return tuple(sorted(map(self._lot, matches), key=lambda lot: (lot.bought, lot.sold, lot.buy_trade)))

    def charges(self, trade_id: str) -> PaiseLines | None:
        """What the trade cost, both sides; `None` for an id that is none."""
        place = self._places.get(trade_id)
        if place is None:
            return None
        matches = self._codes == place
        return PaiseLines(*(int(self.costs.matches[line][matches].sum()) for line in LINES))

    def _id_of(self, match: int) -> str:
        closing = self.book.fills.rows[int(self._ending[match])]
        name = self.book.matched.names[int(self.book.matched.matches.series[match])]
        said = (name.account, name.instrument, closing.day.isoformat(), closing.order_id or closing.trade_id)
        return blake2b("\x1f".join(said).encode(), digest_size=10).hexdigest()

    def _lot(self, match: int) -> LotRow:
        closed, rows = self.book.matched.matches, self.book.fills.rows
        buy, sell = rows[int(closed.buy[match])], rows[int(closed.sell[match])]
        bought, sold = int(closed.buy_value[match]), int(closed.sell_value[match])
        lines: Mapping[Line, Ints] = self.costs.matches
        return LotRow(
            quantity=int(closed.quantity[match]),
            bought=day_of(int(closed.buy_day[match])),
            bought_at=_instant(buy),
            sold=day_of(int(closed.sell_day[match])),
            sold_at=_instant(sell),
            buy_price=buy.price,
            sell_price=sell.price,
            buy_value=bought,
            sell_value=sold,
            gross=int(_paise(np.array([sold - bought]))[0]),
            charges=PaiseLines(*(int(lines[line][match]) for line in LINES)),
            bucket=BUCKETS[int(self.book.bucket[match])].value,
            held_days=abs(int(closed.sell_day[match] - closed.buy_day[match])),
            buy_trade=buy.trade_id,
            buy_order=buy.order_id,
            sell_trade=sell.trade_id,
            sell_order=sell.order_id,
            exchange=rows[int(self._ending[match])].exchange,
        )


def _instant(fill: Fill) -> datetime | None:
    return None if fill.at_ms is None else from_epoch_ms(fill.at_ms)


def _paise(units: Ints) -> Ints:
    """Halves away from zero."""
    return np.asarray(np.sign(units) * ((np.abs(units) + 50) // 100))


def _bucket_words(kinds: Ints) -> Texts:
    distinct, codes = np.unique(kinds, return_inverse=True)
    words = [
        " + ".join(one.value for place, one in enumerate(BUCKETS) if kind >> place & 1) for kind in distinct.tolist()
    ]
    return np.array([*words, ""], object)[codes.reshape(-1)]


def _nothing() -> TradeColumns:
    whole, text, flag = np.zeros(0, np.int64), np.zeros(0, object), np.zeros(0, bool)
    day = whole.astype("datetime64[D]")
    return TradeColumns(
        text, day, whole, day, whole, text, text, text, text, text, text, text, whole, whole, whole, whole, whole,
        whole, whole, whole, whole, whole, flag, whole,
    )  # fmt: skip

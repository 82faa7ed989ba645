"""Lots and charges of 100,000 trades, held against the usual ways: `iterrows` with a queue for each instrument, the
same queue over plain integers, and `DataFrame.apply` with decimals. Same trades, same results, same run."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from statistics import median

import numpy as np
import pandas as pd

from services.domain.orders import Side
from services.pnl.kept import KeptBook
from services.pnl.values import Filter
from services.pnl.views import PnlView
from services.portfolio.charges.columns import KINDS, Trades, charge_columns
from services.portfolio.charges.engine import Part, charge
from services.portfolio.charges.kinds import LINES, RATED, Kind, Line
from services.portfolio.charges.plan import STANDARD_PLAN
from services.portfolio.charges.table import STANDARD
from services.portfolio.closed import By, closed_trades, sums_by
from services.portfolio.costs import costs_of
from services.portfolio.lots.book import build_book
from services.portfolio.lots.fills import Asset, Fill, Fills, Series, day_number, day_of
from services.portfolio.lots.matching import match
from services.portfolio.lots.terms import buckets
from services.portfolio.statistics import statistics_of
from tests.benchmarks import pnl_page
from tests.benchmarks.table import Row

TRADES = 100_000
INSTRUMENTS = 300
DAYS = 500
TURNS = 3
SAMPLE = 2_000
"""Of the trades, as many are charged one by one and compared digit by digit."""
_FIRST = day_number(date(2024, 10, 1))
_PAISA = Decimal("0.01")


def run() -> list[Row]:
    """All rows; some two minutes."""
    frame = _trades()
    return [*_lots(frame), *_charges(frame), *_whole(frame), *_views(frame), *pnl_page.run()]


def _trades() -> pd.DataFrame:
    """Fills of options in the order of time; every third order has two."""
    dice = np.random.default_rng(7)
    order = np.sort(dice.integers(0, TRADES * 3 // 4, TRADES))
    of_order = dice.integers(0, 2**31, TRADES)[order]  # what an order's fills have in common
    return pd.DataFrame({
        "instrument": of_order % INSTRUMENTS,
        "day": _FIRST + order * DAYS // TRADES,
        "sells": of_order // INSTRUMENTS % 2 == 1,
        "quantity": dice.integers(1, 20, TRADES) * 65,
        "price": dice.integers(1, 10_000, TRADES) * 500,
        "order": order,
    })  # fmt: skip


# -- lots --------------------------------------------------------------------------------------------------------------


def _lots(frame: pd.DataFrame) -> list[Row]:
    names = tuple(Series("A", str(number), Asset.OPTION) for number in range(INSTRUMENTS))
    shares = tuple(Series("A", str(number), Asset.SHARE) for number in range(INSTRUMENTS))
    columns = {name: np.asarray(frame[name]) for name in frame}

    def ours(series: tuple[Series, ...]) -> int:
        fills = Fills(
            series, columns["instrument"], columns["day"], columns["sells"], columns["quantity"],
            columns["quantity"] * columns["price"], np.zeros(TRADES, bool),
        )  # fmt: skip
        matches = match(fills).matches
        assets = [name.asset for name in series]
        buckets(assets, matches.series, matches.same_day, matches.buy_day, matches.sell_day)
        return int(matches.realised.sum())

    lists = [frame[name].tolist() for name in ("instrument", "sells", "quantity", "price")]
    results = {ours(names), _by_queue(*lists)}
    began = time.perf_counter()
    results.add(_by_rows(frame))
    slow = (time.perf_counter() - began) * 1000
    assert len(results) == 1, "the ways disagree"
    fast, queue, pairs = _medians(lambda: ours(names), lambda: _by_queue(*lists), lambda: ours(shares))
    return [
        Row(f"FIFO of {TRADES:,} trades", fast, slow, slow / fast, ">= 15x", slow >= 15 * fast, "ms", "peer: iterrows"),
        Row("the same", fast, queue, fast / queue, "<= 3.5x", fast <= 3.5 * queue, "ms",
            "peer: integers in a deque, no lots kept; ours with lots, days and buckets"),
        Row("the same as shares, pairs of the day first", pairs, queue, pairs / queue, "<= 3.5x", pairs <= 3.5 * queue,
            "ms", "peer: as above, without pairs of the day"),
    ]  # fmt: skip


def _by_queue(instruments: list[int], sells: list[bool], quantities: list[int], prices: list[int]) -> int:
    queues: dict[int, deque[list[int]]] = {}
    realised = 0
    for instrument, sell, quantity, price in zip(instruments, sells, quantities, prices, strict=True):
        queue = queues.get(instrument)
        if queue is None:
            queue = queues[instrument] = deque()
        left = -quantity if sell else quantity
        while left and queue and (queue[0][0] > 0) != (left > 0):
            head = queue[0]
            units = min(abs(head[0]), abs(left))
            realised += units * ((price - head[1]) if head[0] > 0 else (head[1] - price))
            if abs(head[0]) == units:
                queue.popleft()
            else:
                head[0] += units if head[0] < 0 else -units
            left += units if left < 0 else -units
        if left:
            queue.append([left, price])
    return realised


def _by_rows(frame: pd.DataFrame) -> int:
    queues: dict[int, deque[list[int]]] = {}
    realised = 0
    for _, row in frame.iterrows():
        queue = queues.setdefault(row["instrument"], deque())
        left, price = (-row["quantity"] if row["sells"] else row["quantity"]), row["price"]
        while left and queue and (queue[0][0] > 0) != (left > 0):
            head = queue[0]
            units = min(abs(head[0]), abs(left))
            realised += units * ((price - head[1]) if head[0] > 0 else (head[1] - price))
            if abs(head[0]) == units:
                queue.popleft()
            else:
                head[0] += units if head[0] < 0 else -units
            left += units if left < 0 else -units
        if left:
            queue.append([left, price])
    return int(realised)


# -- charges -----------------------------------------------------------------------------------------------------------


def _charges(frame: pd.DataFrame) -> list[Row]:
    columns = {name: np.asarray(frame[name]) for name in frame}
    zeros = np.zeros(TRADES, np.int64)
    _, order = np.unique(columns["order"] * (DAYS + 1) + columns["day"] - _FIRST, return_inverse=True)

    def ours() -> dict[Line, np.ndarray]:
        trades = Trades(
            columns["day"], zeros, ("NSE",), np.full(TRADES, KINDS.index(Kind.OPTION)), zeros, columns["sells"],
            columns["quantity"], columns["price"], np.ones(TRADES, np.int64), order, zeros, columns["day"] - _FIRST,
            np.arange(TRADES), np.zeros(TRADES, bool),
        )  # fmt: skip
        return charge_columns(trades).paise()

    paise = ours()
    fills = frame.groupby("order")["quantity"].transform("sum")
    began = time.perf_counter()
    plain = frame.assign(of_order=fills).apply(_one, axis=1)
    slow = (time.perf_counter() - began) * 1000
    began = time.perf_counter()
    for row in zip(*(frame[name].tolist() for name in frame), strict=True):
        _cost(row[1], row[2], row[3], row[4], row[3])
    bare = (time.perf_counter() - began) * 1000
    rated = [line for line in RATED if line is not Line.CLEARING]
    equal = all(plain.str[place].tolist() == paise[line].tolist() for place, line in enumerate(rated))
    equal &= _sample_is_exact(frame, order, paise)
    (fast,) = _medians(ours)
    return [
        Row(f"charges of {TRADES:,} trades", fast, slow, slow / fast, ">= 50x", slow >= 50 * fast, "ms",
            "peer: DataFrame.apply with decimals"),
        Row("the same", fast, bare, bare / fast, "", None, "ms", "peer: a plain loop with decimals"),
        Row("equal to decimals, to the paisa", float(equal), None, None, "yes", equal, "",
            f"every trade; brokerage and GST of {SAMPLE:,}"),
    ]  # fmt: skip


def _one(row: pd.Series) -> tuple[int, ...]:
    return _cost(int(row["day"]), bool(row["sells"]), int(row["quantity"]), int(row["price"]), int(row["of_order"]))


def _cost(day: int, sells: bool, quantity: int, price: int, of_order: int) -> tuple[int, ...]:
    """One trade, the usual way: look each rate up, multiply, round. GST and its share of the brokerage come last."""
    value = Decimal(price) / 10_000 * quantity
    on, side = day_of(day), Side.SELL if sells else Side.BUY
    lines = [
        value * STANDARD.rate(line, Kind.OPTION, "NSE", side, on).percent / 100
        for line in (Line.STT, Line.EXCHANGE, Line.IPFT, Line.SEBI, Line.STAMP)
    ]
    brokerage = STANDARD_PLAN.brokerage_of(Kind.OPTION, on).flat * quantity / of_order
    lines += [brokerage, (brokerage + lines[1] + lines[2] + lines[3]) * 18 / 100]
    return tuple(int(line.quantize(_PAISA, rounding=ROUND_HALF_UP) * 100) for line in lines)


def _sample_is_exact(frame: pd.DataFrame, order: np.ndarray, paise: dict[Line, np.ndarray]) -> bool:
    """The first trades, with whole orders, by the exact engine: brokerage and GST too."""
    whole = int(np.searchsorted(order, order[SAMPLE]))
    sides = (Side.BUY, Side.SELL)
    parts = [
        Part(f"{place:06d}", str(order[place]), day_of(day), "NSE", Kind.OPTION, sides[sells], quantity, price)
        for place, (day, sells, quantity, price) in enumerate(
            frame[["day", "sells", "quantity", "price"]].head(whole).itertuples(index=False)
        )
    ]
    exact = [lines.in_paise() for lines in charge(parts).lines]
    return all(paise[line][:whole].tolist() == [one.of(line) for one in exact] for line in LINES)


# -- all of it, from objects to groups ---------------------------------------------------------------------------------


def _whole(frame: pd.DataFrame) -> list[Row]:
    """What a page waits for once after an import: fills without doubles, lots, notes, groups, statistics."""
    fills = _fills(frame)
    rows: list[Row] = []
    began = time.perf_counter()
    book = build_book(fills)
    rows.append(_told("a book of as many fill objects", began))
    began = time.perf_counter()
    costs = costs_of(book)
    rows.append(_told("its charges, notes and shares", began))
    began = time.perf_counter()
    for by in By:
        sums_by(book, by, costs)
    rows.append(_told("its sums in ten groupings", began))
    began = time.perf_counter()
    statistics_of(closed_trades(book, costs))
    rows.append(_told("its statistics", began))
    return rows


def _fills(frame: pd.DataFrame) -> list[Fill]:
    sides = (Side.BUY, Side.SELL)
    return [
        Fill("A", f"NSE:{instrument}", str(instrument), Asset.SHARE, "NSE", sides[sells], quantity, price, day_of(day),
             f"T{place}", f"O{order}", 1_700_000_000_000 + place, "D")
        for place, (instrument, day, sells, quantity, price, order) in enumerate(frame.itertuples(index=False))
    ]  # fmt: skip


def _views(frame: pd.DataFrame) -> list[Row]:
    """What a page asks of a book that is kept, when somebody changes a filter: sums, all groupings, the table of closed
    trades with charges by line, statistics, curve, doubts, open lots."""
    began = time.perf_counter()
    kept = KeptBook.of(_fills(frame))
    kept.prepare()
    rows = [_told("a book of 100,000 fills, kept for all filters", began)]
    now = datetime(2026, 11, 20, 8, tzinfo=UTC)
    filters = [
        Filter(), Filter(segment="EQ"), Filter(bucket="short term"), Filter(symbol="7"),
        Filter(first=date(2025, 4, 1), last=date(2026, 3, 31)), Filter(first=date(2025, 1, 1)),
    ]  # fmt: skip

    def look_through(kept: KeptBook, only: Filter) -> None:
        view = PnlView(kept, only, now=now, account="A")
        for by in By:
            view.by(by)
        view.trades, view.trade_lines, view.statistics, view.curve, view.flags, view.unrealised_total  # noqa: B018

    tries: list[list[float]] = [[] for _ in filters]
    for _ in range(3):
        kept = KeptBook(kept.book)  # nothing is known of any filter
        kept.prepare()
        for only, times in zip(filters, tries, strict=True):
            began = time.perf_counter()
            look_through(kept, only)
            times.append((time.perf_counter() - began) * 1000)
    taken = [median(times) for times in tries]
    began = time.perf_counter()
    PnlView(kept, filters[0], now=now, account="A").statistics  # noqa: B018
    again = (time.perf_counter() - began) * 1000
    slowest = max(taken)
    return [
        *rows,
        Row("another filter: all figures of the view", median(taken), 300, None, "<= 300 ms", slowest <= 300, "ms",
            f"slowest of {len(filters)}: {slowest:.0f} ms"),
        Row("the same filter again", again, None, None, "", None, "ms", "shared by all who look through it"),
    ]  # fmt: skip


def _told(name: str, began: float) -> Row:
    return Row(name, (time.perf_counter() - began) * 1000, None, None, "", None, "ms", "once")


def _medians(*what: Callable[[], object]) -> list[float]:
    """Milliseconds, done in turns."""
    times: list[list[float]] = [[] for _ in what]
    for _ in range(TURNS):
        for place, do in enumerate(what):
            began = time.perf_counter()
            do()
            times[place].append((time.perf_counter() - began) * 1000)
    return [median(taken) for taken in times]

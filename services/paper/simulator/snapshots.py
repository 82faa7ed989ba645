"""From the arrays of a moment to the snapshots that the broker serves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.paper.model import Greeks, Level, MarketBar, Snapshot
from services.paper.simulator.board import Board, Moment
from services.paper.simulator.book import Book, make_book
from services.paper.simulator.option_pricing import smile, valuation
from services.paper.simulator.row_maker import RowMaker, years_to
from services.paper.simulator.rows import Row
from services.paper.simulator.texture import SECONDS, Texture
from services.paper.specs import Kind

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CALM = np.array([0.85, 0.7, 0.55, 0.4, 0.3, 0.25, 1.0])
"""By hold class: how often the spread is at its narrowest."""
_OPTION_SPREAD = 0.002
"""The narrowest spread of an option as a part of its price, from one tick up."""
_DAY_SECONDS = 22_500


def snapshots(board: Board, maker: RowMaker, texture: Texture, moment: Moment, at_ms: int) -> list[Snapshot]:
    """One snapshot for each row of `moment`."""
    rows = [board.rows[at] for at in moment.rows.tolist()]
    tick = np.array([row.tick for row in rows])
    greeks = _greeks(board, maker, moment, rows)
    sides = _sides(_book(texture, moment, rows), rows, moment.walls, tick)
    average = np.round(moment.turnover / np.maximum(moment.volume, 1) * tick, 2)
    columns = zip(
        rows,
        _rupees(moment.last, tick),
        _rupees(moment.opened, tick),
        _rupees(moment.high, tick),
        _rupees(moment.low, tick),
        moment.volume.tolist(),
        average.tolist(),
        (board.session.start_ms + 1000 * moment.traded_second).tolist(),
        moment.interest.tolist(),
        moment.interest_high.tolist(),
        moment.interest_low.tolist(),
        sides,
        _running_minutes(board, moment, tick),
        _minutes_before(board, moment, tick),
        greeks,
        strict=True,
    )
    return [_snapshot(board.session.start_ms, at_ms, *column) for column in columns]


def minute_bars(board: Board, row: Row, moment: Moment, done: Ints) -> list[MarketBar]:
    """The finished minutes `done` (see `Board.minutes`) and the running one."""
    start = board.session.start_ms
    prices = np.rint(done[:, :4] * row.tick * 1e4) / 1e4
    bars = [
        MarketBar(start + at * 60_000, *ohlc, *counts)
        for at, (ohlc, counts) in enumerate(zip(prices.tolist(), done[:, 4:].tolist(), strict=True))
    ]
    return bars + _running_minutes(board, moment, np.array([row.tick]))


def _snapshot(
    start_ms: int,
    at_ms: int,
    row: Row,
    last: float,
    opened: float,
    high: float,
    low: float,
    volume: int,
    average: float,
    traded_ms: int,
    interest: float,
    interest_high: float,
    interest_low: float,
    side: tuple[tuple[Level, ...], tuple[Level, ...], int, int, int],
    minute: MarketBar,
    last_minute: MarketBar | None,
    greeks: Greeks | None,
) -> Snapshot:
    spec = row.spec
    bids, asks, total_buy, total_sell, last_quantity = side
    traded = spec.kind is not Kind.INDEX
    open_interest = bool(spec.interest)
    return Snapshot(
        spec.listing,
        at_ms,
        last,
        opened,
        high,
        low,
        row.previous_close,
        start_ms,
        volume if traded else None,
        (min(max(average, low), high) if volume else 0.0) if traded else None,
        min(last_quantity, volume) if traded else 0,
        traded_ms,
        interest if open_interest else None,
        interest_high if open_interest else None,
        interest_low if open_interest else None,
        row.previous_interest if open_interest else None,
        row.circuits[0] if row.circuits else None,
        row.circuits[1] if row.circuits else None,
        max(high, row.year[1]),
        min(low, row.year[0]),
        total_buy if traded else None,
        total_sell if traded else None,
        bids,
        asks,
        greeks,
        minute,
        last_minute,
    )


def _book(texture: Texture, moment: Moment, rows: Sequence[Row]) -> Book:
    last = moment.last
    hold = np.array([row.hold for row in rows])
    lot = moment.lot
    option = np.array([row.spec.kind is Kind.OPTION for row in rows])
    volume = np.array([row.spec.volume for row in rows])
    width = np.where(option, np.clip(np.rint(_OPTION_SPREAD * last), 1, 6), 1).astype(np.int64)
    return make_book(
        texture,
        last=last,
        walls=moment.walls,
        second=moment.minute * SECONDS + moment.second,
        mark=np.array([row.mark for row in rows]),
        calm=_CALM[hold],
        width=width,
        step=np.where(option, np.clip(width // 2, 1, 3), 1 + (hold > 3)),
        base=np.maximum(volume / _DAY_SECONDS * 2.0, lot),
        lot=lot,
    )


def _sides(
    book: Book, rows: Sequence[Row], walls: Ints, tick: Floats
) -> list[tuple[tuple[Level, ...], tuple[Level, ...], int, int, int]]:
    """Bids, offers, totals and last quantity of each row; nothing for an index, no level beyond the circuit limits."""
    bid = (np.rint(book.bid * tick[:, None] * 1e4) / 1e4).tolist()
    ask = (np.rint(book.ask * tick[:, None] * 1e4) / 1e4).tolist()
    bid_quantity, bid_orders = book.bid_quantity.tolist(), book.bid_orders.tolist()
    ask_quantity, ask_orders = book.ask_quantity.tolist(), book.ask_orders.tolist()
    whole = ((book.bid[:, -1] >= walls[:, 0]) & (book.ask[:, -1] <= walls[:, 1])).tolist()
    totals = zip(book.total_bid.tolist(), book.total_ask.tolist(), book.last_quantity.tolist(), strict=True)
    found = []
    for at, (row, (total_bid, total_ask, last)) in enumerate(zip(rows, totals, strict=True)):
        if row.spec.kind is Kind.INDEX:
            found.append(_NO_BOOK)
            continue
        bids = tuple(map(Level, bid[at], bid_quantity[at], bid_orders[at]))
        asks = tuple(map(Level, ask[at], ask_quantity[at], ask_orders[at]))
        if not whole[at]:
            low, high = (limit * row.tick for limit in row.walls)
            bids = tuple(level for level in bids if level.price > low - row.tick / 2)
            asks = tuple(level for level in asks if level.price < high + row.tick / 2)
        found.append((bids, asks, total_bid if bids else 0, total_ask if asks else 0, last))
    return found


_NO_BOOK: tuple[tuple[Level, ...], tuple[Level, ...], int, int, int] = ((), (), 0, 0, 0)


def _greeks(board: Board, maker: RowMaker, moment: Moment, rows: Sequence[Row]) -> list[Greeks | None]:
    found: list[Greeks | None] = [None] * len(rows)
    options = [at for at, row in enumerate(rows) if row.spec.kind is Kind.OPTION]
    if not options:
        return found
    ours = [rows[at] for at in options]
    minute, second = moment.minute[options], moment.second[options]
    now_ms = board.session.start_ms + 1000.0 * (minute * SECONDS + second)
    spot = maker.spots(ours, minute, second)
    level = maker.levels(ours, minute)
    strike = np.array([row.spec.strike for row in ours])
    years = years_to([row.ends_ms for row in ours], now_ms)
    carry = np.array([row.carry for row in ours])
    implied = smile(level, spot, strike, years, carry)
    worth = valuation(spot, strike, years, implied, carry, np.array([row.spec.right for row in ours]))
    columns = zip(
        np.round(implied, 4).tolist(), np.round(worth.delta, 4).tolist(), np.round(worth.gamma, 6).tolist(),
        np.round(worth.theta, 4).tolist(), np.round(worth.vega, 4).tolist(), np.round(worth.pop, 2).tolist(),
        np.round(worth.rho, 4).tolist(),
        strict=True,
    )  # fmt: skip
    for at, values in zip(options, columns, strict=True):
        found[at] = Greeks(*values)
    return found


def _running_minutes(board: Board, moment: Moment, tick: Floats) -> list[MarketBar]:
    return _bars(
        board, moment.minute, tick,
        (moment.minute_open, moment.minute_high, moment.minute_low, moment.last), moment.minute_volume, moment.interest,
    )  # fmt: skip


def _minutes_before(board: Board, moment: Moment, tick: Floats) -> list[MarketBar | None]:
    *prices, volume, interest = moment.before
    bars = _bars(board, moment.minute - 1, tick, prices, volume, interest)
    return [bar if minute else None for bar, minute in zip(bars, moment.minute.tolist(), strict=True)]


def _bars(
    board: Board, minute: Ints, tick: Floats, prices: Sequence[Ints], volume: Ints, interest: Floats
) -> list[MarketBar]:
    start = (board.session.start_ms + minute * 60_000).tolist()
    columns = (_rupees(price, tick) for price in prices)
    return list(map(MarketBar, start, *columns, volume.tolist(), interest.astype(np.int64).tolist()))


def _rupees(ticks: Ints, tick: Floats) -> list[float]:
    found: list[float] = (np.rint(ticks * tick * 1e4) / 1e4).tolist()
    return found

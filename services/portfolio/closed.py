"""Closed trades and their sums, in whatever grouping: parts add up to the whole, because they are integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np

from services.portfolio.charges.kinds import LINES, Line
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.costs import Costs
from services.portfolio.lots.book import Book, base_symbol
from services.portfolio.lots.fills import Asset, Fill, Flags, Ints, day_of
from services.portfolio.lots.terms import BUCKETS, Bucket
from services.portfolio.statistics import ClosedTrade

_UNITS_OF_PAISA = 100
_PARTS_OF_A_CONTRACT = 5
ALL = "all"


class By(StrEnum):
    """Ways to group what was closed. Days, months and years are those of the closing."""

    ACCOUNT = "account"
    SYMBOL = "symbol"
    UNDERLYING = "underlying"
    """Contracts by what they are written on, beside the shares themselves."""
    SEGMENT = "segment"
    PRODUCT = "product"
    DAY = "day"
    MONTH = "month"
    YEAR = "financial year"
    BUCKET = "bucket"
    EXCHANGE = "exchange"


SEGMENTS = {
    Asset.SHARE: "EQ", Asset.FUND: "EQ", Asset.UNTAXED_FUND: "EQ", Asset.FUTURE: "FO", Asset.OPTION: "FO",
    Asset.COMMODITY_FUTURE: "COM", Asset.COMMODITY_OPTION: "COM", Asset.CURRENCY_FUTURE: "CD",
    Asset.CURRENCY_OPTION: "CD",
}  # fmt: skip
"""In the broker's words."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What was closed, in one group. Amounts in paise; `gross` before charges. Values are rounded as late as possible:
    a group's `gross` is the rounded sum of exact gains."""

    label: str
    matches: int
    bought: int
    """In ten-thousandths of a rupee, as `sold` and `gain`."""
    sold: int
    gain: int
    charges: PaiseLines
    unpriced: int
    """Matches of which a part of the charges is not known: `charges` and `net` leave it out, and say so."""
    turnover: int
    """Sum of the absolute gains of trades, in ten-thousandths of a rupee: the turnover for a tax audit of business
    income. Of delivery it is the value sold. Scrip by scrip it would be less."""

    @property
    def gross(self) -> int:
        return _paise(self.gain)

    @property
    def net(self) -> int:
        return self.gross - self.charges.total


def financial_year(day: date) -> str:
    """`2024-25` for 1 April 2024 to 31 March 2025."""
    first = day.year if day.month >= 4 else day.year - 1
    return f"{first}-{(first + 1) % 100:02d}"


def underlying_of(book: Book, series: int) -> str:
    """What a contract is written on, as far as its identity tells (`contract_identity`); of a share its symbol."""
    parts = book.matched.names[series].instrument.split(":")
    return parts[1] if len(parts) == _PARTS_OF_A_CONTRACT else base_symbol(book.symbols[series])


def codes_by(book: Book, by: By) -> tuple[list[str], Ints]:
    """The labels of a grouping, sorted, and for each match the number of its own."""
    closed = book.matched.matches
    when = closing_day(book)
    match by:
        case By.DAY:
            return _labelled(when, lambda number: day_of(number).isoformat())
        case By.MONTH:
            return _labelled(when, lambda number: f"{day_of(number):%Y-%m}")
        case By.YEAR:
            return _labelled(when, lambda number: financial_year(day_of(number)))
        case By.BUCKET:
            return _labelled(book.bucket, lambda number: BUCKETS[number].value)
        case By.SYMBOL:
            return _labelled(closed.series, lambda number: base_symbol(book.symbols[number]))
        case By.UNDERLYING:
            return _labelled(closed.series, lambda number: underlying_of(book, number))
        case By.ACCOUNT:
            return _labelled(closed.series, lambda number: book.matched.names[number].account)
        case By.SEGMENT:
            return _labelled(closed.series, lambda number: SEGMENTS[book.matched.names[number].asset])
        case By.PRODUCT:
            return _of_closing_fill(book, lambda fill: fill.product or "?")
        case By.EXCHANGE:
            return _of_closing_fill(book, lambda fill: fill.exchange)


def closing_fill(book: Book) -> Ints:
    """The place of the fill that closed each match: the later one."""
    closed = book.matched.matches
    return np.where(closed.long, closed.sell, closed.buy)


def closing_day(book: Book) -> Ints:
    """Days since 1970-01-01."""
    closed = book.matched.matches
    return np.where(closed.long, closed.sell_day, closed.buy_day)


def sums_by(book: Book, by: By, costs: Costs | None = None, only: Flags | None = None) -> list[Sums]:
    """What was closed, by group, in the order of the labels. `only`: which matches count."""
    labels, codes = codes_by(book, by)
    return sums_of(book, labels, codes, costs, only)


def total_of(book: Book, costs: Costs | None = None, only: Flags | None = None) -> Sums:
    """All that was closed, as one group."""
    sums = sums_of(book, [ALL], np.zeros(len(book.matched.matches), np.int64), costs, only)
    return sums[0] if sums else nothing_closed(ALL)


def closed_trades(book: Book, costs: Costs | None = None, only: Flags | None = None) -> list[ClosedTrade]:
    """One for each closing order, account, instrument and day: net of charges where `costs` are given."""
    closed, rows = book.matched.matches, book.fills.rows
    if len(closed) == 0:
        return []
    ending, opening = closing_fill(book), np.where(closed.long, closed.buy, closed.sell)
    orders: dict[tuple[str, str], int] = {}
    order = np.array(
        [orders.setdefault((fill.account, fill.order_id or fill.trade_id), len(orders)) for fill in rows], np.int64
    )
    day = closing_day(book)
    opened_day = np.where(closed.long, closed.buy_day, closed.sell_day)
    places = np.arange(len(closed)) if only is None else np.flatnonzero(only)
    if len(places) == 0:
        return []
    ending, opening = ending[places], opening[places]
    joined = (day[places] * len(book.matched.names) + closed.series[places]) * (len(orders) + 1) + order[ending]
    _, first, codes = np.unique(joined, return_index=True, return_inverse=True)
    groups = len(first)
    gains = _added(closed.realised[places], codes, groups)
    charges = np.zeros(groups, np.int64)
    if costs is not None:
        for line in LINES:
            charges += _added(costs.matches[line][places], codes, groups)
    quantity = _added(closed.quantity[places], codes, groups)
    days = _added((day - opened_day)[places] * closed.quantity[places], codes, groups)
    at = np.array([-1 if fill.at_ms is None else fill.at_ms for fill in rows], np.int64)
    timed = (at[ending] >= 0) & (at[opening] >= 0)
    untimed = np.zeros(groups, bool)
    untimed[codes[~timed]] = True
    seconds = _added((at[ending] - at[opening]) // 1000 * closed.quantity[places], codes, groups)
    last = np.zeros(groups, np.int64)
    np.maximum.at(last, codes, ending)
    return [
        ClosedTrade(
            _paise(int(gains[one])) - int(charges[one]),
            day_of(int(day[places[first[one]]])),
            int(days[one]) // int(quantity[one]),
            None if untimed[one] else int(seconds[one]) // int(quantity[one]) * 1000,
            int(last[one]),
        )
        for one in range(groups)
    ]


def nothing_closed(label: str) -> Sums:
    """The sums of no match at all."""
    return Sums(label, 0, 0, 0, 0, PaiseLines(), 0, 0)


def sums_of(book: Book, labels: list[str], codes: Ints, costs: Costs | None, only: Flags | None) -> list[Sums]:
    """The sums of groups that are numbered already (`codes_by`), for whoever asks again and again."""
    closed = book.matched.matches
    chosen = np.arange(len(closed)) if only is None else np.flatnonzero(only)
    groups, own = len(labels), codes[chosen]
    bought, sold = (_added(one[chosen], own, groups) for one in (closed.buy_value, closed.sell_value))
    count = _added(np.ones(len(chosen), np.int64), own, groups)
    by_value = np.isin(book.bucket, [BUCKETS.index(Bucket.SHORT_TERM), BUCKETS.index(Bucket.LONG_TERM)])
    turnover = _added(np.where(by_value, closed.sell_value, np.abs(closed.realised))[chosen], own, groups)
    charges: dict[Line, Ints] = {
        line: np.zeros(groups, np.int64) if costs is None else _added(costs.matches[line][chosen], own, groups)
        for line in LINES
    }
    unpriced = np.zeros(groups, np.int64)
    if costs is not None:
        unpriced = _added(costs.incomplete[chosen].astype(np.int64), own, groups)
    return [
        Sums(
            label, int(count[place]), int(bought[place]), int(sold[place]), int(sold[place] - bought[place]),
            PaiseLines(*(int(charges[line][place]) for line in LINES)), int(unpriced[place]),
            int(turnover[place]),
        )
        for place, label in enumerate(labels)
        if count[place] or only is None
    ]  # fmt: skip


def _labelled(numbers: Ints, label: Callable[[int], str]) -> tuple[list[str], Ints]:
    values, inverse = np.unique(numbers, return_inverse=True)
    names = [label(int(value)) for value in values]
    labels = sorted(set(names))
    places = {name: place for place, name in enumerate(labels)}
    return labels, np.array([places[name] for name in names], np.int64)[inverse.reshape(-1)]


def _of_closing_fill(book: Book, label: Callable[[Fill], str]) -> tuple[list[str], Ints]:
    names = [label(fill) for fill in book.fills.rows]
    labels = sorted(set(names))
    places = {name: place for place, name in enumerate(labels)}
    return labels, np.array([places[name] for name in names], np.int64)[closing_fill(book)]


def _added(values: Ints, codes: Ints, groups: int) -> Ints:
    sums = np.zeros(groups, np.int64)
    np.add.at(sums, codes, values)
    return sums


def _paise(units: int) -> int:
    half = _UNITS_OF_PAISA // 2
    return (units + half) // _UNITS_OF_PAISA if units >= 0 else -((-units + half) // _UNITS_OF_PAISA)

"""The book of lots of all accounts: what was closed at what gain, what is open, and what cannot be known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np

from services.domain.orders import Side
from services.portfolio.lots.actions import Action
from services.portfolio.lots.fills import Conflict, Fill, Fills, Ints, unique
from services.portfolio.lots.matching import Matched, match
from services.portfolio.lots.terms import buckets

_SERIES_SUFFIX = re.compile(r"-(?:EQ|BE|BZ|BL|SM|ST|RR|IV|T0)$")


class Cause(StrEnum):
    """Why figures of an instrument are not the whole truth."""

    BOUGHT_BEFORE = "bought before the book begins"
    ISIN_CHANGED = "a split or another reorganisation under a new ISIN is missing"
    RENAMED = "renamed"
    """For information: one ISIN under several symbols; the figures hold."""
    EXPIRED = "expired, and nobody told at what price"
    TOLD_TWICE = "told twice, and not alike"
    FRACTION = "a fraction of a share was paid out, and nobody told how much"

    @property
    def doubtful(self) -> bool:
        """Do the figures hang on it?"""
        return self is not Cause.RENAMED


@dataclass(frozen=True, slots=True)
class Flag:
    """What is not known of one instrument in one account."""

    account: str
    instrument: str
    symbol: str
    cause: Cause
    quantity: int
    words: str


@dataclass(frozen=True, slots=True)
class Book:
    """The result of the matching. Places in `matched` are those of `fills`."""

    fills: Fills
    matched: Matched
    bucket: Ints
    """Of each match, as a number of `BUCKETS`."""
    flags: tuple[Flag, ...]
    symbols: tuple[str, ...]
    """The latest symbol of each series."""
    as_of: date | None = None
    """The running day, on which an intraday product may still be closed."""

    def doubtful(self) -> frozenset[int]:
        """Series of which a part is unknown: their realised gains are those of the known part."""
        named = {(flag.account, flag.instrument) for flag in self.flags if flag.cause.doubtful}
        names = enumerate(self.matched.names)
        return frozenset(place for place, name in names if (name.account, name.instrument) in named)


def build_book(
    fills: Iterable[Fill],
    actions: Iterable[Action] = (),
    *,
    settlements: Mapping[str, int] | None = None,
    as_of: date | None = None,
) -> Book:
    """The book of `fills`, in whatever order and however often they are told.

    `settlements`: by contract, the price (ten-thousandths of a rupee; of an option its intrinsic value) at which what
    was open at its expiry was settled. `as_of`, the running day: contracts that expired before it and were not settled
    are flagged, and what was traded on it in an intraday product stays open until it is closed.
    """
    taken, conflicts = unique(fills)
    closing = _settled(taken, settlements or {})
    if closing:
        taken, _ = unique([*taken, *closing])
    columns = Fills.of(taken)
    matched = match(columns, list(actions), today=as_of)
    closed = matched.matches
    assets = [name.asset for name in matched.names]
    bucket = buckets(assets, closed.series, closed.same_day, closed.buy_day, closed.sell_day)
    symbols = _symbols(taken, matched)
    flags = _Flags(taken, matched, symbols)
    return Book(columns, matched, bucket, flags.all(conflicts, as_of), symbols, as_of)


def _settled(fills: list[Fill], prices: Mapping[str, int]) -> list[Fill]:
    """What closes contracts that were open at their expiry, at the price they were settled at."""
    net: dict[tuple[str, str], tuple[int, Fill]] = {}
    for fill in fills:
        if fill.expiry is not None and fill.instrument in prices:
            key = (fill.account, fill.instrument)
            held, _ = net.get(key, (0, fill))
            net[key] = (held + fill.side.sign * fill.quantity, fill)
    closing: list[Fill] = []
    for (account, instrument), (held, last) in net.items():
        if held and last.expiry is not None:
            side = Side.SELL if held > 0 else Side.BUY
            closing.append(
                Fill(
                    account, instrument, last.symbol, last.asset, last.exchange, side, abs(held), prices[instrument],
                    max(last.expiry, last.day), f"settled {instrument}", f"settled {instrument}", None, last.product,
                    last.multiplier, last.group, last.expiry, settled=True,
                )
            )  # fmt: skip
    return closing


def _symbols(fills: list[Fill], matched: Matched) -> tuple[str, ...]:
    latest = {(fill.account, fill.instrument): fill.symbol for fill in fills}
    return tuple(latest.get((name.account, name.instrument), name.instrument) for name in matched.names)


def base_symbol(symbol: str) -> str:
    """Without the exchange's series: `HSCL-BE` is HSCL."""
    return _SERIES_SUFFIX.sub("", symbol)


class _Flags:
    def __init__(self, fills: list[Fill], matched: Matched, symbols: tuple[str, ...]) -> None:
        self._fills, self._matched, self._symbols = fills, matched, symbols
        self._open = self._held()

    def all(self, conflicts: list[Conflict], as_of: date | None) -> tuple[Flag, ...]:
        flags = [*self._unexplained(), *self._renamed(), *self._expired(as_of), *self._fractions()]
        for conflict in conflicts:
            kept, dropped = conflict.kept, conflict.dropped
            words = (
                f"trade {kept.trade_id} of {kept.day:%Y-%m-%d} is told as {kept.quantity} at {kept.price / 10_000:g} "
                f"and as {dropped.quantity} at {dropped.price / 10_000:g}; the first counts"
            )
            flags.append(Flag(kept.account, kept.instrument, kept.symbol, Cause.TOLD_TWICE, kept.quantity, words))
        return tuple(sorted(flags, key=lambda flag: (flag.account, flag.symbol, flag.instrument, flag.cause)))

    def _flag(self, series: int, cause: Cause, quantity: int, words: str) -> Flag:
        name = self._matched.names[series]
        return Flag(name.account, name.instrument, self._symbols[series], cause, quantity, words)

    def _held(self) -> dict[int, int]:
        """Units open, bought less sold short, by series."""
        items = self._matched.open
        held: dict[int, int] = {}
        columns = zip(items.series.tolist(), items.sells.tolist(), items.quantity.tolist(), strict=True)
        for series, sells, quantity in columns:
            held[series] = held.get(series, 0) + (-quantity if sells else quantity)
        return held

    def _unexplained(self) -> Iterable[Flag]:
        table = self._matched.unexplained
        begins: dict[str, date] = {}
        for fill in self._fills:
            begins.setdefault(fill.account, fill.day)  # fills come in the order of time
        for series in np.unique(table.series).tolist():
            quantity = int(table.quantity[table.series == series].sum())
            other = self._same_symbol(series)
            if other is not None:
                held = self._open[other]
                named = self._matched.names[other].instrument
                words = (
                    f"{quantity} sold that were never bought under this ISIN, while {held} bought as {named} are still "
                    f"open: enter the split or reorganisation"
                )
                yield self._flag(series, Cause.ISIN_CHANGED, quantity, words)
                yield self._flag(other, Cause.ISIN_CHANGED, held, words)
            else:
                first = begins[self._matched.names[series].account]
                words = (
                    f"{quantity} sold of which no purchase is in the book: bought before it begins ({first:%Y-%m-%d}), "
                    "or come by a corporate action, a transfer or an allotment; enter them"
                )
                yield self._flag(series, Cause.BOUGHT_BEFORE, quantity, words)

    def _same_symbol(self, series: int) -> int | None:
        """Another ISIN of the same symbol and account with shares that are still open."""
        name, symbol = self._matched.names[series], base_symbol(self._symbols[series])
        for other, held in self._open.items():
            beside = self._matched.names[other]
            if (
                other != series
                and held > 0
                and beside.account == name.account
                and beside.asset.delivered
                and base_symbol(self._symbols[other]) == symbol
            ):
                return other
        return None

    def _renamed(self) -> Iterable[Flag]:
        told: dict[tuple[str, str], set[str]] = {}
        for account, instrument, symbol in {(fill.account, fill.instrument, fill.symbol) for fill in self._fills}:
            told.setdefault((account, instrument), set()).add(base_symbol(symbol))
        delivered = {(name.account, name.instrument) for name in self._matched.names if name.asset.delivered}
        for (account, instrument), symbols in told.items():
            if len(symbols) > 1 and (account, instrument) in delivered:
                words = f"one ISIN under the symbols {', '.join(sorted(symbols))}: matched as one"
                latest = next(
                    symbol
                    for name, symbol in zip(self._matched.names, self._symbols, strict=True)
                    if (name.account, name.instrument) == (account, instrument)
                )
                yield Flag(account, instrument, latest, Cause.RENAMED, 0, words)

    def _expired(self, as_of: date | None) -> Iterable[Flag]:
        if as_of is None:
            return
        expiry = {(fill.account, fill.instrument): fill.expiry for fill in self._fills if fill.expiry is not None}
        for series, held in self._open.items():
            name = self._matched.names[series]
            day = expiry.get((name.account, name.instrument))
            if held and day is not None and day < as_of:
                words = f"{held} were open at the expiry on {day:%Y-%m-%d}: enter the price they were settled at"
                yield self._flag(series, Cause.EXPIRED, held, words)

    def _fractions(self) -> Iterable[Flag]:
        for left in self._matched.left:
            words = (
                f"{left.units} of a share, bought for {left.cost / 10_000:.2f}, cannot be held after the corporate "
                "action: it was paid out in cash"
            )
            yield self._flag(left.series, Cause.FRACTION, 0, words)

"""Positions and holdings marked to market: what they are worth at a price, and how that compares with the broker.

Every figure here is a straight line in the price, so it is kept as one: two exact numbers, from which a screen may go
on computing as prices come, and which add up to sums that move with each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

from services.domain.orders import ZERO
from services.domain.positions import Holding, Position, day_pnl, holding_pnl, position_pnl, sellable
from services.domain.quotes import FROM_FEED

ONE, PAISA = Decimal(1), Decimal("0.01")


class PriceFrom(StrEnum):
    """Who told a price."""

    FEED = "feed"
    """The live feed: while it lives, its last word is current however old it is."""
    QUOTE = "quote"
    """A request of the desk's quote book."""
    BROKER = "broker"
    """The broker, beside the position: no quote of it is known."""
    NOBODY = ""


@dataclass(frozen=True, slots=True)
class Price:
    """A price in rupees, when it came to the desk (aware, UTC) and who told it. `ltp` is `None` if nobody did."""

    ltp: Decimal | None = None
    at: datetime | None = None
    told_by: PriceFrom = PriceFrom.NOBODY


@dataclass(frozen=True, slots=True)
class Line:
    """A figure in rupees that is `at_zero` at a price of nothing and rises by `slope` with each rupee."""

    at_zero: Decimal
    slope: Decimal

    def at(self, price: Decimal) -> Decimal:
        return self.at_zero + self.slope * price

    @classmethod
    def of(cls, figure: Callable[[Decimal], Decimal]) -> Line:
        """The line of which `figure` tells every point."""
        at_zero = figure(ZERO)
        return cls(at_zero, figure(ONE) - at_zero)


@dataclass(frozen=True, slots=True)
class MarkedPosition:
    """One position at the price that is known of it now. Money in rupees, exact, before charges; `None` = it cannot be
    told."""

    position: Position
    price: Price
    average: Decimal | None
    """What the open side was entered at; `None` when closed or not to be found out."""
    total: Line | None
    """Profit since entry, realised and open, by the price."""
    open: Line | None
    """The open part of it."""
    today: Line | None
    """What today brought: what was carried is measured from yesterday's close."""
    realised: Decimal | None
    """To the paisa, so that it and the open part come to the whole as they are written."""

    @property
    def is_open(self) -> bool:
        return self.position.is_open

    @property
    def pnl(self) -> Decimal | None:
        return _at(self.total, self.price)

    @property
    def pnl_today(self) -> Decimal | None:
        return _at(self.today, self.price)

    @property
    def unrealised(self) -> Decimal | None:
        return _at(self.open, self.price)

    @property
    def difference(self) -> Decimal | None:
        """Our profit less the broker's, which it told at a price of its own."""
        return _less(self.pnl, self.position.pnl)

    @property
    def unexplained(self) -> Decimal | None:
        """What is left of the difference at the broker's own price: nothing, while both count alike."""
        return _unexplained(self.total, self.position.last_price, self.position.pnl)


@dataclass(frozen=True, slots=True)
class MarkedHolding:
    """One holding at the price that is known of it now; otherwise as a position."""

    holding: Holding
    price: Price
    invested: Decimal | None
    worth: Line
    """By the price."""
    total: Line | None
    """Profit since purchase."""
    today: Line | None
    """Change of its worth since yesterday's close."""

    @property
    def sellable(self) -> int:
        return sellable(self.holding)

    @property
    def value(self) -> Decimal | None:
        return _at(self.worth, self.price)

    @property
    def pnl(self) -> Decimal | None:
        return _at(self.total, self.price)

    @property
    def pnl_today(self) -> Decimal | None:
        return _at(self.today, self.price)

    @property
    def difference(self) -> Decimal | None:
        return _less(self.pnl, self.holding.pnl)

    @property
    def unexplained(self) -> Decimal | None:
        return _unexplained(self.total, self.holding.last_price, self.holding.pnl)


@dataclass(frozen=True, slots=True)
class PositionLines:
    """What of a position does not change with the price: worked out once for each answer of the broker."""

    position: Position
    average: Decimal | None
    total: Line | None
    open: Line | None
    today: Line | None
    realised: Decimal | None

    @classmethod
    def of(cls, position: Position) -> PositionLines:
        average = position.entry_price
        if position.quantity == position.bought - position.sold:
            total: Line | None = _total(position)
            realised: Decimal | None = position_pnl(position, ZERO).realised.quantize(PAISA, ROUND_HALF_UP)
        else:  # what was bought and sold does not come to what is held: its cost is not known from that
            average = position.average_price
            total, realised = _by_average(position, average), None
        opened = None if total is None or realised is None else Line(total.at_zero - realised, total.slope)
        return cls(position, average, total, opened, _today(position), realised)

    def at(self, row: Mapping[str, Any] | None, told_at: datetime | None) -> MarkedPosition:
        """The position at the price of its quote `row`; without one at the price that the broker told with it at
        `told_at`. (Any: a quote's members are of several types.)"""
        price = _price(row, self.position.last_price, told_at)
        return MarkedPosition(self.position, price, self.average, self.total, self.open, self.today, self.realised)


@dataclass(frozen=True, slots=True)
class HoldingLines:
    """The same of a holding."""

    holding: Holding
    invested: Decimal | None
    worth: Line
    total: Line | None
    today: Line | None

    @classmethod
    def of(cls, holding: Holding) -> HoldingLines:
        average, close, units = holding.average_price, holding.close_price, Decimal(holding.quantity)
        return cls(
            holding,
            invested=None if average is None else average * units,
            worth=Line(ZERO, units),
            total=None if average is None else Line.of(lambda ltp: _known(holding_pnl(holding, ltp))),
            today=None if close is None else Line(-close * units, units),
        )

    def at(self, row: Mapping[str, Any] | None, told_at: datetime | None) -> MarkedHolding:
        """As of a position."""
        price = _price(row, self.holding.last_price, told_at)
        return MarkedHolding(self.holding, price, self.invested, self.worth, self.total, self.today)


def mark_position(position: Position, row: Mapping[str, Any] | None, told_at: datetime | None) -> MarkedPosition:
    """One position at the price of now: see `PositionLines.at`."""
    return PositionLines.of(position).at(row, told_at)


def mark_holding(holding: Holding, row: Mapping[str, Any] | None, told_at: datetime | None) -> MarkedHolding:
    """As `mark_position`."""
    return HoldingLines.of(holding).at(row, told_at)


def _price(row: Mapping[str, Any] | None, told: Decimal | None, told_at: datetime | None) -> Price:
    if row is not None and row["ltp"]:
        who = PriceFrom.FEED if row["api_version"] == FROM_FEED else PriceFrom.QUOTE
        return Price(Decimal(repr(row["ltp"])), row["received_at"], who)
    if told is not None and told > 0:
        return Price(told, told_at, PriceFrom.BROKER)
    return Price()


def _total(position: Position) -> Line:
    """All that was taken in, less all that was paid, and what is held at the price: exact, where averages are not."""
    taken = position.sold_amount - position.bought_amount
    return Line(taken * position.multiplier, position.quantity * position.multiplier)


def _by_average(position: Position, average: Decimal | None) -> Line | None:
    if average is None:
        return None
    slope = position.quantity * position.multiplier
    return Line(-average * slope, slope)


def _today(position: Position) -> Line | None:
    if day_pnl(position, ZERO) is None:
        return None
    return Line.of(lambda ltp: _known(day_pnl(position, ltp)))


def _at(line: Line | None, price: Price) -> Decimal | None:
    """A figure that no price moves needs none."""
    if line is None or (price.ltp is None and line.slope):
        return None
    return line.at(price.ltp or ZERO)


def _less(ours: Decimal | None, told: Decimal | None) -> Decimal | None:
    return None if ours is None or told is None else ours - told


def _unexplained(total: Line | None, price: Decimal | None, told: Decimal | None) -> Decimal | None:
    if total is None or told is None or (total.slope and (price is None or price <= 0)):
        return None
    return total.at(price or ZERO) - told


def _known(figure: Decimal | None) -> Decimal:
    assert figure is not None  # asked only where it can be told
    return figure

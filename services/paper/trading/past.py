"""Trades of earlier days: an account that has already traded when somebody looks at it for the first time.

What is booked here goes the same way as any order: its fills move positions and money, its day ends with charges,
deliveries and expiries. Only the market is left out: orders are filled at the prices that are given.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from services.domain.orders import Product, Status
from services.paper.envelope import refusal
from services.paper.model import Market
from services.paper.trading.desk import OPENING_PAISE, Past, TradingDesk
from services.paper.trading.instruments import Instrument
from services.paper.trading.making import exchange_id, new_order
from services.paper.trading.order_values import Order, Wanted
from services.paper.trading.store import TradingStore
from services.paper.trading.timing import TradingHours
from services.paper.trading.work import Published, Work


@dataclass(frozen=True, slots=True)
class PastOrder:
    """An order that was filled at `at`: all of it at its own price, or in `portions` (quantity, price)."""

    at: datetime
    wanted: Wanted
    portions: tuple[tuple[int, int], ...] = ()


def past_of(market: Market, hours: TradingHours, since: datetime, orders: Iterable[PastOrder]) -> Past:
    """A past in which `orders` (in the order of time, none before `since`) were filled."""
    return Past(since, lambda store: PastDesk(store, market, hours, since).book(orders))


class Pointer:
    """A clock that stands where it is put."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant


class PastDesk(TradingDesk):
    """A desk in the past: works off the days of the account in `store` from `since` on, and tells nobody."""

    def __init__(
        self,
        store: TradingStore,
        market: Market,
        hours: TradingHours,
        since: datetime,
        *,
        opening_paise: int = OPENING_PAISE,
    ) -> None:
        self.pointer = Pointer(since)
        super().__init__(store, market, self.pointer, hours, _nobody, mcx_open=True, opening_paise=opening_paise)
        self._exchange.estimates = False

    def go(self, to: datetime) -> None:
        """Let the account go on to that instant."""
        self.pointer.instant = to
        self.advance()

    def book(self, orders: Iterable[PastOrder]) -> int:
        """Book `orders`, which must come in the order of time; returns the number of fills. What was booked of earlier
        days stays where a later one raises `BrokerError`: an unknown instrument, or shares sold that are not there."""
        fills = 0
        for _, day in groupby(orders, lambda order: self._hours.today(order.at)):
            first, *more = day
            self.go(first.at)
            with self.transaction() as work:
                for order in (first, *more):
                    fills += self._filled(work, order)
                    self._now = order.at
        return fills

    def _filled(self, work: Work, past: PastOrder) -> int:
        wanted = past.wanted
        instrument = self._floor.instrument(wanted.key, past.at)
        if instrument is None:
            raise refusal("UDAPI100011", property_path="instrument_token", invalid_value=wanted.key)
        if instrument.share and not wanted.buys and wanted.product != Product.INTRADAY:
            free = self._treasury.sellable(work, wanted.key, wanted.product)
            if free < wanted.quantity:
                told = f"{past.at:%Y-%m-%d %H:%M}: {wanted.quantity} shares sold, {free} are there"
                raise refusal("UDAPI100036", property_path="quantity", message=told)
        order = self._opened(work, past, instrument)
        portions = past.portions or ((wanted.quantity, wanted.price),)
        for quantity, price in portions:
            order = self._exchange.settle(work, order, instrument, price, past.at, quantity)
        return len(portions)

    def _opened(self, work: Work, past: PastOrder, instrument: Instrument) -> Order:
        """The order on its way to its first fill. Nobody asks for the steps between any more."""
        received = work.record(new_order(work, past.wanted, past.wanted.quantity, instrument, past.at, ""))
        at_exchange = {"exchange_id": exchange_id(work, received), "exchange_ms": received.placed_ms}
        return replace(received, status=Status.OPEN.value, **at_exchange)  # type: ignore[arg-type]  # of many kinds


def _nobody(_kind: str, _value: Published) -> None:
    """What happened long ago is no news."""

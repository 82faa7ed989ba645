"""A practice account with a past: what somebody might have traded on the days before, at the market's own prices.

Shares are bought and kept for days, shares are traded within the day, and one lot of the next index future or option at
a time, long and short. Which and when is left to chance, the same for the same number; nobody claims that it is clever.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from services.domain.clock import IST
from services.domain.orders import OrderType, Product
from services.domain.phases import Listing as Hours
from services.domain.phases import Market as Exchange
from services.domain.phases import Phase
from services.paper.model import Bars, Listing, Market, MarketBar, Snapshot
from services.paper.sessions import Sessions
from services.paper.trading.instruments import Instrument, instrument_of
from services.paper.trading.order_values import Wanted
from services.paper.trading.past import PastOrder
from services.paper.trading.values import units

MOST_DAYS = 250
_BUDGET = 40_000
"""Rupees in one trade in shares."""
_KEPT = 10
"""Purchases that are held at the same time."""
_FIRST, _LAST = time(9, 30), time(14, 45)
_NORMAL_OPEN = time(9, 15)
_INDICES = frozenset({"NIFTY", "BANKNIFTY", "SENSEX"})
_LIQUID = (
    "RELIANCE", "HDFCBANK", "ICICIBANK", "INFY", "TCS", "ITC", "SBIN", "BHARTIARTL", "LT", "AXISBANK", "TATAMOTORS",
    "SUNPHARMA", "MARUTI", "WIPRO", "TATASTEEL", "HINDUNILVR",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Planned:
    at: datetime
    key: str
    buys: bool
    quantity: int
    product: str


def trading_days(sessions: Sessions, before: date, count: int) -> list[date]:
    """The last `count` ordinary days of the National Stock Exchange before `before`, the oldest first; fewer, where its
    calendar does not go further back."""
    found: list[date] = []
    day = before
    for _ in range(2 * count + 30):
        day -= timedelta(days=1)
        if any(
            one.phase is Phase.OPEN and one.start.astimezone(IST).time() == _NORMAL_OPEN
            for one in sessions.windows(Exchange.NSE, day, Hours.ORDINARY)
        ):
            found.append(day)
            if len(found) == count:
                break
    return found[::-1]


class SeenMarket:
    """The market as far as it was traded in: what an account's past needs of it, without a second look at every day."""

    source = "simulated"

    def __init__(self, market: Market) -> None:
        self._market = market
        self._seen: dict[str, Listing] = {}

    def see(self, listing: Listing) -> None:
        self._seen[listing.key] = listing

    def listings(self, at: datetime) -> Mapping[str, Listing]:
        return self._seen

    def snapshots(self, keys: Iterable[str], at: datetime) -> list[Snapshot]:
        return self._market.snapshots(keys, at)

    def minute_bars(self, key: str, at: datetime) -> list[MarketBar]:
        return self._market.minute_bars(key, at)

    def today(self, key: str, at: datetime) -> Bars:
        return self._market.today(key, at)

    def minutes(self, key: str, first: date, last: date, at: datetime) -> Bars:
        return self._market.minutes(key, first, last, at)

    def days(self, key: str, first: date, last: date, at: datetime) -> Bars:
        return self._market.days(key, first, last, at)


def past_orders(market: Market, days: list[date], seed: int) -> tuple[list[PastOrder], SeenMarket]:
    """What was traded on `days` (ascending), in the order of time, and the market that it needs."""
    luck = random.Random(seed)  # noqa: S311  # no secret
    seen, orders = SeenMarket(market), []
    held: list[tuple[int, _Planned]] = []
    for place, day in enumerate(days):
        listed = market.listings(_at(day, 0))
        planned = [
            _Planned(_some(luck, day), bought.key, False, bought.quantity, bought.product)
            for due, bought in held
            if due == place and bought.key in listed
        ]
        held = [one for one in held if one[0] > place]
        if len(held) < _KEPT:
            kept = _share(luck, market, listed, day, Product.DELIVERY)
            if kept is not None:
                planned.append(kept)
                held.append((place + luck.randint(1, 25), kept))
        for opened in _within(luck, market, listed, day):
            until = opened.at + timedelta(minutes=luck.randint(5, 20))
            planned += [opened, _Planned(until, opened.key, not opened.buys, opened.quantity, opened.product)]
        for one in sorted(planned, key=lambda one: one.at):
            seen.see(listed[one.key])
            orders.append(_filled(market, one))
    return orders, seen


def _within(luck: random.Random, market: Market, listed: Mapping[str, Listing], day: date) -> Iterator[_Planned]:
    """What is opened and closed again on `day`."""
    for _ in range(luck.choice((0, 1, 1, 2))):
        traded = _share(luck, market, listed, day, Product.INTRADAY)
        if traded is not None:
            yield traded
    if luck.random() < 0.5:  # every other day
        contract = _contract(luck, market, listed, day)
        if contract is not None:
            yield contract


def _share(
    luck: random.Random, market: Market, listed: Mapping[str, Listing], day: date, product: Product
) -> _Planned | None:
    """Those of one product are never traded under the other."""
    symbols = set(_LIQUID[product is Product.INTRADAY :: 2])
    keys = [key for key, one in listed.items() if one.segment == "NSE_EQ" and one.quote_symbol in symbols]
    if not keys:
        return None
    key, at = luck.choice(keys), _some(luck, day)
    [snap] = market.snapshots([key], at)
    quantity = int(_BUDGET * luck.uniform(0.4, 1) // snap.ltp)
    buys = product is not Product.INTRADAY or luck.random() < 0.6
    return _Planned(at, key, buys, quantity, product.value) if quantity else None


def _contract(luck: random.Random, market: Market, listed: Mapping[str, Listing], day: date) -> _Planned | None:
    """One lot of the index contract that expires next; of options one near the money."""
    found = [
        one
        for listing in listed.values()
        if listing.segment == "NSE_FO" and listing.row.get("underlying_symbol") in _INDICES
        if (one := instrument_of(listing)) is not None and one.expiry is not None and one.expiry > day
    ]
    wants_option = luck.random() < 0.75
    of_kind = [one for one in found if bool(one.right) is wants_option]
    if not of_kind:
        return None
    at = _some(luck, day)
    next_one = min(one.expiry for one in of_kind if one.expiry is not None)
    near = [one for one in of_kind if one.expiry == next_one]
    if wants_option:
        near = _near_the_money(market, near, at)
    if not near:
        return None
    chosen = luck.choice(near)
    buys = wants_option or luck.random() < 0.5
    return _Planned(at, chosen.key, buys, chosen.lot, Product.DELIVERY.value)


def _near_the_money(market: Market, options: list[Instrument], at: datetime) -> list[Instrument]:
    unders = sorted({one.underlying for one in options})
    spot = {snap.listing.key: units(snap.ltp) for snap in market.snapshots(unders, at)}
    return sorted(options, key=lambda one: abs(one.strike - spot[one.underlying]) / spot[one.underlying])[:6]


def _filled(market: Market, planned: _Planned) -> PastOrder:
    """At the last price of its instant, a tick worse."""
    [snap] = market.snapshots([planned.key], planned.at)
    instrument = instrument_of(snap.listing)
    assert instrument is not None  # it was traded
    worse = instrument.tick if planned.buys else -instrument.tick
    price = max(instrument.rounded(units(snap.ltp), up=planned.buys) + worse, instrument.tick)
    wanted = Wanted(planned.key, planned.buys, planned.quantity, planned.product, OrderType.LIMIT.value, price=price)
    return PastOrder(planned.at, wanted)


def _some(luck: random.Random, day: date) -> datetime:
    """A second of the trading hours, early enough to be closed again."""
    span = (_LAST.hour - _FIRST.hour) * 3600 + (_LAST.minute - _FIRST.minute) * 60
    return _at(day, luck.randrange(span))


def _at(day: date, second: int) -> datetime:
    return datetime.combine(day, _FIRST, IST) + timedelta(seconds=second)

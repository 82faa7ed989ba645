"""What surrounds the trading desk: instruments, their prices, and their hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from services.paper.model import Listing, Market, Snapshot
from services.paper.trading.instruments import Instrument, instrument_of
from services.paper.trading.order_values import Order
from services.paper.trading.timing import TradingHours
from services.paper.trading.values import AUTOMATIC, units

_SHARES_AND_FUTURES = 300
_OPTIONS = ((10, 2500), (100, 1000), (500, 500))
"""Below so many rupees, so much."""
_WHOLE = 10_000


class Floor:
    """Reads only. Prices are those of the market at the instant that is asked for."""

    def __init__(self, market: Market, hours: TradingHours) -> None:
        self._market = market
        self.hours = hours
        self._known: dict[str, tuple[Listing, Instrument | None]] = {}
        self._listed: tuple[datetime, Mapping[str, Listing]] | None = None

    def instrument(self, key: str, at: datetime) -> Instrument | None:
        """What can be traded under `key` on the day of `at`."""
        listing = self._listings(at).get(key)
        if listing is None:
            return None
        known = self._known.get(key)
        if known is None or known[0] is not listing:
            known = self._known[key] = listing, instrument_of(listing)
        return known[1]

    def known(self, key: str, at: datetime) -> Instrument | None:
        """As `instrument`, or as it was known last when it is listed no more. Asking for another day is much work for
        the market, and little changes: so this asks only for what was never seen."""
        known = self._known.get(key)
        return known[1] if known is not None else self.instrument(key, at)

    def snapshots(self, keys: Iterable[str], at: datetime) -> dict[str, Snapshot]:
        """Of those that are listed."""
        listed = self._listings(at)
        wanted = [key for key in dict.fromkeys(keys) if key in listed]
        return dict(zip(wanted, self._market.snapshots(wanted, at), strict=True)) if wanted else {}

    def last_price(self, key: str, at: datetime) -> int | None:
        """`None`: not listed."""
        found = self.snapshots([key], at)
        return units(found[key].ltp) if found else None

    def spot(self, instrument: Instrument, at: datetime) -> int:
        """The underlying's close of the day before, from which sold options are margined all day; the strike where the
        market does not know the underlying."""
        found = self.snapshots([instrument.underlying], at) if instrument.right else {}
        return units(found[instrument.underlying].prev_close) if found else instrument.strike

    def _listings(self, at: datetime) -> Mapping[str, Listing]:
        """Asked for once an instant: each piece of work asks for many instruments, all of them at its own."""
        if self._listed is None or self._listed[0] != at:
            self._listed = at, self._market.listings(at)
        return self._listed[1]


def protected(order: Order, instrument: Instrument, snapshot: Snapshot) -> int:
    """The limit that market protection makes of `order` now: so far from the last price, at least a tick, and within
    the day's band."""
    last = units(snapshot.ltp)
    given = order.protection
    percent = _automatic(instrument, last) if given is None or given == AUTOMATIC else given
    if order.buys:
        limit = max(instrument.rounded(last * (_WHOLE + percent) // _WHOLE, up=False), last + instrument.tick)
        return limit if snapshot.upper_circuit is None else min(limit, units(snapshot.upper_circuit))
    limit = min(instrument.rounded(-(-last * (_WHOLE - percent) // _WHOLE), up=True), last - instrument.tick)
    limit = limit if snapshot.lower_circuit is None else max(limit, units(snapshot.lower_circuit))
    return max(limit, instrument.tick)


def _automatic(instrument: Instrument, last: int) -> int:
    """The broker's own choice, in 1/100 percent. He does not publish it; these widen with what a spread may be."""
    if not instrument.right:
        return _SHARES_AND_FUTURES
    return next((percent for below, percent in _OPTIONS if last < units(below)), _SHARES_AND_FUTURES)

"""What the simulator must know of an instrument: the root whose price moves, and how the instrument follows it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from services.paper.hours import Group
from services.paper.model import Listing

ANCHOR_DAY = date(2026, 8, 21)
"""The day whose real closes the built-in tables hold; every simulated walk passes through them."""

VIX = "NSE_INDEX|India VIX"
"""Root and key of the volatility index, from which index options take their volatility."""

MARKET_VOLATILITY = 0.0088
"""Daily standard deviation of the market factor, a fraction; about 14 % a year."""
SECTOR_VOLATILITY = 0.005
_OTHER_SECTORS = {"BULLION": 0.010, "OIL": 0.015}
"""Commodities that move together, and the daily standard deviation of what moves them."""

DayRange = Callable[[str, date, date], tuple[float, float]]
"""Lowest and highest close (rupees) of a root between two dates, both included."""


@dataclass(frozen=True, slots=True)
class Root:
    """Something with a price path of its own: a company, an index, a metal, a currency."""

    name: str
    group: Group
    anchor: float
    """Rupees (points for an index) at the close of `ANCHOR_DAY`."""
    tick: float
    """Rupees; closes are whole ticks."""
    beta: float
    """Load on the market factor of the group `EQUITY`; other groups have none."""
    sector: str
    sector_load: float
    noise: float
    """Own daily standard deviation, a fraction."""
    band: float
    """No day moves further from its previous close than this fraction."""
    carry: float
    """Yearly growth of its futures over spot, a fraction."""
    memory: float = 250.0
    """Trading days in which a deviation of its own fades to 1/e."""
    auction: bool = False
    """A share with derivatives, or an index of such: its close is found in the closing auction, since there is one."""


def sector_volatility(sector: str) -> float:
    """Daily standard deviation of a sector's factor, a fraction; 0 for none."""
    return _OTHER_SECTORS.get(sector, SECTOR_VOLATILITY) if sector else 0.0


def daily_volatility(root: Root) -> float:
    """A root's daily standard deviation, a fraction, with everything that moves it."""
    sector = root.sector_load * sector_volatility(root.sector)
    return math.sqrt((root.beta * MARKET_VOLATILITY) ** 2 + sector**2 + root.noise**2)


def own_noise(volatility: float, beta: float) -> float:
    """What is left of a share's daily standard deviation when market and sector have taken their part; bounded, so
    that every share goes with the market to some degree and none is its shadow."""
    market = beta * MARKET_VOLATILITY
    own = math.sqrt(max(volatility**2 - market**2 - SECTOR_VOLATILITY**2, 0.0))
    return min(max(own, 0.6 * market, 0.4 * volatility), 2.6 * market)


class Kind(StrEnum):
    """How an instrument follows its root."""

    CASH = "cash"
    INDEX = "index"
    FUTURE = "future"
    OPTION = "option"


@dataclass(frozen=True, slots=True)
class Spec:
    """One instrument of the universe, as the simulator sees it. Rupees, units, fractions."""

    listing: Listing
    kind: Kind
    group: Group
    root: str
    tick: float
    lot: int
    """Quantities traded are whole multiples of this."""
    volume: float
    """Typical quantity of a day; 0 for an index."""
    band: float | None
    """Circuit limits as a fraction of the previous close; `None` for an index."""
    interest: float = 0.0
    """Typical open interest, units."""
    expiry: date | None = None
    strike: float = 0.0
    right: int = 0
    """+1 call, -1 put, 0 neither."""
    volatility_ratio: float = 1.0
    """Implied volatility at the money, relative to the VIX (index options) or to the root's own history."""
    from_vix: bool = False
    auction: bool = False
    """Does it stand still during the closing auction? Only shares and indices do: derivatives trade on."""

    @property
    def key(self) -> str:
        return self.listing.key


class Universe(Protocol):
    """What is listed, and what its prices hang on."""

    @property
    def roots(self) -> Mapping[str, Root]: ...

    def specs(self, day: date, traded: Callable[[Group], date], ranges: DayRange) -> Mapping[str, Spec]:
        """Everything listed on `day`, by instrument key. `traded`: the day of each group's running or last session,
        which is not `day` at night and on holidays, and which decides how lively a contract was."""

    def earlier(self, spec: Spec, day: date, ranges: DayRange) -> Spec | None:
        """`spec`, which is listed now, as it was on the earlier trading day `day`; `None`: not listed yet."""

    def since(self, spec: Spec) -> date:
        """Before this day `spec` was certainly not listed."""

    def root_of(self, symbol: str) -> str | None:
        """The root that a candle file means by `symbol` (`RELIANCE`, `NIFTY50`)."""

"""The ordinary hours of each market and listing, by the date from which they hold.

Times are minutes after midnight in India. Where an exchange ends a step at random within its last minutes, the step
lasts here until the latest end: whoever watches for prices must still expect them, and who sends an order must know
that the last minute is a gamble. Block deal windows (08:45-09:00, 14:05-14:20) are not phases: no order of ours goes
there. Told as their kind, since the master does not mark them: agricultural contracts that trade to 21:00 (to 17:00)
and cross-currency contracts that trade to 19:30 (to 17:00).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from services.domain.calendar.days import at_minute
from services.domain.phases import Accepts, Listing, Market, Phase, SessionWindow, Stage

SHARES = frozenset({Market.NSE, Market.BSE})
DERIVATIVES = frozenset({Market.NFO, Market.BFO})
EQUITY = SHARES | DERIVATIVES
CURRENCY = frozenset({Market.CDS, Market.BCD})
COMMODITY = frozenset({Market.MCX, Market.NSCOM})

AUCTION_START = date(2026, 8, 3)
PRE_OPEN_CHANGE = date(2026, 9, 7)
AUCTION_CHANGE = date(2026, 12, 7)
FUTURES_PRE_OPEN_START = date(2025, 12, 8)
_CUT_SHORT = (date(2020, 3, 30), date(2020, 4, 22))
"""MCX and NSE commodities closed at 17:00 during the lockdown, first and last day."""

_SEBI_JANUARY = "SEBI HO/47/11/11(3)2025-MRD-POD2/I/2765/2026 of 2026-01-16, NSE/CMTR/74466 of 2026-05-29"
_SEBI_OCTOBER = "SEBI HO/47/11/11(3)2025-MRD-POD2/I/23843/2026 of 2026-10-15, forwarded as NSE/CMTR/76963"
_NSE_COMMODITIES_2026 = (
    "NSE circulars of 2026-02-09 and NSE/COM/76446 of 2026-09-21: to 23:30 from 2026-03-09, to 23:55 from 2026-11-02"
)
_OCTOBER_NOTE = "decided by SEBI; the exchange's own circular was not seen"


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of a day in minutes after midnight, `start <= minute < end`."""

    start: int
    end: int
    phase: Phase
    stage: Stage
    accepts: Accepts


@dataclass(frozen=True, slots=True)
class Regime:
    """The ordinary day of a market and listing."""

    steps: tuple[Step, ...]
    source: str
    confirmed: bool = True
    note: str = ""


def minutes(text: str) -> int:
    """`"09:15"` as minutes after midnight."""
    return int(text[:2]) * 60 + int(text[3:])


def step(start: str, end: str, phase: Phase, stage: Stage, accepts: Accepts) -> Step:
    return Step(minutes(start), minutes(end), phase, stage, accepts)


def trading(start: str, end: str) -> Step:
    """Continuous trading."""
    return step(start, end, Phase.OPEN, Stage.CONTINUOUS, Accepts.ALL)


def closing_price(start: str, end: str) -> Step:
    """The post-close session, in which shares change hands at the closing price."""
    return step(start, end, Phase.POST_CLOSE, Stage.CLOSING_PRICE, Accepts.CLOSING_PRICE)


def pre_open(open_at: str) -> tuple[Step, ...]:
    """The quarter of an hour before `open_at` as it was until 2026-09-06: orders for eight minutes (random end in the
    last), four to match, three to change over."""
    first = minutes(open_at) - 15
    return _pre_open_steps(
        (first, first + 8, Stage.ORDERS, Accepts.LIMIT_AND_MARKET),
        (first + 8, first + 12, Stage.MATCHING, Accepts.NOTHING),
        (first + 12, first + 15, Stage.BUFFER, Accepts.NOTHING),
    )


def late_pre_open(open_at: str) -> tuple[Step, ...]:
    """The same quarter since 2026-09-07: five minutes for all orders, five for limit orders (random end in the last
    two), two to match, three to change over."""
    first = minutes(open_at) - 15
    return _pre_open_steps(
        (first, first + 5, Stage.ORDERS, Accepts.LIMIT_AND_MARKET),
        (first + 5, first + 10, Stage.LIMIT_ONLY, Accepts.LIMIT),
        (first + 10, first + 12, Stage.MATCHING, Accepts.NOTHING),
        (first + 12, first + 15, Stage.BUFFER, Accepts.NOTHING),
    )


def cancel_only(open_at: str) -> tuple[Step, ...]:
    """MCX's quarter of an hour before the open: for fourteen minutes pending orders may be cancelled, none sent."""
    first = minutes(open_at) - 15
    return _pre_open_steps(
        (first, first + 14, Stage.CANCELLATIONS, Accepts.NOTHING),
        (first + 14, first + 15, Stage.BUFFER, Accepts.NOTHING),
    )


def regime(market: Market, day: date, listing: Listing = Listing.ORDINARY) -> Regime:
    """The hours that `market` has on an ordinary trading day at the date of `day`.

    A listing that the market does not have (a closing auction in MCX) means the market's ordinary hours.
    """
    if market in SHARES:
        return _shares(day, auction=listing is Listing.AUCTION)
    if market in DERIVATIVES:
        return _derivatives(market, day, listing)
    if market in CURRENCY:
        end = "12:30" if listing is Listing.EXPIRING_CURRENCY else "17:00"
        return Regime(
            (trading("09:00", end),), "currency derivatives of NSE and BSE: 09:00 to 17:00, last day to 12:30"
        )
    return _commodities(market, day, agricultural=listing is Listing.AGRICULTURAL)


def windows_of(day: date, steps: tuple[Step, ...]) -> tuple[SessionWindow, ...]:
    """Steps as instants of `day`."""
    return tuple(
        SessionWindow(at_minute(day, one.start), at_minute(day, one.end), one.phase, one.stage, one.accepts)
        for one in steps
    )


def us_summer(day: date) -> bool:
    """Does the United States observe daylight saving on `day`?

    From the second Sunday of March to the first of November. The commodity exchanges follow on the Monday after,
    which is the same for every day but those Sundays.
    """
    return _nth_sunday(day.year, 3, 2) <= day < _nth_sunday(day.year, 11, 1)


@lru_cache(maxsize=512)
def _nth_sunday(year: int, month: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))


def _pre_open_steps(*parts: tuple[int, int, Stage, Accepts]) -> tuple[Step, ...]:
    return tuple(Step(start, end, Phase.PRE_OPEN, stage, accepts) for start, end, stage, accepts in parts)


def _auction(*times: str, matching: bool) -> tuple[Step, ...]:
    """The closing auction: reference price, orders, limit orders (random end in the last two minutes), matching."""
    stages = [
        (Stage.REFERENCE, Accepts.NOTHING),
        (Stage.ORDERS, Accepts.LIMIT_AND_MARKET),
        (Stage.LIMIT_ONLY, Accepts.LIMIT),
    ]
    if matching:
        stages.append((Stage.MATCHING, Accepts.NOTHING))
    return tuple(
        step(start, end, Phase.CLOSING_AUCTION, stage, accepts)
        for start, end, (stage, accepts) in zip(times, times[1:], stages, strict=False)
    )


_OLD_DAY = Regime(
    (*pre_open("09:15"), trading("09:15", "15:30"), closing_price("15:40", "16:00")),
    "NSE and BSE market timings, capital market",
)
_FIRST_AUCTIONS = _auction("15:15", "15:20", "15:25", "15:30", "15:35", matching=True)
_LATER_AUCTIONS = _auction("15:30", "15:31", "15:36", "15:40", matching=False)
"""SEBI names no stretch of its own for the matching here: it follows the random end, before 15:40."""


def _shares(day: date, *, auction: bool) -> Regime:
    if day < AUCTION_START:
        return _OLD_DAY
    return _shares_since_auctions(day >= PRE_OPEN_CHANGE, day >= AUCTION_CHANGE, auction)


@lru_cache(maxsize=8)
def _shares_since_auctions(late: bool, changed: bool, auction: bool) -> Regime:
    before = late_pre_open("09:15") if late else pre_open("09:15")
    after = closing_price("15:50", "16:00")
    if not auction:
        return Regime((*before, trading("09:15", "15:30"), after), _SEBI_JANUARY)
    if not changed:
        return Regime((*before, trading("09:15", "15:15"), *_FIRST_AUCTIONS, after), _SEBI_JANUARY)
    steps = (*before, trading("09:15", "15:30"), *_LATER_AUCTIONS, after)
    return Regime(steps, _SEBI_OCTOBER, confirmed=False, note=_OCTOBER_NOTE)


def _derivatives(market: Market, day: date, listing: Listing) -> Regime:
    near = listing is Listing.NEAR_FUTURE and day >= FUTURES_PRE_OPEN_START
    expiring = listing is Listing.EXPIRING_INDEX
    return _derivatives_of(market, day >= AUCTION_START, day >= AUCTION_CHANGE, near, expiring)


@lru_cache(maxsize=32)
def _derivatives_of(market: Market, longer: bool, changed: bool, near: bool, expiring: bool) -> Regime:
    if changed:
        main, source = trading("09:15", "15:30" if expiring else "15:45"), _SEBI_OCTOBER
    elif longer:
        main, source = trading("09:15", "15:40"), _SEBI_JANUARY
    else:
        main, source = trading("09:15", "15:30"), "NSE and BSE market timings, equity derivatives"
    note = _OCTOBER_NOTE if changed else ""
    if not near:
        return Regime((main,), source, confirmed=not changed, note=note)
    # Whether the steps within this quarter changed on 2026-09-07, as those of shares did, was not found.
    circular = "NSE/FAOP/71092 of 2025-11-03" if market is Market.NFO else "BSE notice 20251110-40"
    return Regime(
        (*pre_open("09:15"), main), f"{source}; pre-open of futures: {circular}", confirmed=not changed, note=note
    )


def _commodities(market: Market, day: date, *, agricultural: bool) -> Regime:
    if _CUT_SHORT[0] <= day <= _CUT_SHORT[1]:
        return _commodity_day(market, "17:00", "MCX press releases of March and April 2020: no evening session")
    if agricultural:
        return _commodity_day(market, "17:00", "MCX trade timings, agricultural commodities")
    end = "23:30" if us_summer(day) else "23:55"
    if market is Market.NSCOM and day.year == 2026:
        return _commodity_day(market, end, _NSE_COMMODITIES_2026)
    return _commodity_day(
        market, end, "exchange's trade timings, which follow the daylight saving time of the United States"
    )


@lru_cache(maxsize=64)
def _commodity_day(market: Market, end: str, source: str) -> Regime:
    before = cancel_only("09:00") if market is Market.MCX else ()
    return Regime((*before, trading("09:00", end)), source)

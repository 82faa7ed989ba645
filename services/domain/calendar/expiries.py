"""When contracts end: the exchanges' rules by date, with the shift to the trading day before.

Sources: NSE/FAOP/68747 of 2025-06-25 and BSE 20250623-59 (Tuesday and Thursday since 2025-09-01), BSE's move of SENSEX
from Friday to Tuesday in January 2025, SEBI's limit of weekly options to one index of each exchange since 2024-11-20.
Currency and commodity rules were read off the instrument files of 2025-12-18 and 2026-08-21.

Left out, as their weekdays changed more than once and no good source was at hand: the former weekly options on
FINNIFTY, MIDCPNIFTY and BANKEX, their own monthly weekdays of 2021 to 2024, and everything of BSE before 2023-05-15.

A rule tells the day that was meant when a contract was listed. Exchanges move expiries of listed contracts (a holiday
declared three days before did): who trades asks today's instrument master, never a rule.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import islice, takewhile
from typing import NamedTuple

from services.domain.calendar.calendar import BUNDLED, MarketCalendar
from services.domain.calendar.days import DayKind
from services.domain.phases import Market

_DAY = timedelta(days=1)
_MONDAY, _TUESDAY, _WEDNESDAY, _THURSDAY, _FRIDAY = range(5)


class ExpiryRule(StrEnum):
    """Which rule a family of contracts follows."""

    NSE = "nse"
    """NIFTY weekly; the monthly contracts of NSE."""
    BANKNIFTY = "banknifty"
    """BANKNIFTY where it had days of its own: weekly until 2024-11-13, monthly March to December 2024."""
    BSE = "bse"
    """SENSEX weekly; the monthly contracts of BSE."""
    CURRENCY = "currency"
    GOLD = "gold"
    SILVER = "silver"
    CRUDE = "crude"
    GAS = "gas"


class Expiry(NamedTuple):
    """What ends on a day. `confirmed=False`: the rule was derived, or the days around are not published."""

    label: str
    confirmed: bool


_MARKETS = {
    ExpiryRule.NSE: Market.NFO, ExpiryRule.BANKNIFTY: Market.NFO, ExpiryRule.BSE: Market.BFO,
    ExpiryRule.CURRENCY: Market.CDS,
}  # fmt: skip
_DELIVERY_MONTHS = {ExpiryRule.GOLD: {2, 4, 6, 8, 10, 12}, ExpiryRule.SILVER: {3, 5, 7, 9, 12}}
_BANKNIFTY_OWN_MONTHLY = date(2024, 3, 1)
_ONE_DAY_FOR_ALL = date(2025, 1, 1)
"""Since then all monthly contracts of an exchange end on one day."""
_WEEKDAYS = {
    ExpiryRule.NSE: ((date.min, _THURSDAY), (date(2025, 9, 1), _TUESDAY)),
    ExpiryRule.BSE: ((date.min, _FRIDAY), (date(2025, 1, 6), _TUESDAY), (date(2025, 9, 1), _THURSDAY)),
    ExpiryRule.BANKNIFTY: ((date.min, _THURSDAY), (date(2023, 9, 4), _WEDNESDAY)),
}
"""The weekday of weekly contracts that end in weeks whose Monday is the date or later; also of monthly ones, save:"""
_MONTHLY_WEEKDAYS = {
    ExpiryRule.BANKNIFTY: ((date.min, _THURSDAY), (date(2024, 3, 25), _WEDNESDAY), (date(2025, 1, 6), _THURSDAY)),
}
_WEEKLIES = {
    ExpiryRule.NSE: (date(2019, 2, 11), date.max),
    ExpiryRule.BANKNIFTY: (date(2016, 5, 27), date(2024, 11, 13)),
    ExpiryRule.BSE: (date(2023, 5, 15), date.max),
}
"""From when to when weekly options are listed."""
_WEEKLY_LABELS = {ExpiryRule.NSE: "NIFTY", ExpiryRule.BANKNIFTY: "BANKNIFTY", ExpiryRule.BSE: "SENSEX"}
_DERIVED_LABELS = {
    ExpiryRule.CURRENCY: "Currencies monthly",
    ExpiryRule.GOLD: "Gold",
    ExpiryRule.SILVER: "Silver",
    ExpiryRule.CRUDE: "Crude oil",
    ExpiryRule.GAS: "Natural gas",
}


def weekly_expiries(rule: ExpiryRule, first: date, last: date, calendar: MarketCalendar = BUNDLED) -> list[date]:
    """The weekly expiries of `rule` in `first..last`, both included, ascending; empty where it has no weeklies.

    The one of a month's last week is the monthly one and is told here too. In years of which nothing is published the
    weekday itself is told, though it may turn out a holiday.
    """
    return _until(_weeklies(rule, first, calendar), last)


def next_monthly_expiries(rule: ExpiryRule, day: date, count: int, calendar: MarketCalendar = BUNDLED) -> list[date]:
    """The next `count` monthly expiries from `day` on (`day` itself may be one)."""
    return list(islice(_monthlies(rule, day, calendar), count))


def is_monthly(rule: ExpiryRule, expiry: date, calendar: MarketCalendar = BUNDLED) -> bool:
    """Is `expiry` the monthly one of its month?"""
    listed = expiry.month in _DELIVERY_MONTHS.get(rule, range(1, 13))
    return listed and _monthly(rule, expiry.year, expiry.month, calendar) == expiry


def expiries_on(day: date, calendar: MarketCalendar = BUNDLED) -> list[Expiry]:
    """What ends on `day`, in words, shares before currencies before commodities."""
    found = []
    for rule in ExpiryRule:
        sure = rule in _WEEKDAYS and calendar.is_trading_day(_MARKETS[rule], day) is not None
        if is_monthly(rule, day, calendar):
            label = _monthly_label(rule, day)
        elif day in weekly_expiries(rule, day, day, calendar):
            label = f"{_WEEKLY_LABELS[rule]} weekly"
        else:
            label = ""
        if label:
            found.append(Expiry(label, sure))
    return found


def _monthly_label(rule: ExpiryRule, day: date) -> str:
    """What the monthly contracts of `rule` are called; empty where another rule names them or nothing is known."""
    if rule is ExpiryRule.NSE:
        if day < _ONE_DAY_FOR_ALL:
            return (
                "NIFTY and NSE stocks monthly"
                if day >= _BANKNIFTY_OWN_MONTHLY
                else "NIFTY, BANKNIFTY and NSE stocks monthly"
            )
        return "NSE indices and stocks monthly"
    if rule is ExpiryRule.BANKNIFTY:
        return "BANKNIFTY monthly" if _BANKNIFTY_OWN_MONTHLY <= day < _ONE_DAY_FOR_ALL else ""
    if rule is ExpiryRule.BSE:
        if day < _WEEKLIES[rule][0]:
            return ""
        return "BSE indices and stocks monthly" if day >= _ONE_DAY_FOR_ALL else "SENSEX monthly"
    return _DERIVED_LABELS[rule]


def _weeklies(rule: ExpiryRule, first: date, calendar: MarketCalendar) -> Iterator[date]:
    """Weekly expiries from `first` on, without end where weeklies still are listed."""
    if rule not in _WEEKLIES:
        return
    since, until = _WEEKLIES[rule]
    first = max(first, since)
    monday = first - timedelta(days=first.weekday())
    while monday <= until:
        expiry = _weekly(rule, monday, calendar)
        if expiry > until:
            return
        if expiry >= first:
            yield expiry
        monday += 7 * _DAY


def _weekly(rule: ExpiryRule, monday: date, calendar: MarketCalendar) -> date:
    """The expiry of the week that begins on `monday`."""
    if rule is ExpiryRule.BANKNIFTY:
        # In the week of its monthly contract BANKNIFTY had no other: until February 2024 that was the Thursday.
        for day in (monday + _THURSDAY * _DAY, monday + _WEDNESDAY * _DAY):
            monthly = _monthly(rule, day.year, day.month, calendar)
            if monday <= monthly < monday + 7 * _DAY:
                return monthly
    return _shifted(_MARKETS[rule], monday + _weekday(_WEEKDAYS[rule], monday) * _DAY, calendar)


def _monthlies(rule: ExpiryRule, first: date, calendar: MarketCalendar) -> Iterator[date]:
    year, month = first.year, first.month
    while year < date.max.year:
        if month in _DELIVERY_MONTHS.get(rule, range(1, 13)):
            expiry = _monthly(rule, year, month, calendar)
            if expiry >= first:
                yield expiry
        year, month = year + month // 12, month % 12 + 1


@lru_cache(maxsize=1024)
def _monthly(rule: ExpiryRule, year: int, month: int, calendar: MarketCalendar) -> date:
    end = date(year, month, monthrange(year, month)[1])
    match rule:
        case ExpiryRule.NSE | ExpiryRule.BANKNIFTY | ExpiryRule.BSE:
            wanted = _weekday(_MONTHLY_WEEKDAYS.get(rule, _WEEKDAYS[rule]), end - timedelta(days=end.weekday()))
            return _shifted(_MARKETS[rule], end - timedelta(days=(end.weekday() - wanted) % 7), calendar)
        case ExpiryRule.CURRENCY:
            return _back(Market.CDS, end, 2, calendar)
        case ExpiryRule.GOLD | ExpiryRule.SILVER:
            return _shifted(Market.MCX, end.replace(day=5), calendar)
        case ExpiryRule.CRUDE:
            return _crude(end.replace(day=25), calendar)
        case ExpiryRule.GAS:
            return _back(Market.MCX, end, 3, calendar)


def _crude(mark: date, calendar: MarketCalendar) -> date:
    """The working day before the New York contract ends, which is three working days before the 25th (four where the
    25th is no working day). American holidays are not known here: around one the date may be a day off."""
    return _back(Market.MCX, mark, 4, calendar)


def _weekday(since: tuple[tuple[date, int], ...], monday: date) -> int:
    return next(weekday for start, weekday in reversed(since) if monday >= start)


def _can_expire(market: Market, day: date, calendar: MarketCalendar) -> bool:
    """Does `market` have a day in the ordinary way, on which contracts may end? Special sessions are passed over: the
    expiries of 2021-11-04 and 2025-10-21, both muhurat days, moved. Days not published: every weekday."""
    plan = calendar.day(market, day)
    if plan.kind is DayKind.UNKNOWN:
        return day.weekday() < 5
    return plan.kind in (DayKind.TRADING, DayKind.PARTIAL)


def _shifted(market: Market, day: date, calendar: MarketCalendar) -> date:
    """`day`, or the nearest day before it on which contracts may end."""
    while not _can_expire(market, day, calendar):
        day -= _DAY
    return day


def _back(market: Market, day: date, working_days: int, calendar: MarketCalendar) -> date:
    at = _shifted(market, day, calendar)
    for _ in range(working_days):
        at = _shifted(market, at - _DAY, calendar)
    return at


def _until(days: Iterator[date], last: date) -> list[date]:
    return list(takewhile(lambda day: day <= last, days))

"""When contracts end: the exchanges' rules, with the shift to the previous trading day.

NSE ends contracts on Tuesday and BSE on Thursday since 2025-09-01 (NSE/FAOP/68747); before that Thursday and Friday.
Currency and commodity rules were read off the expiries of the instrument files of 2025-12-18 and 2026-08-21.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from enum import StrEnum

from services.paper.hours import Group, Hours

_NEW_WEEKDAYS = date(2025, 9, 1)
_REAL = Hours(practice=False)


class Rule(StrEnum):
    """Which rule a family of contracts follows."""

    NSE = "nse"
    BSE = "bse"
    CURRENCY = "currency"
    GOLD = "gold"
    SILVER = "silver"
    CRUDE = "crude"
    GAS = "gas"


_MONTHS = {Rule.GOLD: {2, 4, 6, 8, 10, 12}, Rule.SILVER: {3, 5, 7, 9, 12}}


def weekly_expiries(rule: Rule, day: date, count: int) -> list[date]:
    """The next `count` weekly expiries of `rule` from `day` on (`day` itself may be one)."""
    found: list[date] = []
    week = day - timedelta(days=day.weekday())
    while len(found) < count:
        expiry = _shifted(week + timedelta(days=_weekday(rule, week)), Group.EQUITY)
        if expiry >= day:
            found.append(expiry)
        week += timedelta(days=7)
    return found


def monthly_expiries(rule: Rule, day: date, count: int) -> list[date]:
    """The next `count` monthly expiries of `rule` from `day` on."""
    found: list[date] = []
    for year, month in _months_from(day):
        if len(found) >= count:
            break
        if month not in _MONTHS.get(rule, range(1, 13)):
            continue
        expiry = _RULES[rule](year, month)
        if expiry >= day:
            found.append(expiry)
    return found


def is_monthly(rule: Rule, expiry: date) -> bool:
    """Is `expiry` the monthly one of its month?"""
    return _RULES[rule](expiry.year, expiry.month) == expiry


def _weekday(rule: Rule, week: date) -> int:
    if week >= _NEW_WEEKDAYS:
        return 1 if rule is Rule.NSE else 3
    return 3 if rule is Rule.NSE else 4


def _last_weekday(rule: Rule) -> Callable[[int, int], date]:
    def expiry(year: int, month: int) -> date:
        last = _month_end(year, month)
        wanted = _weekday(rule, last.replace(day=1))
        return _shifted(last - timedelta(days=(last.weekday() - wanted) % 7), Group.EQUITY)

    return expiry


def _currency(year: int, month: int) -> date:
    """Two working days before the last working day of the month."""
    return _back(_month_end(year, month), Group.CURRENCY, 2)


def _fifth(year: int, month: int) -> date:
    """The fifth of the month, or the working day before."""
    return _shifted(date(year, month, 5), Group.COMMODITY)


def _crude(year: int, month: int) -> date:
    """The working day before the New York contract ends, which is three working days before the 25th (four where the
    25th is no working day). American holidays are not known here: around one the date may be a day off."""
    mark = date(year, month, 25)
    free = not _REAL.trades(Group.COMMODITY, mark)
    new_york = _back(mark, Group.COMMODITY, 3) if not free else _back(mark - timedelta(days=1), Group.COMMODITY, 3)
    return _back(new_york, Group.COMMODITY, 1)


def _gas(year: int, month: int) -> date:
    """The fourth working day from the end of the month."""
    return _back(_month_end(year, month), Group.COMMODITY, 3)


def _month_end(year: int, month: int) -> date:
    following = date(year + month // 12, month % 12 + 1, 1)
    return following - timedelta(days=1)


def _shifted(day: date, group: Group) -> date:
    return day if _REAL.trades(group, day) else _REAL.previous(group, day)


def _back(day: date, group: Group, working_days: int) -> date:
    at = _shifted(day, group)
    for _ in range(working_days):
        at = _REAL.previous(group, at)
    return at


def _months_from(day: date) -> Iterator[tuple[int, int]]:
    year, month = day.year, day.month
    while True:
        yield year, month
        year, month = year + month // 12, month % 12 + 1


_RULES: dict[Rule, Callable[[int, int], date]] = {
    Rule.NSE: _last_weekday(Rule.NSE),
    Rule.BSE: _last_weekday(Rule.BSE),
    Rule.CURRENCY: _currency,
    Rule.GOLD: _fifth,
    Rule.SILVER: _fifth,
    Rule.CRUDE: _crude,
    Rule.GAS: _gas,
}

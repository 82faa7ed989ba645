"""A year of the calendar as dated lines: holidays, special sessions, part days, settlement holidays, expiries, changes
of hours. The year view, the list, the CSV and the calendar file are drawn from the same lines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache

from dashboard.calendar_changes import Change, changes_in, lines
from dashboard.calendar_words import MARKS, NAMES, SOME_REST, EntryKind, group_words, hours_words, ordered
from services.domain.calendar.calendar import KNOWN_YEARS, MarketCalendar
from services.domain.calendar.days import DayKind, DayPlan, NamedDay
from services.domain.calendar.expiries import Expiry, expiries_on
from services.domain.phases import Listing, Market

_EXPIRY_SOURCE = "expiry rule of the exchange, moved by holidays"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of one date. `hours`: groups of markets and when they trade ("closed" where they do not)."""

    day: date
    kind: EntryKind
    name: str
    markets: tuple[Market, ...]
    hours: tuple[tuple[str, str], ...]
    source: str
    confirmed: bool
    note: str = ""
    sessions: tuple[tuple[str, datetime, datetime], ...] = ()
    """Where the line is about sessions: who trades, from the first instant of continuous trading to the last."""

    @property
    def hours_text(self) -> str:
        return "; ".join(f"{group} {words}".strip() for group, words in self.hours)

    def mark(self, shown: Collection[Market]) -> str:
        """The sign of this line among `shown` markets: a holiday that leaves the shares trading is no whole one."""
        if self.kind is EntryKind.HOLIDAY and Market.NSE in shown and Market.NSE not in self.markets:
            return SOME_REST
        return MARKS[self.kind]


@dataclass(frozen=True, slots=True)
class YearPlan:
    """A year of some markets. `unpublished`: markets of which nothing is known for the whole year.
    `unknown`: dates of which nobody has published whether any of the markets trades."""

    year: int
    markets: tuple[Market, ...]
    entries: tuple[Entry, ...]
    unpublished: tuple[Market, ...]
    unknown: frozenset[date]

    @property
    def published(self) -> bool:
        return set(self.unpublished) != set(self.markets)


_KIND_ORDER = {kind: place for place, kind in enumerate(EntryKind)}


@lru_cache(maxsize=32)
def year_plan(calendar: MarketCalendar, year: int, market: Market | None = None) -> YearPlan:
    """The year of one market or of all. A calendar is replaced as a whole when the broker has spoken, so what was made
    of it can be kept."""
    markets = tuple(NAMES) if market is None else (market,)
    closed_book = {one: _unknown_days(calendar, one, year) for one in markets}
    whole = len(_days_of(year))
    unpublished = tuple(one for one in markets if len(closed_book[one]) == whole)
    entries: list[Entry] = []
    if set(unpublished) != set(markets):
        for named in calendar.named_days(year):
            entries += _entries_of(named, set(markets))
        entries += _expiries(calendar, year, markets)
        entries += _hours(changes_in(calendar, year, markets))
    entries.sort(key=lambda entry: (entry.day, _KIND_ORDER[entry.kind], entry.name))
    unknown = frozenset.intersection(*(frozenset(days) for days in closed_book.values()))
    return YearPlan(year, markets, tuple(entries), unpublished, unknown)


def years_to_choose(this_year: int) -> range:
    """The years of the table and the one after them, which is not published yet and then says so; and this year."""
    return range(KNOWN_YEARS.start, max(KNOWN_YEARS.stop, this_year) + 1)


def lines_of(calendar: MarketCalendar, day: date) -> tuple[Entry, ...]:
    """What is to be known of one day."""
    return tuple(entry for entry in year_plan(calendar, day.year).entries if entry.day == day)


def of_kinds(entries: Iterable[Entry], kinds: Collection[EntryKind]) -> tuple[Entry, ...]:
    """Only lines of these kinds; none chosen means all."""
    return tuple(entry for entry in entries if not kinds or entry.kind in kinds)


def _entries_of(named: NamedDay, markets: set[Market]) -> Iterator[Entry]:
    plans = [plan for plan in named.plans if plan.market in markets]
    yield from _by_name(plans, EntryKind.HOLIDAY, lambda plan: plan.kind is DayKind.HOLIDAY)
    yield from _by_name(plans, EntryKind.SPECIAL, lambda plan: plan.kind is DayKind.SPECIAL)
    yield from _by_name(plans, EntryKind.PART, lambda plan: plan.kind is DayKind.PARTIAL)
    for entry in _by_name(plans, EntryKind.SETTLEMENT, lambda plan: plan.settlement_holiday and _whole_day(plan)):
        yield replace(entry, hours=((group_words(entry.markets), "trade, nothing is settled"),), note="")


def _whole_day(plan: DayPlan) -> bool:
    return plan.kind in (DayKind.TRADING, DayKind.SPECIAL)


def _by_name(plans: Iterable[DayPlan], kind: EntryKind, fits: Callable[[DayPlan], bool]) -> Iterator[Entry]:
    """One line for each occasion: markets that rest on the same day for different reasons have a line each, and so have
    those of which it is confirmed beside those of which it is not."""
    groups: dict[tuple[str, bool], list[DayPlan]] = {}
    for plan in plans:
        if fits(plan):
            groups.setdefault((plan.name, plan.confirmed), []).append(plan)
    for (name, confirmed), members in groups.items():
        yield Entry(
            day=members[0].day,
            kind=kind,
            name=name or kind.value.capitalize(),
            markets=ordered(plan.market for plan in members),
            hours=_grouped(members),
            source="; ".join(dict.fromkeys(plan.source for plan in members if plan.source)),
            confirmed=confirmed,
            note="; ".join(dict.fromkeys(plan.note for plan in members if plan.note)),
            sessions=_sessions(members),
        )


def _grouped(plans: Iterable[DayPlan]) -> tuple[tuple[str, str], ...]:
    hours: dict[str, list[Market]] = {}
    for plan in plans:
        hours.setdefault(hours_words(plan), []).append(plan.market)
    return tuple((group_words(markets), words) for words, markets in hours.items())


def _sessions(plans: Iterable[DayPlan]) -> tuple[tuple[str, datetime, datetime], ...]:
    together: dict[tuple[datetime, datetime], list[Market]] = {}
    for plan in plans:
        if plan.opens is not None and plan.closes is not None:
            together.setdefault((plan.opens, plan.closes), []).append(plan.market)
    return tuple((group_words(markets), start, end) for (start, end), markets in together.items())


def _expiries(calendar: MarketCalendar, year: int, markets: Collection[Market]) -> Iterator[Entry]:
    """One line for each market: what is certain of one does not suffer from what is derived of another."""
    for day in _days_of(year):
        ending: dict[Market, list[Expiry]] = {}
        for one in expiries_on(day, calendar):
            ending.setdefault(expiry_market(one.label), []).append(one)
        for market, found in ending.items():
            if market in markets and calendar.is_trading_day(market, day) is not None:
                yield Entry(
                    day=day,
                    kind=EntryKind.WEEKLY if all(_is_weekly(one) for one in found) else EntryKind.EXPIRY,
                    name=", ".join(one.label for one in found),
                    markets=(market,),
                    hours=_early_end(calendar, market, day),
                    source=_EXPIRY_SOURCE,
                    confirmed=all(one.confirmed for one in found),
                )


def expiry_market(label: str) -> Market:
    """The market of a family of contracts, by the first word of its label."""
    return _EXPIRY_MARKETS.get(label.partition(" ")[0], Market.NFO)


_EXPIRY_MARKETS = {
    "SENSEX": Market.BFO, "BSE": Market.BFO, "Currencies": Market.CDS,
    "Gold": Market.MCX, "Silver": Market.MCX, "Crude": Market.MCX, "Natural": Market.MCX,
}  # fmt: skip


def _is_weekly(expiry: Expiry) -> bool:
    return expiry.label.endswith(" weekly")


def _early_end(calendar: MarketCalendar, market: Market, day: date) -> tuple[tuple[str, str], ...]:
    """Where index contracts stop earlier on their last day than the market does: when."""
    last = calendar.day(market, day, listing=Listing.EXPIRING_INDEX)
    if market not in (Market.NFO, Market.BFO) or last.closes == calendar.day(market, day).closes:
        return ()
    return (("expiring index contracts", hours_words(last)),)


def _hours(changes: Iterable[Change]) -> Iterator[Entry]:
    """All changes of one day are one line."""
    days: dict[date, list[Change]] = {}
    for change in changes:
        days.setdefault(change.day, []).append(change)
    for day, found in days.items():
        markets = ordered(change.market for change in found)
        yield Entry(
            day=day,
            kind=EntryKind.HOURS,
            name=f"New hours: {group_words(markets)}",
            markets=markets,
            hours=lines(found),
            source="; ".join(dict.fromkeys(change.source for change in found)),
            confirmed=all(change.confirmed for change in found),
        )


def _unknown_days(calendar: MarketCalendar, market: Market, year: int) -> set[date]:
    return {day for day in _days_of(year) if calendar.is_trading_day(market, day) is None}


def _days_of(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(days=ahead) for ahead in range((date(year + 1, 1, 1) - first).days)]

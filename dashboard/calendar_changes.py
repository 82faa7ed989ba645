"""Changes of the ordinary hours, told from the regimes by date: the closing auction, longer days, the US clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from dashboard.calendar_words import PHASE_NAMES, group_words, stage_words
from services.domain.calendar.calendar import MarketCalendar
from services.domain.calendar.regimes import Regime, Step, regime
from services.domain.phases import Listing, Market, Phase

_DAY = timedelta(days=1)
_SHARES = ((Listing.AUCTION, "shares with F&O"), (Listing.ORDINARY, "other shares"))
_DERIVATIVES = (
    (Listing.ORDINARY, ""),
    (Listing.NEAR_FUTURE, "futures near expiry"),
    (Listing.EXPIRING_INDEX, "expiring index contracts"),
)
_ALL = ((Listing.ORDINARY, ""),)
_LISTINGS: Mapping[Market, tuple[tuple[Listing, str], ...]] = {
    Market.NSE: _SHARES, Market.BSE: _SHARES, Market.NFO: _DERIVATIVES, Market.BFO: _DERIVATIVES,
    Market.CDS: _ALL, Market.BCD: _ALL, Market.MCX: _ALL, Market.NSCOM: _ALL,
}  # fmt: skip
"""What is compared from day to day, and how it is named beside its market."""


@dataclass(frozen=True, slots=True)
class Change:
    """From `day` on a market keeps other hours. `listing`: for which of its instruments, empty = for all.
    `words`: which hours, and what they were."""

    day: date
    market: Market
    listing: str
    words: str
    source: str
    confirmed: bool


def changes_in(calendar: MarketCalendar, year: int, markets: Iterable[Market]) -> Iterator[Change]:
    """The changes of `year`, each on the first trading day that it holds for. Years not published have none."""
    for market in markets:
        for day in _days_with_other_hours(market, year):
            first = day if calendar.is_trading_day(market, day) else calendar.trading_day_after(market, day)
            if first is None:
                continue
            told: set[str] = set()
            whole = len({difference(*_pair(market, day, listing)) for listing, _ in _LISTINGS[market]}) == 1
            for listing, name in _LISTINGS[market]:
                before, after = _pair(market, day, listing)
                words = difference(before, after)
                if words and words not in told:  # a listing that changes as its market does is not told again
                    told.add(words)
                    yield Change(first, market, "" if whole else name, words, after.source, after.confirmed)


def lines(changes: Iterable[Change]) -> tuple[tuple[str, str], ...]:
    """Who keeps which new hours, exchanges that agree in one line: ("shares with F&O", "closing auction ...")."""
    groups: dict[tuple[str, str], list[Market]] = {}
    for change in changes:
        groups.setdefault((change.listing, change.words), []).append(change.market)
    return tuple((_who(listing, markets), words) for (listing, words), markets in groups.items())


def difference(before: Regime, after: Regime) -> str:
    """What is new, phase by phase: "closing auction 15:15–15:35 (new), open 09:15–15:15 (was 09:15–15:30)"."""
    old, new = _spans(before), _spans(after)
    words = []
    for phase in (Phase.PRE_OPEN, Phase.OPEN, Phase.CLOSING_AUCTION, Phase.POST_CLOSE):
        name = PHASE_NAMES[phase].lower()
        if phase not in new:
            if phase in old:
                words.append(f"no {name} (was {old[phase]})")
        elif phase not in old:
            words.append(f"{name} {new[phase]} (new)")
        elif new[phase] != old[phase]:
            words.append(f"{name} {new[phase]} (was {old[phase]})")
        elif _steps(after, phase) != _steps(before, phase):
            words.append(f"{name}: {', '.join(_step_words(step) for step in _steps(after, phase))}")
    return "; ".join(words)


def _days_with_other_hours(market: Market, year: int) -> Iterator[date]:
    """Days on which any listing of `market` has other ordinary hours than the day before."""
    day = date(year, 1, 1)
    before = [regime(market, day - _DAY, listing).steps for listing, _ in _LISTINGS[market]]
    while day.year == year:
        now = [regime(market, day, listing).steps for listing, _ in _LISTINGS[market]]
        if now != before:
            yield day
        before = now
        day += _DAY


def _pair(market: Market, day: date, listing: Listing) -> tuple[Regime, Regime]:
    """The hours of the day before, and of `day`."""
    return regime(market, day - _DAY, listing), regime(market, day, listing)


def _who(listing: str, markets: list[Market]) -> str:
    if not listing:
        return group_words(markets)
    both = {Market.NSE, Market.BSE} <= set(markets) or {Market.NFO, Market.BFO} <= set(markets)
    return listing if both else f"{listing} ({group_words(markets)})"


def _spans(of: Regime) -> dict[Phase, str]:
    spans: dict[Phase, str] = {}
    for phase in {step.phase for step in of.steps}:
        steps = _steps(of, phase)
        spans[phase] = f"{_clock(steps[0].start)}–{_clock(steps[-1].end)}"
    return spans


def _steps(of: Regime, phase: Phase) -> tuple[Step, ...]:
    return tuple(step for step in of.steps if step.phase is phase)


def _step_words(step: Step) -> str:
    return f"{stage_words(step.phase, step.stage) or step.phase.value} {_clock(step.start)}–{_clock(step.end)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"

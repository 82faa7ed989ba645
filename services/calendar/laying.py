"""The calendar of an instant: the table, with the broker's word on days and on now laid over it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.calendar.brokers_word import BrokersWord
from services.calendar.compare import (
    Verdict,
    applied,
    contradiction_of_status,
    contradictions_of_days,
    status_verdict,
)
from services.domain.calendar.calendar import BUNDLED, MarketCalendar
from services.domain.calendar.days import DayOverride, StatusOverride, midnight
from services.domain.clock import ist_date
from services.domain.phases import Market
from services.storage.calendar_contradictions import Contradiction
from services.storage.calendar_store import HeardStatus

_AHEAD = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Laid:
    """What holds now; at first the table alone. `current` is `by_days` with the statuses that are followed; the same
    object while nothing has changed, because a calendar remembers what it has worked out."""

    word: BrokersWord = field(default_factory=BrokersWord)
    told: tuple[DayOverride, ...] = ()
    overrides: tuple[DayOverride, ...] = ()
    by_days: MarketCalendar = BUNDLED
    claims: tuple[StatusOverride, ...] = ()
    current: MarketCalendar = BUNDLED
    disputed: Mapping[Market, str] = field(default_factory=dict)
    """The status words that contradict the calendar."""
    contradictions: tuple[Contradiction, ...] = ()

    def with_word(self, word: BrokersWord, source: str, now: datetime, believed: timedelta) -> Laid:
        """`word` laid over the table at `now`. A status is followed for `believed` after it was heard last."""
        told, overrides, by_days = self.told, self.overrides, self.by_days
        if word.holidays is not self.word.holidays or word.timings is not self.word.timings:
            told = tuple(word.told(source))
            overrides = tuple(applied(told))
            if overrides != self.overrides:
                by_days = MarketCalendar(overrides) if overrides else BUNDLED
        claims, disputed, found = self._statuses(by_days, word.statuses, source, now, believed)
        current = self.current
        if by_days is not self.by_days or claims != self.claims:
            current = MarketCalendar(overrides, claims) if claims else by_days
        days = contradictions_of_days(told, today=ist_date(now), now=now)
        contradictions = tuple(sorted([*days, *found], key=lambda one: (one.day, one.market, one.about)))
        return Laid(word, told, overrides, by_days, claims, current, disputed, contradictions)

    def _statuses(
        self,
        by_days: MarketCalendar,
        statuses: Mapping[Market, HeardStatus],
        source: str,
        now: datetime,
        believed: timedelta,
    ) -> tuple[tuple[StatusOverride, ...], dict[Market, str], list[Contradiction]]:
        """What is followed of `statuses`, and what of it contradicts the days.

        A status that contradicts only what the broker itself declared for the day is told and not followed: it may be
        the schedule's, not the market's, and who believes a market closed does no harm in it.
        """
        claims: list[StatusOverride] = []
        disputed: dict[Market, str] = {}
        found: list[Contradiction] = []
        for market, heard in statuses.items():
            at, word = heard.fetched_at, heard.status.status
            if not -_AHEAD <= now - at < believed:
                continue  # heard too long ago, or by another clock
            verdict = status_verdict(by_days, market, word, at)
            if verdict is Verdict.UNSETTLED and self.disputed.get(market) == word:
                verdict = Verdict.CONTRADICTS  # as it was before the boundary came near
            if verdict is Verdict.CONTRADICTS:
                disputed[market] = word
                found.append(contradiction_of_status(by_days, market, word, source=source, at=at))
            own_list = verdict is Verdict.CONTRADICTS and status_verdict(BUNDLED, market, word, at) is Verdict.AGREES
            if verdict in (Verdict.CONTRADICTS, Verdict.FILLS) and not own_list:
                since = max(heard.first_seen, midnight(ist_date(now)))
                if since < at + believed:
                    claims.append(StatusOverride(market, word, since, at + believed, source))
        return tuple(claims), disputed, found

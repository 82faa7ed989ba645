"""What is to be asked of the broker, and by which calls. Pure; days are ordinals."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from services.domain.candles import Interval
from services.domain.day_spans import DaySpans, Span

FAR = 12
"""Days without a session that may lie between two with one."""

HasSession = Callable[[int], bool]
"""May there be bars on that day? True where nobody knows."""


def to_ask(missing: Iterable[Span], has_session: HasSession) -> list[Span]:
    """`missing` without days on which nothing can have traded: no call begins or ends with one, none is made for them
    alone."""
    asked = []
    for first, end in missing:
        while first < end and not has_session(first):
            first += 1
        while first < end and not has_session(end - 1):
            end -= 1
        if first < end:
            asked.append((first, end))
    return asked


def calls(spans: Iterable[Span], most_days: int | None, has_session: HasSession) -> list[Span]:
    """`spans` as single calls of at most `most_days`, the newest first: what a trader wants to see first."""
    made: list[Span] = []
    for first, end in spans:
        while first < end:
            start = first if most_days is None else max(first, end - most_days)
            made += to_ask([(start, end)], has_session)
            end = start
    return sorted(made, reverse=True)


def whole_periods(span: Span, interval: Interval) -> Span:
    """`span` widened to whole bars of weeks or months, so that no bar is cut."""
    first, end = span
    if first >= end or interval.period(date.fromordinal(first))[1].toordinal() == first + 1:
        return span
    low, _ = interval.period(date.fromordinal(first))
    _, high = interval.period(date.fromordinal(end - 1))
    return low.toordinal(), high.toordinal()


def overlapping(call: Span, covered: DaySpans, interval: Interval, has_session: HasSession) -> Span:
    """`call` lengthened by the last bar before it that is known, if nothing newer is known: whether that bar is still
    the same tells whether the whole series is (it is not after a split). One bar more, so only for days and longer."""
    first, end = call
    if interval.intraday or any(known_end > end for _, known_end in covered):
        return call
    before = first - 1
    for _ in range(FAR):
        if has_session(before):
            break
        before -= 1
    if before not in covered:
        return call
    low = interval.period(date.fromordinal(before))[0].toordinal()
    most = interval.caps.days
    return (low, end) if most is None or end - low <= most else call

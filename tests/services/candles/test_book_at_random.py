"""Whatever is read in whatever order, with calls that fail now and then and days that pass: what is told as complete is
exactly what the broker has, and no closed day is asked for twice."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.domain.calendar.days import midnight
from services.domain.candles import DAY, MINUTE, MONTH, WEEK, Interval
from services.domain.clock import epoch_ms, ist_date
from services.domain.errors import BrokerFault, UpstoxError
from services.wire.candle_columns import CandleColumns, joined
from tests.support.candle_columns import same
from tests.support.candles import KEY, Asked, FakeCandles, ist, open_candle_book
from tests.support.clocks import FakeClock

BEGIN = date(2026, 9, 1)


@dataclass(frozen=True)
class Step:
    """One read, after so many hours; `fails`: which of its calls fail."""

    interval: Interval
    first: int
    days: int
    hours_later: int
    fails: frozenset[int]
    reopen: bool


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from([MINUTE, Interval.parse("5m"), Interval.parse("1h"), DAY, WEEK, MONTH]),
        st.integers(0, 80),
        st.integers(1, 60),
        st.sampled_from([0, 0, 1, 7, 24, 100]),
        st.frozensets(st.integers(0, 3), max_size=2),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


def whole(broker: FakeCandles, interval: Interval, first: date, end: date) -> CandleColumns:
    """All bars that begin in these days, and that are over or run."""
    now = broker.clock.now()
    today = ist_date(now)
    low = interval.period(first)[0]
    high = interval.period(end - timedelta(days=1))[1]
    days = [low + timedelta(days=n) for n in range((min(high, today) - low).days)]
    closed = broker.bars(MINUTE if interval.intraday else DAY, days)
    running = broker.minutes(today)
    running = running.take(running.start_ms <= epoch_ms(now))
    parts = [closed]
    if today < high:
        parts.append(running if interval.intraday else broker.daily(running, today))
    return broker.longer(joined(parts), interval).between(epoch_ms(midnight(low)), epoch_ms(midnight(end)))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_complete_answers_are_right_and_closed_days_are_asked_for_once(steps: list[Step]) -> None:
    clock = FakeClock(ist("2026-10-09 11:02"))
    broker = FakeCandles(clock)
    with tempfile.TemporaryDirectory() as folder:
        for step in steps:
            clock.move(hours=step.hours_later)
            first = BEGIN + timedelta(days=step.first)
            end = first + timedelta(days=step.days)
            broker.fault = _failing(broker, step.fails)
            with open_candle_book(Path(folder), broker) as book:
                series = book.read(KEY, step.interval, midnight(first), midnight(end))

            assert (series.start_ms[1:] > series.start_ms[:-1]).all()
            expected = whole(broker, step.interval, first, end)
            if series.complete and series.provisional_from is None:
                assert same(series.columns, expected)
            else:  # the running day may be five minutes old; what failed is missing, nothing is invented
                known = expected.start_ms.searchsorted(series.start_ms)
                assert (expected.start_ms[known] == series.start_ms).all()
                if series.provisional_from is not None:
                    final = series.start_ms < epoch_ms(series.provisional_from)
                    assert same(series.columns.take(final), expected.take(known[final]))
        _asked_once(broker.asked)


def _failing(broker: FakeCandles, which: frozenset[int]) -> Callable[[Asked], UpstoxError | None]:
    """Of the calls made from now on those of these places fail."""
    before = len(broker.asked) + 1
    return lambda asked: BrokerFault("stumbled", status=500) if len(broker.asked) - before in which else None


def _asked_once(calls: list[Asked]) -> None:
    """Of one interval no session was told by two calls, but for the one bar that the newest call takes along."""
    told: dict[tuple[str, date], int] = {}
    for one in calls:
        if one.first is None or one.last is None or one.failed:
            continue
        for n in range((one.last - one.first).days + 1):
            day = one.first + timedelta(days=n)
            told[one.interval.word, day] = told.get((one.interval.word, day), 0) + 1
    minutes = [
        (word, day) for (word, day), times in told.items() if times > 1 and word.startswith(("minutes", "hours"))
    ]
    assert minutes == []

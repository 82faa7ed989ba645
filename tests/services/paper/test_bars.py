from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.paper.bars import HALF_HOUR_MS, MINUTE_MS, daily, grouped, joined, midnights, monthly, ordinals, weekly
from services.paper.model import NO_BARS, Bars, MarketBar

OPENING = 1795146300000  # 2026-11-20 09:15 IST
MIDNIGHT = OPENING - 555 * MINUTE_MS


def minute(n: int, *, volume: int = 10) -> MarketBar:
    return MarketBar(OPENING + n * MINUTE_MS, 100.0 + n, 101.0 + n, 99.0 + n, 100.5 + n, volume, 7 + n)


def minutes(*numbers: int) -> Bars:
    return Bars.of([minute(n) for n in numbers])


def day(text: str, open_: float, high: float, low: float, close: float, volume: int = 5) -> Bars:
    stamp = midnights(np.array([date.fromisoformat(text).toordinal()]))
    return Bars(stamp, np.array([[open_, high, low, close]]), np.array([volume]), np.array([3]), stamp)


def stamps(bars: Bars) -> list[str]:
    return [date.fromordinal(ordinal).isoformat() for ordinal in ordinals(bars).tolist()]


def test_half_hours_are_counted_from_the_opening() -> None:
    bars = grouped(minutes(*range(61)), HALF_HOUR_MS)

    assert [(start - OPENING) for start in bars.start_ms.tolist()] == [0, HALF_HOUR_MS, 2 * HALF_HOUR_MS]
    assert bars.bar(0) == MarketBar(OPENING, 100.0, 130.0, 99.0, 129.5, 300, 36)
    assert bars.volume[2] == 10


def test_a_gap_leaves_bars_out_and_keeps_the_grid() -> None:
    bars = grouped(minutes(0, 29, 95), HALF_HOUR_MS)

    assert ((bars.start_ms - OPENING) // HALF_HOUR_MS).tolist() == [0, 3]


def test_a_first_minute_that_is_missing_does_not_shift_the_grid() -> None:
    bars = grouped(minutes(2, 7), 5 * MINUTE_MS)

    assert ((bars.start_ms - OPENING) // MINUTE_MS).tolist() == [0, 5]


def test_every_session_counts_from_its_own_opening() -> None:
    evening = Bars.of([MarketBar(OPENING + 600 * MINUTE_MS + n * MINUTE_MS, 1, 1, 1, 1, 1, 0) for n in range(3)])

    bars = grouped(joined([minutes(0, 374), evening]), 60 * MINUTE_MS)

    assert ((bars.start_ms - OPENING) // MINUTE_MS).tolist() == [0, 360, 600]


def test_nothing_makes_nothing() -> None:
    assert len(joined([])) == 0
    for made in (grouped(NO_BARS, MINUTE_MS), daily(NO_BARS, ordinals(NO_BARS)), weekly(NO_BARS), monthly(NO_BARS)):
        assert len(made) == 0


def test_a_day_is_stamped_at_midnight_in_india_and_has_the_date_it_is_given() -> None:
    own, practice = (daily(minutes(0, 1, 2), np.full(3, of)) for of in (date(2026, 11, 20).toordinal(), 739_000))

    assert own.bar(0) == MarketBar(MIDNIGHT, 100.0, 103.0, 99.0, 102.5, 30, 9)
    assert ordinals(practice).tolist() == [739_000]


def test_a_week_starts_on_its_monday_and_a_month_on_its_first() -> None:
    days = joined([
        day("2026-10-30", 10, 12, 9, 11), day("2026-11-02", 11, 15, 10, 14), day("2026-11-06", 14, 14, 8, 9),
        day("2026-11-09", 9, 10, 9, 10),
    ])  # fmt: skip

    weeks, months = weekly(days), monthly(days)

    assert stamps(weeks) == ["2026-10-26", "2026-11-02", "2026-11-09"]
    assert (weeks.prices[1].tolist(), weeks.volume[1]) == ([11, 15, 8, 9], 10)
    assert stamps(months) == ["2026-10-01", "2026-11-01"]
    assert (months.prices[1].tolist(), months.volume[1]) == ([11, 15, 8, 10], 15)


def test_a_sunday_session_belongs_to_the_week_that_ends() -> None:
    days = joined([day("2026-01-30", 1, 1, 1, 1), day("2026-02-01", 2, 2, 2, 2), day("2026-02-02", 3, 3, 3, 3)])

    assert stamps(weekly(days)) == ["2026-01-26", "2026-02-02"]
    assert stamps(monthly(days)) == ["2026-01-01", "2026-02-01"]


@given(st.sets(st.integers(0, 374), min_size=1), st.integers(1, 300))
def test_no_volume_is_lost_and_bars_stay_in_order(numbers: set[int], span: int) -> None:
    of_day = Bars.of([minute(n, volume=n) for n in sorted(numbers)])

    bars = grouped(of_day, span * MINUTE_MS)

    assert int(bars.volume.sum()) == sum(numbers)
    starts = bars.start_ms.tolist()
    assert starts == sorted(set(starts))
    assert daily(of_day, ordinals(of_day)).prices[0, 3] == bars.prices[-1, 3]

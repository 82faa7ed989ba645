from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.paper.bars import HALF_HOUR_MS, MINUTE_MS, grouped, whole_day
from services.paper.model import MarketBar

OPENING = 1795146300000  # 2026-11-20 09:15 IST


def minute(n: int, *, volume: int = 10) -> MarketBar:
    return MarketBar(OPENING + n * MINUTE_MS, 100.0 + n, 101.0 + n, 99.0 + n, 100.5 + n, volume, 7 + n)


def test_half_hours_are_counted_from_the_opening() -> None:
    bars = grouped([minute(n) for n in range(61)], HALF_HOUR_MS)

    assert [bar.start_ms - OPENING for bar in bars] == [0, HALF_HOUR_MS, 2 * HALF_HOUR_MS]
    assert bars[0] == MarketBar(OPENING, 100.0, 130.0, 99.0, 129.5, 300, 36)
    assert bars[2].volume == 10


def test_a_gap_leaves_bars_out_and_keeps_the_grid() -> None:
    bars = grouped([minute(0), minute(29), minute(95)], HALF_HOUR_MS)

    assert [(bar.start_ms - OPENING) // HALF_HOUR_MS for bar in bars] == [0, 3]


def test_a_first_minute_that_is_missing_does_not_shift_the_grid() -> None:
    bars = grouped([minute(2), minute(7)], 5 * MINUTE_MS)

    assert [(bar.start_ms - OPENING) // MINUTE_MS for bar in bars] == [0, 5]


def test_nothing_makes_nothing() -> None:
    assert grouped([], MINUTE_MS) == []
    assert whole_day([], OPENING) == []


@given(st.sets(st.integers(0, 374), min_size=1), st.integers(1, 300))
def test_no_volume_is_lost_and_bars_stay_in_order(numbers: set[int], span: int) -> None:
    minutes = [minute(n, volume=n) for n in sorted(numbers)]

    bars = grouped(minutes, span * MINUTE_MS)

    assert sum(bar.volume for bar in bars) == sum(numbers)
    starts = [bar.start_ms for bar in bars]
    assert starts == sorted(set(starts))
    assert whole_day(minutes, 0)[0].close == bars[-1].close

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.candles.deriving import from_days, from_minutes, grouped, is_exact, one_bar
from services.domain.candles import DAY, MINUTE, MONTH, WEEK, Interval
from services.domain.clock import epoch_ms
from services.storage.candle_store import EPOCH
from services.wire.candle_columns import CandleColumns, columns_of, no_candles
from tests.support.candle_columns import same
from tests.support.candles import FakeCandles, day, ist
from tests.support.clocks import FakeClock

MARKET = FakeCandles(FakeClock(ist("2026-11-21 10:00")))
OPEN = epoch_ms(ist("2026-11-19 09:15"))
TODAY = date(2026, 11, 19).toordinal()


def minutes(places: list[int], closes: list[float] | None = None) -> CandleColumns:
    prices = closes or [100.0 + place for place in places]
    return columns_of(
        [[OPEN + 60_000 * place for place in places], prices, prices, prices, prices, [1] * len(places), places]
    )


def days(candles: CandleColumns) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return (candles.start_ms + 19_800_000) // 86_400_000 + EPOCH


@given(st.lists(st.integers(0, 374), min_size=1, unique=True).map(sorted), st.integers(2, 300))
def test_a_longer_bar_holds_its_minutes_and_nothing_else(places: list[int], length: int) -> None:
    told = minutes(places)

    bars = from_minutes(told, days(told), Interval.parse(f"{length}m"), lambda day: OPEN)

    assert bars.start_ms.tolist() == sorted({OPEN + place // length * length * 60_000 for place in places})
    for bar in bars.bars():
        inside = [place for place in places if 0 <= OPEN + place * 60_000 - epoch_ms(bar.start) < length * 60_000]
        assert (bar.open, bar.close, bar.high, bar.low) == (
            100 + inside[0],
            100 + inside[-1],
            100 + inside[-1],
            100 + inside[0],
        )
        assert (bar.volume, bar.oi) == (len(inside), inside[-1])


def test_bars_are_counted_from_the_opening_of_each_day() -> None:
    told = MARKET.bars(MINUTE, [date(2026, 10, 15), date(2026, 10, 16)])

    bars = from_minutes(
        told, days(told), Interval.parse("1h"), lambda day: epoch_ms(ist(f"{date.fromordinal(day)} 09:15"))
    )

    assert [f"{bar.start:%H:%M}" for bar in bars.bars()] == [
        "03:45",
        "04:45",
        "05:45",
        "06:45",
        "07:45",
        "08:45",
        "09:45",
    ] * 2


def test_minutes_of_a_day_whose_opening_nobody_knows_are_left_out() -> None:
    told = minutes([0, 1])

    assert len(from_minutes(told, days(told), Interval.parse("5m"), lambda day: None)) == 0
    assert same(from_minutes(no_candles(), np.empty(0, np.int64), Interval.parse("5m"), lambda day: OPEN), no_candles())


@pytest.mark.parametrize(
    ("told", "opening", "exact"),
    [
        (minutes([0]), OPEN, True),
        (minutes([-7, 0]), OPEN, False),
        (minutes([0]), None, False),
        (no_candles(), None, True),
    ],
)
def test_only_minutes_since_a_known_opening_make_exact_bars(
    told: CandleColumns, opening: int | None, exact: bool
) -> None:
    assert is_exact(told, opening) is exact


def test_weeks_begin_on_monday_and_months_on_the_first_at_midnight_in_india() -> None:
    daily = MARKET.bars(DAY, [date(2026, 10, 30), date(2026, 11, 2), date(2026, 11, 3)])

    weeks, months = from_days(daily, WEEK), from_days(daily, MONTH)

    assert weeks.start_ms.tolist() == [epoch_ms(day("2026-10-26")), epoch_ms(day("2026-11-02"))]
    assert months.start_ms.tolist() == [epoch_ms(day("2026-10-01")), epoch_ms(day("2026-11-01"))]
    assert months.volume.tolist() == [daily.volume[0], daily.volume[1] + daily.volume[2]]
    assert same(from_days(no_candles(), WEEK), no_candles())


def test_a_day_as_one_bar() -> None:
    (bar,) = one_bar(minutes([0, 1, 2], [5.0, 9.0, 7.0]), 77).bars()

    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (5.0, 9.0, 5.0, 7.0, 3)
    assert len(grouped(no_candles(), np.empty(0, np.int64))) == 0

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.candles.comparing import changes, factor, jumps
from services.wire.candle_columns import CandleColumns, columns_of, no_candles

MINUTE = 60_000


def candles(closes: list[float], *, first: int = 0, spread: float = 1.0) -> CandleColumns:
    prices = np.array(closes)
    starts = [(first + n) * MINUTE for n in range(len(closes))]
    return columns_of([starts, prices, prices + spread, prices - spread, prices, [1] * len(closes), [0] * len(closes)])


def scaled(told: CandleColumns, by: float) -> CandleColumns:
    prices = (np.round(column * by, 2) for column in (told.open, told.high, told.low, told.close))
    return columns_of([told.start_ms, *prices, told.volume, told.oi])


@given(
    st.lists(st.floats(20, 100_000).map(lambda price: round(price, 2)), min_size=1, max_size=40),
    st.sampled_from([0.1, 0.2, 0.5, 2 / 3, 0.8, 0.95, 1.25, 2.0, 10.0]),
)
def test_prices_adjusted_by_a_factor_are_known_by_it(closes: list[float], by: float) -> None:
    told = candles(closes)

    found = factor(told, scaled(told, by))

    assert found == pytest.approx(by, rel=0.01)


@given(st.lists(st.floats(20, 100_000).map(lambda price: round(price, 2)), min_size=1, max_size=40))
def test_equal_prices_have_no_factor(closes: list[float]) -> None:
    assert factor(candles(closes), candles(closes)) is None


def test_a_corrected_close_is_no_factor() -> None:
    told = candles([100.0, 101.0, 102.0])
    now = CandleColumns(*told.as_tuple()[:4], told.close + np.array([0, 0, 3]), *told.as_tuple()[5:])

    assert factor(told, now) is None


def test_prices_of_a_running_day_may_differ_a_little() -> None:
    told = candles([100.0 + n for n in range(50)])
    noisy = CandleColumns(*told.as_tuple()[:4], told.close * 1.002, *told.as_tuple()[5:])

    assert factor(told, noisy, running=True) is None
    assert factor(told, scaled(noisy, 0.5), running=True) == pytest.approx(0.5, rel=0.01)


def test_bars_that_do_not_meet_and_prices_of_zero_tell_nothing() -> None:
    assert factor(candles([1.0]), candles([2.0], first=9)) is None
    assert factor(candles([0.0], spread=0.0), candles([5.0])) is None
    assert factor(no_candles(), candles([5.0])) is None


def test_a_leap_from_one_stretch_to_the_next_is_seen() -> None:
    assert jumps(candles([100.0]), candles([105.0]))
    assert jumps(candles([100.0]), candles([50.0]))
    assert not jumps(candles([100.0]), candles([103.0]))
    assert not jumps(no_candles(), candles([103.0]))
    assert not jumps(candles([0.0]), candles([103.0]))


def test_changed_bars_are_counted_and_the_worst_is_told() -> None:
    told = candles([100.0, 101.0, 102.0])
    now = CandleColumns(*told.as_tuple()[:4], told.close + np.array([0, 1, 5]), told.volume, told.oi)

    (note,) = changes(told, now, at_ms=7)

    assert (note.kind, note.bars, note.first_ms, note.last_ms, note.at_ms) == ("changed", 2, MINUTE, 2 * MINUTE, 7)
    assert note.detail == "most: 01 Jan 1970 05:32 close 102 -> 107"
    assert changes(told, told, at_ms=7) == []


def test_a_bar_that_was_not_there_though_its_time_was_over_is_late() -> None:
    told, now = candles([1.0, 2.0, 4.0]).take(np.array([0, 2])), candles([1.0, 2.0, 4.0, 5.0])

    (note,) = changes(told, now, at_ms=9, told_ms=10 * MINUTE)

    assert (note.kind, note.bars, note.first_ms) == ("late", 1, MINUTE)
    assert changes(told, now, at_ms=9) == []
    assert changes(told, now, at_ms=9, told_ms=MINUTE) == []

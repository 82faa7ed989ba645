"""What of a series goes to the browser: enough to see everything, never more than it can draw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.chart_bars import BESIDE, MOST_IN_SIGHT, WHOLE, Cut, beside, cut_of, figures, line, places_of, thinned
from services.candles.series import CandleSeries
from tests.support.candles_page import minutes, series


def test_few_bars_go_as_they_are():
    assert cut_of(0, None) == Cut(0, 0, 1)
    assert cut_of(WHOLE, None) == Cut(0, WHOLE, 1)
    assert cut_of(375, (10, 20)) == Cut(0, 375, 1)


def test_many_bars_are_joined_to_about_a_thousand():
    cut = cut_of(93_750, None)

    assert cut.step == 94
    assert (cut.last - cut.first) / cut.step <= MOST_IN_SIGHT


def test_whoever_looks_closer_sees_every_bar_and_has_some_beside():
    cut = cut_of(93_750, (50_000, 50_800))

    assert cut.step == 1
    assert cut.first == 50_000 - int(800 * BESIDE)
    assert cut.last == 50_800 + int(800 * BESIDE)


@given(total=st.integers(0, 200_000), start=st.integers(-100, 200_000), width=st.integers(1, 200_000))
def test_what_is_in_sight_is_sent_and_is_never_too_much(total, start, width):
    cut = cut_of(total, (max(0, start), max(0, start) + width))

    assert 0 <= cut.first <= cut.last <= total
    assert cut.first % cut.step == 0
    assert (cut.last - cut.first) <= max(WHOLE, cut.step * (MOST_IN_SIGHT * (1 + 2 * BESIDE) + 4))
    if total > WHOLE and start + width <= total and start >= 0:
        assert cut.first <= max(0, start)
        assert cut.last >= min(total, max(0, start) + width)


def test_joined_bars_lose_no_extreme_and_no_volume():
    whole = minutes(3_000)
    whole.high[1234], whole.low[2345], whole.oi[5] = 9_999.0, 1.0, 7
    bars = thinned(whole, Cut(0, 3_000, 7))

    assert max(bars["high"]) == 9_999.0
    assert min(bars["low"]) == 1.0
    assert sum(bars["volume"]) == int(whole.volume.sum())
    assert len(bars["time"]) == -(-3_000 // 7)
    assert bars["open"][1] == whole.open[7]
    assert bars["close"][0] == whole.close[6]
    assert bars["close"][-1] == whole.close[-1]
    assert bars["time"][3] == int(whole.start_ms[21])


def test_the_bar_before_the_first_is_told_for_its_change():
    whole = minutes(3_000)

    assert thinned(whole, Cut(0, 100, 1))["before"] is None
    assert thinned(whole, Cut(100, 200, 1))["before"] == whole.close[99]


def test_no_bars_make_empty_lists():
    bars = thinned(minutes(0), Cut(0, 0, 1))

    assert bars["time"] == bars["close"] == []


def test_a_line_has_the_value_at_the_end_of_each_bar():
    values = np.arange(10, dtype=np.float64)
    values[2] = np.nan

    assert line(values, Cut(0, 10, 1), 2)[:4] == [0.0, 1.0, None, 3.0]
    assert line(values, Cut(0, 10, 3), 2) == [None, 5.0, 8.0, 9.0]
    assert line(values, Cut(0, 0, 1), 2) == []
    assert figures(np.array([1.23456, np.nan, np.inf]), 2)[:2] == [1.23, None]


def test_another_instrument_stands_beside_with_its_last_known_close():
    own = minutes(6)
    other = minutes(6)
    holey = CandleSeries.of("other", other.interval, other.columns.take(np.array([1, 2, 4])))

    values = beside(own, holey)

    assert np.isnan(values[0])
    assert values[1:5].tolist() == [other.close[1], other.close[2], other.close[2], other.close[4]]
    assert values[5] == other.close[4]
    assert np.isnan(beside(own, minutes(0))).all()
    assert len(beside(minutes(0), other)) == 0


def test_one_that_ended_long_ago_is_not_drawn_on_for_ever():
    own = minutes(6)
    short = CandleSeries.of("short", own.interval, own.columns.take(slice(0, 2)))

    assert np.isnan(beside(own, short)[3:]).all()


@pytest.mark.parametrize(("shift", "place"), [(0, 3), (1, 4), (-1, 3), (10**12, 10), (-(10**12), 0)])
def test_an_instant_is_the_number_of_the_first_bar_from_then_on(shift, place):
    whole = series(range(1, 11))

    assert places_of(whole, [int(whole.start_ms[3]) + shift]) == [place]

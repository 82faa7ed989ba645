"""Indicators against worked examples that others have published, and against a plain loop where nobody has."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from dashboard.indicators import MOST_STUDIES, PARAMETERS, Kind, Study, parse_studies, session_vwap, words_of
from services.domain.candles import DAY, MINUTE
from services.domain.clock import IST
from services.domain.errors import InvalidRequest
from tests.support.candles_page import minutes, series

# StockCharts ChartSchool, worksheets cs-rsi, cs-movavg and cs-bbands (QQQQ, INTC, SPY).
RSI_CLOSES = [
    44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931, 46.0328, 45.6140,
    46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439, 46.2122, 46.2521, 45.7137, 46.4515, 45.7835, 45.3548,
    44.0288, 44.1783, 44.2181, 44.5672, 43.4205, 42.6628, 43.1314,
]  # fmt: skip
RSI_14 = [
    70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38, 54.71, 50.42, 39.99, 41.46, 41.87, 45.46,
    37.30, 33.08, 37.77,
]  # fmt: skip
AVERAGE_CLOSES = [
    22.27, 22.19, 22.08, 22.17, 22.18, 22.13, 22.23, 22.43, 22.24, 22.29, 22.15, 22.39, 22.38, 22.61, 23.36, 24.05,
    23.75, 23.83, 23.95, 23.63, 23.82, 23.87, 23.65, 23.19, 23.10, 23.33, 22.68, 23.10, 22.40, 22.17,
]  # fmt: skip
SMA_10 = [
    22.22, 22.21, 22.23, 22.26, 22.31, 22.42, 22.61, 22.77, 22.91, 23.08, 23.21, 23.38, 23.53, 23.65, 23.71, 23.69,
    23.61, 23.51, 23.43, 23.28, 23.13,
]  # fmt: skip
EMA_10 = [
    22.22, 22.21, 22.24, 22.27, 22.33, 22.52, 22.80, 22.97, 23.13, 23.28, 23.34, 23.43, 23.51, 23.54, 23.47, 23.40,
    23.39, 23.26, 23.23, 23.08, 22.92,
]  # fmt: skip
BAND_CLOSES = [
    86.16, 89.09, 88.78, 90.32, 89.07, 91.15, 89.44, 89.18, 86.93, 87.68, 86.96, 89.43, 89.32, 88.72, 87.45, 87.26,
    89.50, 87.90, 89.13, 90.70, 92.90, 92.98, 91.80, 92.66,
]  # fmt: skip
BANDS_20_2 = [
    (91.29, 88.71, 86.12),
    (91.95, 89.05, 86.14),
    (92.61, 89.24, 85.87),
    (92.93, 89.39, 85.85),
    (93.31, 89.51, 85.70),
]
# investexcel.net, "How to calculate MACD in Excel" (AAPL, 2013).
MACD_CLOSES = [
    459.99, 448.85, 446.06, 450.81, 442.80, 448.97, 444.57, 441.40, 430.47, 420.05, 431.14, 425.66, 430.58, 431.72,
    437.87, 428.43, 428.35, 432.50, 443.66, 455.72, 454.49, 452.08, 452.73, 461.91, 463.58, 461.14, 452.08, 442.66,
    428.91, 429.79, 431.99, 427.72, 423.20, 426.21, 426.98, 435.69,
]  # fmt: skip
MACD_12_26 = [8.275269504, 7.703378381, 6.416074757, 4.237519783, 2.552583325, 1.378885719, 0.102981491, -1.258401953]
SIGNAL_9_FIRST = 3.037525869


def lines(word, bars):
    return {line.name: line.values for line in Study.parse(word).lines(bars)}


@pytest.mark.parametrize(
    ("word", "closes", "first", "published"),
    [("rsi14", RSI_CLOSES, 14, RSI_14), ("sma10", AVERAGE_CLOSES, 9, SMA_10), ("ema10", AVERAGE_CLOSES, 9, EMA_10)],
)
def test_a_published_series_is_met(word, closes, first, published):
    (values,) = lines(word, series(closes)).values()

    assert np.isnan(values[:first]).all()
    assert values[first:] == pytest.approx(published, abs=0.0101)


def test_bollingers_bands_are_the_published_ones():
    found = lines("bb20-2", series(BAND_CLOSES))

    triples = list(zip(*(found[name][19:] for name in ("upper", "middle", "lower")), strict=True))
    for ours, published in zip(triples, BANDS_20_2, strict=True):
        assert ours == pytest.approx(published, abs=0.02)


def test_the_macd_is_the_published_one():
    found = lines("macd12-26-9", series(MACD_CLOSES))

    assert np.isnan(found["MACD"][:25]).all()
    assert found["MACD"][25 : 25 + len(MACD_12_26)] == pytest.approx(MACD_12_26, abs=1e-6)
    assert np.isnan(found["signal"][:33]).all()
    assert found["signal"][33] == pytest.approx(SIGNAL_9_FIRST, abs=1e-6)
    assert found["histogram"][33] == pytest.approx(found["MACD"][33] - SIGNAL_9_FIRST, abs=1e-6)


def plain_supertrend(highs, lows, closes, bars, factor):
    """The rule as written down everywhere: bands around the middle, each only ever drawn closer while it holds."""
    ranges = [highs[0] - lows[0]]
    ranges += [
        max(h - low, abs(h - before), abs(low - before))
        for h, low, before in zip(highs[1:], lows[1:], closes[:-1], strict=True)
    ]
    average = [float("nan")] * len(closes)
    average[bars] = sum(ranges[1 : bars + 1]) / bars
    for i in range(bars + 1, len(closes)):
        average[i] = (average[i - 1] * (bars - 1) + ranges[i]) / bars
    upper = lower = None
    rising, out = True, []
    for i in range(bars, len(closes)):
        middle = (highs[i] + lows[i]) / 2
        high_band, low_band = middle + factor * average[i], middle - factor * average[i]
        if upper is not None:
            high_band = high_band if high_band < upper or closes[i - 1] > upper else upper
            low_band = low_band if low_band > lower or closes[i - 1] < lower else lower
            rising = closes[i] >= low_band if rising else closes[i] > high_band
        else:
            rising = True
        upper, lower = high_band, low_band
        out.append((rising, low_band if rising else high_band))
    return out


def test_supertrend_is_what_a_plain_loop_makes_of_its_rule():
    random = np.random.default_rng(7)
    closes = 1500 + np.cumsum(random.normal(0, 6, 300))
    highs, lows = closes + random.uniform(0.5, 5, 300), closes - random.uniform(0.5, 5, 300)
    found = lines("supertrend10-3", series(closes, highs=highs, lows=lows))
    expected = plain_supertrend(highs.tolist(), lows.tolist(), closes.tolist(), 10, 3.0)

    settled = 60  # the first direction is a matter of taste
    for i, (rising, level) in list(enumerate(expected, start=10))[settled:]:
        assert found["rising" if rising else "falling"][i] == pytest.approx(level, rel=1e-9), i
        assert np.isnan(found["falling" if rising else "rising"][i])


def test_vwap_begins_anew_with_each_session():
    day, next_day = (datetime(2026, 11, d, 9, 15, tzinfo=IST).astimezone(UTC) for d in (19, 20))
    first = series([10.0, 20.0], interval=MINUTE, start=day, volume=[1, 3], highs=[10, 20], lows=[10, 20])
    second = series([40.0, 50.0], interval=MINUTE, start=next_day, volume=[0, 5], highs=[40, 50], lows=[40, 50])
    both = series(
        [10.0, 20.0, 40.0, 50.0], interval=MINUTE, volume=[1, 3, 0, 5], highs=[10, 20, 40, 50], lows=[10, 20, 40, 50]
    )
    both.start_ms[:] = np.concatenate((first.start_ms, second.start_ms))

    values = session_vwap(both)

    assert values[:2].tolist() == [10.0, 17.5]
    assert np.isnan(values[2])  # nothing traded yet on that day
    assert values[3] == 50.0


def test_vwap_says_why_it_cannot_be():
    vwap = Study.parse("vwap")

    assert "shorter than a day" in vwap.why_not(series([1.0, 2.0], interval=DAY))
    assert "volume" in vwap.why_not(series([1.0, 2.0], interval=MINUTE, volume=0))
    assert vwap.why_not(minutes(5)) == ""


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("count", [0, 1, 2, 30])
def test_every_indicator_has_a_value_or_none_for_each_bar(kind, count):
    for line in Study.usual(kind).lines(minutes(count)):
        assert len(line.values) == count


@pytest.mark.parametrize("kind", Kind)
def test_more_bars_before_it_do_not_change_what_is_settled(kind):
    study = Study.usual(kind)
    random = np.random.default_rng(3)
    whole = series(1500 + np.cumsum(random.normal(0, 2, 2000)), interval=MINUTE)
    begin = 2000 - study.warm_up - 50
    late = series(
        whole.close[begin:].tolist(), interval=MINUTE, start=datetime.fromtimestamp(whole.start_ms[begin] / 1000, UTC)
    )
    late.open[0], late.high[0], late.low[0] = whole.open[begin], whole.high[begin], whole.low[begin]
    if kind is Kind.VWAP:
        return  # anchored: it is told by the session
    for ours, all_of_it in zip(study.lines(late), study.lines(whole), strict=True):
        np.testing.assert_allclose(ours.values[-50:], all_of_it.values[-50:], rtol=2e-3, atol=0.05)


def test_words_of_a_link_are_read_back():
    studies, problems = parse_studies("sma20, ema50,rsi,bb20-2.5,macd12-26-9,sma20")

    assert [study.word for study in studies] == ["sma20", "ema50", "rsi14", "bb20-2.5", "macd12-26-9"]
    assert problems == ()
    assert parse_studies(words_of(studies))[0] == studies
    assert Study.parse("bb20-2.5").label == "Bollinger 20 2.5"


@pytest.mark.parametrize(
    "word",
    ["", "ichimoku", "sma", "sma0", "sma9999", "sma2.5", "macd26-12-9", "rsi14-3", "sma-5", "sma20;drop", "x" * 500],
)
def test_words_that_make_no_sense_are_refused(word):
    if word == "sma":
        assert Study.parse(word) == Study.usual(Kind.SMA)
        return
    with pytest.raises(InvalidRequest):
        Study.parse(word)


def test_what_is_not_understood_is_told_and_the_rest_is_taken():
    studies, problems = parse_studies("sma20,nonsense,sma1," + ",".join(f"ema{n}" for n in range(2, 20)))

    assert len(studies) == MOST_STUDIES
    assert len(problems) == 3
    assert "nonsense" in problems[0]


def test_every_kind_has_usual_numbers_that_it_accepts():
    for kind in Kind:
        assert Study.usual(kind).numbers == tuple(parameter.usual for parameter in PARAMETERS[kind])

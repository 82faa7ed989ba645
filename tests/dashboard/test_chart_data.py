"""What the chart's component is given: closed bars, the one that forms, gaps, lines, and why there is nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from dashboard.candle_loading import Look
from dashboard.chart_bars import MOST_IN_SIGHT
from dashboard.chart_choice import Choice, Span
from dashboard.chart_data import MOST_HOLES, Scene, chart_data, instants
from dashboard.chart_marks import Mark
from dashboard.indicators import Study
from services.candles.audit import AuditReport, Finding, Kind
from services.candles.series import SourcePart
from services.domain.calendar.calendar import BUNDLED
from services.domain.candles import DAY, MINUTE
from services.domain.clock import IST, epoch_ms
from services.domain.errors import NotSent
from services.domain.orders import Side
from services.domain.quotes import Bar
from tests.support.candles_page import OPENS, RELIANCE, minutes, series
from tests.support.readings import FUTURE, INSTRUMENTS

NOW = OPENS + timedelta(minutes=100, seconds=30)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=IST).astimezone(UTC)


def scene(bars=None, *, choice=None, forming=None, **changes):
    found = Scene(
        choice=choice or Choice(RELIANCE, MINUTE, Span.DAY),
        look=Look(series=minutes(100) if bars is None else bars, first=False),
        start=OPENS - timedelta(hours=9),
        now=NOW,
        instruments=INSTRUMENTS,
        compared={},
        forming=forming,
        day_volume=50_000,
        calendar=BUNDLED,
        practice=False,
        clockwork={"speed": 1.0, "in_session": True, "stale_after": 15.0, "silent_after": 10.0},
        origin="Paper, prices: simulated",
    )
    return replace(found, **changes)


def bar(start, close=1501.0):
    return Bar(start, 1500.0, 1502.0, 1499.0, close, 500, 0)


def data(given, view=None):
    made = chart_data(given, view)
    json.dumps(made)  # what the browser gets
    return made


def test_the_bar_of_the_feed_stands_behind_the_closed_ones_with_its_end_and_its_share_of_the_volume():
    made = data(scene(forming=bar(OPENS + timedelta(minutes=100))))

    assert made["total"] == 100
    assert made["forming"]["start"] == epoch_ms(OPENS + timedelta(minutes=100))
    assert made["forming"]["end"] == made["edges"][1] == epoch_ms(OPENS + timedelta(minutes=101))
    assert made["forming"]["base"] == 49_500


def test_a_bar_that_the_broker_told_and_the_feed_knows_better_is_not_there_twice():
    made = data(scene(minutes(101), forming=bar(OPENS + timedelta(minutes=100), close=1777.0)))

    assert made["total"] == 100
    assert made["forming"]["close"] == 1777.0


def test_without_a_feed_the_brokers_last_bar_is_the_one_that_forms():
    made = data(scene(minutes(101)))

    assert made["total"] == 100
    assert made["forming"]["start"] == epoch_ms(OPENS + timedelta(minutes=100))


def test_the_bar_that_forms_says_until_when_it_is_told():
    told = NOW - timedelta(seconds=70)
    parts = (
        SourcePart("stored", OPENS - timedelta(days=1), OPENS, 0, NOW),
        SourcePart("intraday", OPENS, NOW, 101, told - timedelta(hours=1), told),
    )
    known = replace(minutes(101), sources=parts)
    behind = bar(OPENS + timedelta(minutes=99))

    assert data(scene(known))["forming"]["at"] == epoch_ms(told)
    assert data(scene(known, forming=behind))["forming"]["at"] == epoch_ms(told)
    assert data(scene(known, forming=bar(OPENS + timedelta(minutes=100))))["forming"]["at"] == epoch_ms(NOW)
    assert data(scene(minutes(101)))["forming"]["at"] is None


def test_after_the_close_nothing_forms_any_more():
    late = scene(minutes(375), now=OPENS + timedelta(hours=8), forming=bar(OPENS + timedelta(minutes=374)))
    made = data(replace(late, clockwork={**late.clockwork, "in_session": False}))

    assert made["forming"] is None
    assert made["total"] == 375
    assert made["edges"] == []


def test_the_day_is_over_with_its_session():
    days = series(range(100, 110), start=at("2026-11-11 00:00"))
    choice = Choice(RELIANCE, DAY, Span.MONTH)
    in_session = data(scene(days, choice=choice, start=at("2026-11-01 00:00")))
    after = data(scene(days, choice=choice, start=at("2026-11-01 00:00"), now=at("2026-11-20 18:00")))

    assert (in_session["total"], in_session["forming"]["start"]) == (9, epoch_ms(at("2026-11-20 00:00")))
    assert (after["total"], after["forming"]) == (10, None)


def test_between_two_trades_the_next_bar_may_begin_at_any_moment():
    made = data(scene(minutes(95)))

    assert made["forming"] is None
    assert made["edges"][0] == epoch_ms(OPENS + timedelta(minutes=100))


def test_averages_know_the_bars_before_the_first_one_shown():
    whole = minutes(100)
    choice = Choice(RELIANCE, MINUTE, Span.DAY, (Study.parse("sma20"), Study.parse("rsi14")))
    made = data(scene(whole, choice=choice, start=OPENS + timedelta(minutes=40)))

    assert made["total"] == 60
    assert made["bars"]["before"] is None
    average = next(line for line in made["lines"] if line["area"] == "price")
    assert average["values"][0] == pytest.approx(np.mean(whole.close[21:41]), abs=1e-3)
    assert made["areas"] == [{"id": "rsi14", "guides": [30.0, 70.0], "range": [0.0, 100.0]}]


def test_lines_have_a_value_for_the_forming_bar_too():
    choice = Choice(RELIANCE, MINUTE, Span.DAY, (Study.parse("ema10"), Study.parse("bb20-2"), Study.parse("vwap")))
    made = data(scene(choice=choice, forming=bar(OPENS + timedelta(minutes=100), close=1700.0)))

    assert {len(line["values"]) for line in made["lines"]} == {101}
    assert made["lines"][0]["values"][-1] > made["lines"][0]["values"][-2]


def test_a_year_of_minutes_is_sent_as_a_thousand_bars_and_closer_as_they_are():
    choice = Choice(RELIANCE, MINUTE, Span.YEAR, (Study.parse("sma20"),))
    year = scene(minutes(90_000), choice=choice, now=OPENS + timedelta(days=100))
    whole, closer = data(year), data(year, (80_000, 80_400))

    assert len(whole["bars"]["time"]) <= MOST_IN_SIGHT
    assert len(whole["lines"][0]["values"]) == len(whole["bars"]["time"])
    assert "stands for" in whole["foot"]
    assert (closer["bars"]["step"], closer["foot"]) == (1, "")
    assert closer["id"] == whole["id"]
    assert len(json.dumps(closer)) < 150_000


def finding(minute, kind=Kind.NO_TRADE, bars=4):
    start = OPENS + timedelta(minutes=minute)
    return Finding(kind, start, start + timedelta(minutes=bars), bars, "")


def report(*findings):
    return AuditReport(RELIANCE, MINUTE, OPENS, NOW, 100, 104, findings)


def test_gaps_are_marked_between_the_bars_that_are_there():
    whole = minutes(100)
    holey = type(whole).of(whole.key, whole.interval, whole.columns.take(np.delete(np.arange(100), [50, 51, 52, 53])))
    given = scene(holey)
    made = data(replace(given, look=Look(holey, report(finding(50), finding(80, Kind.SUSPICIOUS)), first=False)))

    (hole,) = made["holes"]
    assert hole["at"] == 49.5
    assert "10:05–10:09" in hole["text"]
    assert "4 bars no trade" in hole["text"]


def test_an_option_that_hardly_trades_is_not_buried_under_marks():
    given = scene()
    many = report(*(finding(minute, bars=1) for minute in range(1, 99)))

    assert len(many.findings) > MOST_HOLES
    assert data(replace(given, look=replace(given.look, audit=many)))["holes"] == []


def test_what_may_still_change_is_told_by_its_place():
    made = data(scene(series(range(100, 150), interval=MINUTE, provisional_from=OPENS + timedelta(minutes=30))))

    assert made["provisional"] == 30
    assert data(scene())["provisional"] is None


def test_own_trades_and_orders_go_along():
    marks = (
        Mark(1500.5, Side.BUY, "Bought 5 at 1,500.50", OPENS + timedelta(minutes=100, seconds=10)),
        Mark(1520.0, Side.SELL, "Sell 5 at 1,520.00, limit"),
    )
    made = data(scene(forming=bar(OPENS + timedelta(minutes=100)), marks=marks))

    assert [(one["at"], one["side"]) for one in made["marks"]] == [(None, "SELL"), (100, "BUY")]
    assert data(scene())["marks"] == []


def test_while_bars_are_on_their_way_it_is_told_how_far_they_have_come():
    made = data(scene(look=Look(minutes(10), running=True, share=0.256, words="candles of 1 minute: August")))

    assert made["progress"] == [0.26, "candles of 1 minute: August"]
    assert made["total"] == 10
    assert data(scene(look=Look(minutes(10), running=True, first=False)))["progress"] is None


@pytest.mark.parametrize(
    ("look", "key", "word"),
    [
        (Look(), RELIANCE, "on their way"),
        (Look(error=NotSent("refused"), first=False), RELIANCE, "cannot be reached"),
        (Look(series=minutes(0), first=False), RELIANCE, "not listed any more"),
        (Look(series=minutes(0), first=False), "NSE_EQ|INE000000000", "does not know"),
    ],
)
def test_an_empty_chart_says_why(look, key, word):
    made = data(scene(choice=Choice(key, MINUTE, Span.DAY), look=look))

    assert made["total"] == 0
    assert word in made["note"]


def test_a_contract_that_is_over_says_when_it_ended():
    expired = {FUTURE: replace(INSTRUMENTS[FUTURE], expiry=date(2026, 10, 27))}
    made = data(scene(minutes(0), choice=Choice(FUTURE, MINUTE, Span.DAY), instruments=expired))

    assert "expired on 27 Oct 2026" in made["note"]


def test_the_view_of_a_link_is_told_in_numbers_of_bars_and_back():
    choice = Choice(RELIANCE, MINUTE, Span.DAY, view=(OPENS + timedelta(minutes=20), OPENS + timedelta(minutes=60)))
    given = scene(choice=choice)

    assert data(given)["view"] == [19.5, 59.5]
    assert instants(given, (20, 60)) == choice.view
    assert instants(given, None) is None
    assert data(scene())["view"] is None


def test_another_start_is_another_chart():
    assert data(scene())["id"] != data(scene(start=OPENS + timedelta(days=1)))["id"]

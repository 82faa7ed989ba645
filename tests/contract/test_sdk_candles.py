"""The official SDK reads history and today's candles, v3 and v2, and gets the bars that the market holds."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import pytest

from services.domain.clock import IST
from services.paper.bars import MINUTE_MS, daily, grouped, monthly, ordinals, weekly
from services.paper.model import Bars, Market
from tests.contract.conftest import INFY, NIFTY, RELIANCE, upstox_client
from tests.support.shared_data import shared

TO, FROM = "2026-11-19", "2026-11-09"
SPAN = date(2026, 11, 9), date(2026, 11, 19)


def told(bars: Bars) -> list[list[Any]]:
    """Bars as the API writes them, worked out another way than the broker does."""
    return [
        [datetime.fromtimestamp(start / 1000, IST).isoformat(), *prices, volume, interest]
        for start, prices, volume, interest in zip(
            bars.start_ms.tolist(), bars.prices.tolist(), bars.volume.tolist(), bars.interest.tolist(), strict=True
        )
    ][::-1]


@pytest.fixture(scope="module")
def option(market: Market, instant: datetime) -> str:
    listed = market.listings(instant)
    return next(key for key, listing in listed.items() if listing.quote_symbol == "NIFTY26NOV24500CE")


@pytest.fixture
def v3(sdk: Any) -> Any:
    return upstox_client.HistoryV3Api(sdk)


@pytest.fixture
def v2(sdk: Any) -> Any:
    return upstox_client.HistoryApi(sdk)


@pytest.mark.parametrize("key", [RELIANCE, INFY, NIFTY, "option"])
def test_minutes_of_history_are_those_of_the_market(
    v3: Any, v2: Any, key: str, option: str, market: Market, instant: datetime
) -> None:
    key = option if key == "option" else key
    held = market.minutes(key, *SPAN, instant)

    answer = v3.get_historical_candle_data1(key, "minutes", 1, TO, FROM)

    assert answer.status == "success"
    assert answer.data.candles == told(held)
    assert v2.get_historical_candle_data1(key, "1minute", TO, FROM, "2.0").data.candles == told(held)
    assert answer.data.candles[0][0] == "2026-11-19T15:39:00+05:30" or key != option
    assert (answer.data.candles[0][6] > 0) is (key == option)


@pytest.mark.parametrize(
    ("unit", "interval", "minutes"),
    [
        ("minutes", 3, 3),
        ("minutes", 15, 15),
        ("minutes", 16, 16),
        ("minutes", 300, 300),
        ("hours", 1, 60),
        ("hours", 5, 300),
    ],
)
def test_longer_intervals_are_made_of_them(
    v3: Any, unit: str, interval: int, minutes: int, market: Market, instant: datetime
) -> None:
    held = grouped(market.minutes(RELIANCE, *SPAN, instant), minutes * MINUTE_MS)

    assert v3.get_historical_candle_data1(RELIANCE, unit, interval, TO, FROM).data.candles == told(held)


def test_days_weeks_and_months_agree_over_ten_years(v3: Any, v2: Any, market: Market, instant: datetime) -> None:
    days = market.days(RELIANCE, date(2016, 11, 19), date(2026, 11, 19), instant)
    whole = market.days(RELIANCE, date(2000, 1, 1), date(2026, 11, 30), instant)

    assert len(days) > 2400
    assert v3.get_historical_candle_data1(RELIANCE, "days", 1, TO, "2016-11-19").data.candles == told(days)
    assert v3.get_historical_candle_data(RELIANCE, "days", 1, TO).data.candles == told(days)
    assert v3.get_historical_candle_data(RELIANCE, "weeks", 1, TO).data.candles == told(weekly(whole))
    assert v3.get_historical_candle_data(RELIANCE, "months", 1, TO).data.candles == told(monthly(whole))
    year = v2.get_historical_candle_data(RELIANCE, "day", TO, "2.0").data.candles
    assert year == told(days)[: len(year)]
    assert year[-1][0] == "2025-11-19T00:00:00+05:30"


@pytest.mark.parametrize("key", [RELIANCE, NIFTY])
def test_today_is_told_by_intraday_alone(v3: Any, v2: Any, key: str, market: Market, instant: datetime) -> None:
    today = market.today(key, instant)
    (snapshot,) = market.snapshots([key], instant)

    assert v3.get_intra_day_candle_data(key, "minutes", 1).data.candles == told(today)
    assert v2.get_intra_day_candle_data(key, "1minute", "2.0").data.candles == told(today)
    half_hours = told(grouped(today, 30 * MINUTE_MS))
    assert v2.get_intra_day_candle_data(key, "30minute", "2.0").data.candles == half_hours
    assert v3.get_intra_day_candle_data(key, "minutes", 30).data.candles == half_hours
    [day] = v3.get_intra_day_candle_data(key, "days", 1).data.candles
    assert [day] == told(daily(today, ordinals(today)))
    assert day[1:6] == [snapshot.open, snapshot.high, snapshot.low, snapshot.ltp, snapshot.volume or 0]
    latest = v3.get_historical_candle_data1(key, "days", 1, "2026-11-25", FROM).data.candles
    assert latest[0][0] == "2026-11-19T00:00:00+05:30"
    assert latest[0][4] == snapshot.prev_close


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (("minutes", 1, TO, "2026-09-01"), "UDAPI1148"),
        (("minutes", 1, "2026-11-01", TO), "UDAPI1015"),
        (("weeks", 3, TO, FROM), "UDAPI1147"),
        (("decades", 1, TO, FROM), "UDAPI1146"),
        (("days", 1, "yesterday", FROM), "UDAPI1088"),
    ],
)
def test_refusals_carry_their_code(v3: Any, call: tuple[Any, ...], code: str) -> None:
    with pytest.raises(upstox_client.rest.ApiException) as refused:
        v3.get_historical_candle_data1(RELIANCE, *call)

    assert refused.value.status == 400
    assert json.loads(refused.value.body)["errors"][0]["errorCode"] == code


def test_nothing_to_tell_is_a_success(v3: Any) -> None:
    answer = v3.get_historical_candle_data1(RELIANCE, "minutes", 1, "2026-11-15", "2026-11-14")

    assert (answer.status, answer.data.candles) == ("success", [])


@pytest.mark.parametrize(
    ("sample", "unit", "interval"),
    [
        ("v3_get-historical-candle-data", "months", 1),
        ("get-historical-candle-data", "month", None),
        ("v3_get-intra-day-candle-data", "minutes", 30),
        ("get-intra-day-candle-data", "30minute", None),
    ],
)
def test_answers_have_the_members_of_the_documents_samples(
    v3: Any, v2: Any, sample: str, unit: str, interval: int | None
) -> None:
    expected = json.loads(shared(f"data/upstox_api_samples/{sample}.json").read_bytes())
    api, version = (v3, ()) if interval else (v2, ("2.0",))
    given = (RELIANCE, unit, interval) if interval else (RELIANCE, unit)

    if "intra" in sample:
        answer = api.get_intra_day_candle_data(*given, *version).to_dict()
    else:
        answer = api.get_historical_candle_data(*given, TO, *version).to_dict()

    assert answer.keys() == expected.keys()
    assert answer["data"].keys() == expected["data"].keys()
    rows, samples = answer["data"]["candles"], expected["data"]["candles"]
    assert {len(row) for row in rows} == {len(row) for row in samples} == {7}
    assert [type(member) for member in rows[0]] == [str, float, float, float, float, int, int]
    assert [type(member) for member in (samples[0][0], *samples[0][5:])] == [str, int, int]
    if unit.startswith("month"):
        assert [row[0] for row in rows[:2]] == ["2026-11-01T00:00:00+05:30", "2026-10-01T00:00:00+05:30"]
    else:
        assert all(row[0][14:] in {"15:00+05:30", "45:00+05:30"} for row in rows)

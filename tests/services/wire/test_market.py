from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from services.domain.errors import MalformedPayload
from services.wire.market import parse_holidays, parse_status, parse_timings
from tests.support.payloads import data
from tests.support.shared_data import shared


def test_a_status_with_a_closing_auction() -> None:
    status = parse_status(data("status_nse"))

    assert (status.exchange, status.status, status.cas_status) == ("NSE", "NORMAL_OPEN", "CTS_CLOSE")
    assert status.last_updated == datetime(2026, 11, 20, 3, 45, tzinfo=UTC)


def test_a_word_that_nobody_knows_yet_is_passed_on() -> None:
    status = parse_status(data("status_mcx"))

    assert (status.status, status.cas_status) == ("A_WORD_OF_TOMORROW", None)


def test_holidays_keep_who_is_closed_and_who_is_open() -> None:
    (day,) = parse_holidays(data("holidays"))

    assert (day.day, day.kind, day.closed) == ("2026-11-24", "TRADING_HOLIDAY", ("NSE", "BSE"))
    assert day.open[0].exchange == "MCX"
    assert parse_holidays([]) == []


def test_timings_are_windows() -> None:
    (window,) = parse_timings(data("timings"))

    assert (window.start, window.end) == (
        datetime(2026, 11, 20, 3, 45, tzinfo=UTC),
        datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "row", [{"exchange": "NSE", "start_time": 5, "end_time": 4}, {"exchange": "NSE", "start_time": "soon"}, 7, {}]
)
def test_wrong_timings_are_malformed(row: object) -> None:
    with pytest.raises(MalformedPayload):
        parse_timings([row])


@pytest.mark.parametrize("day", ["26-11-2026", None, 7, "2026-13-01"])
def test_a_holiday_without_a_proper_date_is_malformed(day: object) -> None:
    with pytest.raises(MalformedPayload) as caught:
        parse_holidays([data("holidays")[0] | {"date": day}])

    assert caught.value.field == "data[0].date"


def test_the_documented_samples_are_read() -> None:
    folder = shared("data/upstox_api_samples")

    def sample(name: str) -> object:
        return orjson.loads((folder / f"{name}.json").read_bytes())["data"]

    assert len(parse_holidays(sample("get-market-holidays"))) == 3
    assert len(parse_timings(sample("get-market-timings"))) == 7
    assert parse_status(sample("get-market-status")).exchange == "NSE"

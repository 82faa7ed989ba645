"""The official SDK reads status, holidays and timings from the paper broker, in every phase of all sorts of days."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.domain.clock import IST
from tests.contract.conftest import upstox_client
from tests.support.paper import running


def test_status_holidays_and_timings(sdk: Any) -> None:
    calendar = upstox_client.MarketHolidaysAndTimingsApi(sdk)

    status = calendar.get_market_status("NSE").data
    holidays = calendar.get_holidays().data
    one = calendar.get_holiday("2026-11-24").data
    timings = {row.exchange: row for row in calendar.get_exchange_timings("2026-11-20").data}

    assert (status.exchange, status.status) == ("NSE", "NORMAL_OPEN")
    days = {str(row._date)[:10] for row in holidays}
    assert {"2026-01-26", "2026-11-24", "2026-12-25"} <= days
    assert "NSE" in one[0].closed_exchanges
    assert "MCX" not in one[0].closed_exchanges, "the commodity evening trades"
    assert {"NSE", "NFO", "BSE", "BFO", "CDS", "BCD", "MCX"} <= set(timings)
    opening = datetime.fromisoformat("2026-11-20T09:15:00+05:30").timestamp() * 1000
    assert timings["NSE"].start_time == opening
    assert calendar.get_exchange_timings("2026-12-25").data == []


def test_a_segment_is_no_exchange(sdk: Any) -> None:
    with pytest.raises(upstox_client.rest.ApiException) as caught:
        upstox_client.MarketHolidaysAndTimingsApi(sdk).get_market_status("NSE_EQ")

    assert b"UDAPI1089" in caught.value.body


@contextmanager
def calendar_at(folder: Path, instant: str) -> Iterator[Any]:
    """The SDK's calendar calls at a broker whose clock stands at `instant` (Indian time)."""
    with running(folder, clock=f"{instant}+05:30x0.001") as client:
        configuration = upstox_client.Configuration()
        configuration.host = configuration.order_host = client.base
        configuration.access_token = str(client.session.headers["Authorization"]).removeprefix("Bearer ")
        yield upstox_client.MarketHolidaysAndTimingsApi(upstox_client.ApiClient(configuration))


def auction_status(calendar: Any, exchange: str) -> str:
    """The status of the shares in the closing auction, which the SDK's model does not know yet."""
    raw = calendar.get_market_status(exchange, _preload_content=False)
    word: str = orjson.loads(raw.data)["data"]["cas_eligible_status"]["status"]
    return word


PHASES = [
    # an ordinary day: pre-open since 2026-09-07, closing auction since 2026-08-03, derivatives to 15:40
    ("2026-11-20T08:59:00", "NSE=CLOSING_END NFO=NORMAL_CLOSE CDS=NORMAL_CLOSE MCX=NORMAL_CLOSE", "CLOSING_END"),
    ("2026-11-20T09:00:00", "NSE=PRE_OPEN_START BSE=PRE_OPEN_START CDS=NORMAL_OPEN MCX=NORMAL_OPEN", "PRE_OPEN_START"),
    ("2026-11-20T09:10:00", "NSE=PRE_OPEN_END NFO=NORMAL_CLOSE", "PRE_OPEN_END"),
    ("2026-11-20T09:15:00", "NSE=NORMAL_OPEN BSE=NORMAL_OPEN NFO=NORMAL_OPEN BFO=NORMAL_OPEN", "NORMAL_OPEN"),
    ("2026-11-20T15:15:00", "NSE=NORMAL_OPEN NFO=NORMAL_OPEN", "CTS_CLOSE"),
    ("2026-11-20T15:20:00", "NSE=NORMAL_OPEN NFO=NORMAL_OPEN", "CAS_LM_START"),
    ("2026-11-20T15:25:00", "NSE=NORMAL_OPEN NFO=NORMAL_OPEN", "CAS_M_STOP"),
    ("2026-11-20T15:29:59", "NSE=NORMAL_OPEN NFO=NORMAL_OPEN", "CAS_STOP"),
    ("2026-11-20T15:30:00", "NSE=NORMAL_CLOSE NFO=NORMAL_OPEN", "NORMAL_CLOSE"),
    ("2026-11-20T15:40:00", "NSE=NORMAL_CLOSE NFO=NORMAL_CLOSE BFO=NORMAL_CLOSE", "NORMAL_CLOSE"),
    ("2026-11-20T15:50:00", "NSE=CLOSING_START BSE=CLOSING_START NFO=NORMAL_CLOSE", "CLOSING_START"),
    ("2026-11-20T16:00:00", "NSE=CLOSING_END CDS=NORMAL_OPEN BCD=NORMAL_OPEN", "CLOSING_END"),
    ("2026-11-20T17:00:00", "CDS=NORMAL_CLOSE BCD=NORMAL_CLOSE MCX=NORMAL_OPEN NSCOM=NORMAL_OPEN", "CLOSING_END"),
    ("2026-11-20T23:55:00", "MCX=NORMAL_CLOSE NSCOM=NORMAL_CLOSE", "CLOSING_END"),
    ("2026-11-21T00:00:00", "NSE=CLOSING_END MCX=NORMAL_CLOSE", "CLOSING_END"),
    # the muhurat Sunday, whose hour the practice market assumes
    ("2026-11-08T12:00:00", "NSE=CLOSING_END NFO=NORMAL_CLOSE MCX=NORMAL_CLOSE", "CLOSING_END"),
    ("2026-11-08T18:30:00", "NSE=NORMAL_OPEN BFO=NORMAL_OPEN CDS=NORMAL_OPEN MCX=NORMAL_OPEN", "NORMAL_OPEN"),
    ("2026-11-08T19:15:00", "NSE=NORMAL_CLOSE NFO=NORMAL_CLOSE", "NORMAL_CLOSE"),
    # a holiday with a commodity evening
    ("2026-11-24T11:00:00", "NSE=CLOSING_END NFO=NORMAL_CLOSE CDS=NORMAL_CLOSE MCX=NORMAL_CLOSE", "CLOSING_END"),
    ("2026-11-24T17:00:00", "NSE=CLOSING_END MCX=NORMAL_OPEN", "CLOSING_END"),
    # a settlement holiday: shares trade, currencies do not; no closing auction yet
    ("2026-02-19T11:00:00", "NSE=NORMAL_OPEN NFO=NORMAL_OPEN CDS=NORMAL_CLOSE MCX=NORMAL_OPEN", None),
    ("2026-02-19T15:35:00", "NSE=NORMAL_CLOSE NFO=NORMAL_CLOSE", None),
    ("2026-02-19T15:45:00", "NSE=CLOSING_START NFO=NORMAL_CLOSE", None),
    # a commodity morning without its evening
    ("2026-01-01T11:00:00", "NSE=NORMAL_OPEN CDS=NORMAL_OPEN MCX=NORMAL_OPEN", None),
    ("2026-01-01T17:00:00", "NSE=CLOSING_END MCX=NORMAL_CLOSE", None),
    # the Budget Sunday
    ("2026-02-01T11:00:00", "NSE=NORMAL_OPEN NFO=NORMAL_OPEN CDS=NORMAL_CLOSE", None),
    # since 2026-12-07
    ("2026-12-08T15:33:00", "NSE=NORMAL_CLOSE NFO=NORMAL_OPEN", "CAS_LM_START"),
    ("2026-12-08T15:45:00", "NSE=NORMAL_CLOSE NFO=NORMAL_CLOSE", "NORMAL_CLOSE"),
]  # fmt: skip


@pytest.mark.parametrize(("instant", "told", "auction"), PHASES)
def test_the_status_of_every_phase(tmp_path: Path, instant: str, told: str, auction: str | None) -> None:
    words = dict(pair.split("=") for pair in told.split())
    now = int(datetime.fromisoformat(instant + "+05:30").timestamp() * 1000)
    with calendar_at(tmp_path, instant) as calendar:
        found = {exchange: calendar.get_market_status(exchange).data for exchange in words}

        assert {exchange: data.status for exchange, data in found.items()} == words
        assert all(data.exchange == exchange and data.last_updated <= now for exchange, data in found.items())
        if auction is not None:
            assert auction_status(calendar, "NSE") == auction_status(calendar, "BSE") == auction


DAYS = [
    ("2026-11-20", None, {"NSE": "09:15-15:30", "NFO": "09:15-15:40", "CDS": "09:00-17:00", "MCX": "09:00-23:55"}),
    ("2026-07-31", None, {"NSE": "09:15-15:30", "NFO": "09:15-15:30", "CDS": "09:00-17:00", "MCX": "09:00-23:30"}),
    ("2026-12-08", None, {"NSE": "09:15-15:30", "NFO": "09:15-15:45", "CDS": "09:00-17:00", "MCX": "09:00-23:55"}),
    ("2026-11-22", None, {}),
    ("2026-11-08", "SPECIAL_TIMING", dict.fromkeys(("NSE", "NFO", "CDS", "MCX"), "18:15-19:15")),
    ("2026-11-24", "TRADING_HOLIDAY", {"MCX": "17:00-23:55"}),
    ("2026-12-25", "TRADING_HOLIDAY", {}),
    ("2026-02-19", "SETTLEMENT_HOLIDAY", {"NSE": "09:15-15:30", "NFO": "09:15-15:30", "MCX": "09:00-23:55"}),
    (
        "2026-01-01", "TRADING_HOLIDAY",
        {"NSE": "09:15-15:30", "NFO": "09:15-15:30", "CDS": "09:00-17:00", "MCX": "09:00-17:00"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("day", "kind", "expected"), DAYS)
def test_holidays_and_timings_of_all_sorts_of_days(
    sdk: Any, day: str, kind: str | None, expected: dict[str, str]
) -> None:
    def hours(rows: list[Any]) -> dict[str, str]:
        """Of the exchanges of NSE and MCX; those of BSE must have the same."""
        found = {}
        for row in rows:
            start, end = (datetime.fromtimestamp(at / 1000, IST) for at in (row.start_time, row.end_time))
            assert f"{start:%Y-%m-%d}" == f"{end:%Y-%m-%d}" == day
            found[row.exchange] = f"{start:%H:%M}-{end:%H:%M}"
        for ours, other in (("NSE", "BSE"), ("NFO", "BFO"), ("CDS", "BCD")):
            assert found.get(ours) == found.pop(other, None)
        return found

    calendar = upstox_client.MarketHolidaysAndTimingsApi(sdk)
    rows = calendar.get_holiday(day).data

    assert hours(calendar.get_exchange_timings(day).data) == expected
    assert [row.holiday_type for row in rows] == ([] if kind is None else [kind])
    for row in rows:
        assert str(row._date)[:10] == day
        assert hours(row.open_exchanges) == expected
        closed = {"NSE", "NFO", "CDS", "BSE", "BFO", "BCD", "MCX"} - {opened.exchange for opened in row.open_exchanges}
        assert set(row.closed_exchanges) == closed


def test_the_holiday_list_is_that_of_the_brokers_year(sdk: Any, tmp_path: Path) -> None:
    this_year = upstox_client.MarketHolidaysAndTimingsApi(sdk).get_holidays().data
    with calendar_at(tmp_path, "2025-10-21T12:00:00") as calendar:
        last_year = calendar.get_holidays().data
        assert calendar.get_holiday("2026-11-24").data == []

    assert {str(row._date)[:4] for row in this_year} == {"2026"}
    assert {str(row._date)[:4] for row in last_year} == {"2025"}

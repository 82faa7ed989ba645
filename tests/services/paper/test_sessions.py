from __future__ import annotations

import json
from datetime import date, datetime, time

import pytest

from services.domain.clock import IST, epoch_ms, from_epoch_ms
from services.paper.sessions import EXCHANGES, Sessions
from tests.support.paper import day
from tests.support.shared_data import shared

REAL = Sessions(always=False)


def ms(text: str) -> int:
    return epoch_ms(datetime.fromisoformat(text + "+05:30"))


@pytest.mark.parametrize(
    ("exchange", "at", "word", "since"),
    [
        ("NSE", "2026-11-20T08:59", "CLOSING_END", "2026-11-19T16:00"),
        ("NSE", "2026-11-20T09:00", "PRE_OPEN_START", "2026-11-20T09:00"),
        ("NSE", "2026-11-20T09:12", "PRE_OPEN_END", "2026-11-20T09:10"),
        ("NSE", "2026-11-20T11:15", "NORMAL_OPEN", "2026-11-20T09:15"),
        ("BSE", "2026-11-20T15:29:59", "NORMAL_OPEN", "2026-11-20T09:15"),
        ("NSE", "2026-11-20T15:30", "NORMAL_CLOSE", "2026-11-20T15:30"),
        ("NFO", "2026-11-20T15:35", "NORMAL_OPEN", "2026-11-20T09:15"),
        ("NFO", "2026-11-20T15:40", "NORMAL_CLOSE", "2026-11-20T15:40"),
        ("NSE", "2026-11-20T15:55", "CLOSING_START", "2026-11-20T15:50"),
        ("NSE", "2026-11-20T19:33", "CLOSING_END", "2026-11-20T16:00"),
        ("NSE", "2026-11-21T12:00", "CLOSING_END", "2026-11-20T16:00"),
        ("NSE", "2026-11-24T12:00", "CLOSING_END", "2026-11-23T16:00"),
        ("MCX", "2026-11-24T12:00", "NORMAL_CLOSE", "2026-11-23T23:55"),
        ("MCX", "2026-11-24T18:00", "NORMAL_OPEN", "2026-11-24T17:00"),
        ("MCX", "2026-07-01T23:29", "NORMAL_OPEN", "2026-07-01T09:00"),
        ("MCX", "2026-07-01T23:30", "NORMAL_CLOSE", "2026-07-01T23:30"),
        ("CDS", "2026-11-20T16:59", "NORMAL_OPEN", "2026-11-20T09:00"),
        ("CDS", "2026-02-19T12:00", "NORMAL_CLOSE", "2026-02-18T17:00"),
        ("NSE", "2026-02-01T12:00", "NORMAL_OPEN", "2026-02-01T09:15"),
        ("CDS", "2026-02-01T12:00", "NORMAL_CLOSE", "2026-01-30T17:00"),
        ("CDS", "2026-08-26T12:00", "NORMAL_CLOSE", "2026-08-25T17:00"),
        ("NSE", "2026-02-19T12:00", "NORMAL_OPEN", "2026-02-19T09:15"),
        ("NSE", "2026-12-08T15:35", "NORMAL_CLOSE", "2026-12-08T15:30"),
        ("NFO", "2026-12-08T15:44", "NORMAL_OPEN", "2026-12-08T09:15"),
        ("NSE", "2026-12-08T15:55", "CLOSING_START", "2026-12-08T15:50"),
        ("NSE", "2026-09-04T09:09", "PRE_OPEN_END", "2026-09-04T09:08"),
        ("NSE", "2026-09-07T09:09", "PRE_OPEN_START", "2026-09-07T09:00"),
        ("NSE", "2026-07-31T15:45", "CLOSING_START", "2026-07-31T15:40"),
        ("NFO", "2026-07-31T15:30", "NORMAL_CLOSE", "2026-07-31T15:30"),
        ("NFO", "2026-11-20T09:05", "NORMAL_CLOSE", "2026-11-19T15:40"),
        ("MCX", "2026-11-20T08:50", "NORMAL_CLOSE", "2026-11-19T23:55"),
        ("MCX", "2026-01-01T16:59", "NORMAL_OPEN", "2026-01-01T09:00"),
        ("MCX", "2026-01-01T18:00", "NORMAL_CLOSE", "2026-01-01T17:00"),
        ("NSE", "2026-11-08T18:20", "NORMAL_OPEN", "2026-11-08T18:15"),
        ("NSE", "2026-11-08T12:00", "CLOSING_END", "2026-11-06T16:00"),
        ("NFO", "2026-11-08T19:15", "NORMAL_CLOSE", "2026-11-08T19:15"),
        ("NSE", "2025-10-21T14:00", "NORMAL_OPEN", "2025-10-21T13:45"),
        ("NSE", "2027-01-04T12:00", "NORMAL_OPEN", "2027-01-04T09:15"),
    ],
)
def test_status_is_the_last_change_of_state(exchange: str, at: str, word: str, since: str) -> None:
    told = REAL.status(exchange, datetime.fromisoformat(at + "+05:30"))

    assert (told["status"], told["last_updated"]) == (word, ms(since))


@pytest.mark.parametrize(
    ("at", "word"),
    [
        ("2026-11-20T15:14:59", "NORMAL_OPEN"),
        ("2026-11-20T15:15", "CTS_CLOSE"),
        ("2026-11-20T15:22", "CAS_LM_START"),
        ("2026-11-20T15:26", "CAS_M_STOP"),
        ("2026-11-20T15:29:59", "CAS_STOP"),
        ("2026-11-20T15:31", "NORMAL_CLOSE"),
        ("2026-11-20T15:55", "CLOSING_START"),
        ("2026-11-20T19:33", "CLOSING_END"),
        ("2026-11-20T09:05", "PRE_OPEN_START"),
        ("2026-12-08T15:29", "NORMAL_OPEN"),
        ("2026-12-08T15:30", "CTS_CLOSE"),
        ("2026-12-08T15:33", "CAS_LM_START"),
        ("2026-12-08T15:37", "CAS_M_STOP"),
        ("2026-12-08T15:40", "NORMAL_CLOSE"),
    ],
)
def test_shares_of_the_closing_auction_have_a_status_of_their_own(at: str, word: str) -> None:
    told = REAL.status("NSE", datetime.fromisoformat(at + "+05:30"))

    auction = told["cas_eligible_status"]
    assert isinstance(auction, dict)
    assert auction["status"] == word


def test_only_shares_since_august_have_an_auction_status() -> None:
    before = datetime.fromisoformat("2026-07-31T12:00:00+05:30")
    after = datetime.fromisoformat("2026-11-20T12:00:00+05:30")

    assert "cas_eligible_status" not in REAL.status("NSE", before)
    assert "cas_eligible_status" not in REAL.status("MCX", after)
    assert "cas_eligible_status" not in REAL.status("NFO", after)


def test_timings_of_an_ordinary_day_are_those_of_the_example() -> None:
    told = {row["exchange"]: (row["start_time"], row["end_time"]) for row in REAL.timings(day("2026-11-20"))}

    assert told == {
        "MCX": (1795145400000, ms("2026-11-20T23:55")),
        "NSE": (1795146300000, 1795168800000),
        "NFO": (1795146300000, 1795169400000),
        "CDS": (1795145400000, 1795174200000),
        "BSE": (1795146300000, 1795168800000),
        "BCD": (1795145400000, 1795174200000),
        "BFO": (1795146300000, 1795169400000),
    }


def test_a_full_holiday_and_a_weekend_have_no_timings() -> None:
    assert REAL.timings(day("2026-12-25")) == []
    assert REAL.timings(day("2026-11-21")) == []


def test_the_holiday_list_of_the_year() -> None:
    rows = {row["date"]: row for row in REAL.holidays(2026)}

    assert len(rows) == 16 + 4 + 1 + 2
    assert rows["2026-02-19"]["holiday_type"] == "SETTLEMENT_HOLIDAY"
    assert rows["2026-02-19"]["closed_exchanges"] == ["CDS", "BCD"]
    assert rows["2026-02-01"]["holiday_type"] == "SPECIAL_TIMING"
    assert rows["2026-12-25"]["open_exchanges"] == []
    assert rows["2026-12-25"]["closed_exchanges"] == ["NSE", "NFO", "CDS", "BSE", "BFO", "BCD", "MCX"]
    [evening] = REAL.holiday(day("2026-11-24"), 2026)
    assert evening["closed_exchanges"] == ["NSE", "NFO", "CDS", "BSE", "BFO", "BCD"]
    assert evening["open_exchanges"] == [
        {"exchange": "MCX", "start_time": ms("2026-11-24T17:00"), "end_time": ms("2026-11-24T23:55")}
    ]
    [new_year] = REAL.holiday(day("2026-01-01"), 2026)
    assert (new_year["holiday_type"], new_year["closed_exchanges"]) == ("TRADING_HOLIDAY", [])
    assert isinstance(new_year["open_exchanges"], list)
    assert new_year["open_exchanges"][0] == {
        "exchange": "MCX",
        "start_time": ms("2026-01-01T09:00"),
        "end_time": ms("2026-01-01T17:00"),
    }
    [muhurat] = REAL.holiday(day("2026-11-08"), 2026)
    assert muhurat["holiday_type"] == "SPECIAL_TIMING"
    assert muhurat["description"] == "Diwali Laxmi Pujan (special session, customary hours)"
    assert isinstance(muhurat["open_exchanges"], list)
    assert {row["start_time"] for row in muhurat["open_exchanges"]} == {ms("2026-11-08T18:15")}


def test_days_of_real_answers() -> None:
    """The published sample of this call, but for the word of the special Saturday, which has one of its own by now."""
    rows = {row["date"]: row for row in REAL.holidays(2024)}
    with shared("data/upstox_api_samples/get-market-holidays.json").open() as sample:
        told = json.load(sample)["data"]

    for real in told:
        ours = rows[real["date"]]
        assert set(ours) == set(real)
        if real["date"] != "2024-01-20":  # the hours of that drill are not certain
            assert ours["holiday_type"] == real["holiday_type"]
            assert ours["open_exchanges"] == real["open_exchanges"]
        assert set(ours["closed_exchanges"]) == set(real["closed_exchanges"])  # type: ignore[call-overload]


def test_years_without_a_published_list_have_no_holidays() -> None:
    assert REAL.holidays(2027) == []
    assert REAL.holiday(date(2026, 11, 20), 2026) == []


def test_only_the_current_year_is_told() -> None:
    assert REAL.holiday(date(2025, 10, 2), 2026) == []
    assert REAL.holiday(date(2025, 10, 2), 2025) != []


@pytest.mark.parametrize(
    ("at", "word", "since"),
    [
        ("2026-11-20T09:04", "PRE_OPEN_START", "2026-11-20T09:00"),
        ("2026-11-20T09:07", "PRE_OPEN_M_END", "2026-11-20T09:05"),
        ("2026-11-20T12:00", "PRE_OPEN_END", "2026-11-20T09:10"),
        ("2026-11-22T12:00", "PRE_OPEN_END", "2026-11-20T09:10"),
    ],
)
def test_the_last_step_of_the_pre_open(at: str, word: str, since: str) -> None:
    now = datetime.fromisoformat(at + "+05:30")

    assert REAL.pre_open("NSE", now) == {"status": word, "last_updated": ms(since)}
    assert REAL.pre_open("NFO", now) is None
    assert Sessions(always=True).pre_open("NSE", now) is None


@pytest.mark.parametrize("at", ["2026-11-21T23:59", "2026-11-22T03:29", "2026-12-25T12:00", "2027-05-09T04:00"])
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_practice_session_is_open_at_every_hour(exchange: str, at: str) -> None:
    instant = datetime.fromisoformat(at + "+05:30")

    told = Sessions(always=True).status(exchange, instant)

    assert told["status"] == "NORMAL_OPEN"
    assert epoch_ms(instant) - 24 * 3_600_000 < int(str(told["last_updated"])) <= epoch_ms(instant)


def test_a_practice_day_runs_from_half_past_three_to_half_past_three() -> None:
    rows = Sessions(always=True).timings(day("2026-11-22"))

    assert {(row["start_time"], row["end_time"]) for row in rows} == {(ms("2026-11-22T03:30"), ms("2026-11-23T03:30"))}
    assert len(rows) == 7


@pytest.mark.parametrize("year", [2020, 2026, 2027])
def test_status_and_timings_agree_on_every_day_of_a_year(year: int) -> None:
    for ordinal in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()):
        of_day = date.fromordinal(ordinal)
        timings = {row["exchange"]: (row["start_time"], row["end_time"]) for row in REAL.timings(of_day)}
        noon = datetime.combine(of_day, time(12), IST)
        for exchange in ("NSE", "NFO", "CDS", "MCX"):
            if exchange not in timings:
                assert REAL.status(exchange, noon)["status"] in {"CLOSING_END", "NORMAL_CLOSE"}
                continue
            start, end = (int(str(at)) for at in timings[exchange])
            opened = {"status": "NORMAL_OPEN", "last_updated": start}
            for at_ms, is_open in ((start - 1, False), (start, True), (end - 1, True), (end, False)):
                told = REAL.status(exchange, from_epoch_ms(at_ms))
                assert (opened.items() <= told.items()) is is_open, (exchange, from_epoch_ms(at_ms), told)


def test_the_holiday_list_tells_the_days_whose_timings_are_not_ordinary() -> None:
    named = {row["date"]: row for row in REAL.holidays(2026)}

    for ordinal in range(date(2026, 1, 1).toordinal(), date(2027, 1, 1).toordinal()):
        of_day = date.fromordinal(ordinal)
        timings = REAL.timings(of_day)
        row = named.get(of_day.isoformat())
        if row is None:
            assert len(timings) == (7 if of_day.weekday() < 5 else 0)
        else:
            assert row["open_exchanges"] == timings

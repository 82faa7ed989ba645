"""What an exchange declares on short notice, and what a broker gets wrong: told in all calls alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from services.domain.clock import epoch_ms
from services.domain.errors import InvalidRequest
from services.domain.phases import Market
from services.paper.calendar_faults import CalendarFaults
from services.paper.sessions import Sessions
from tests.support.paper import Client, error_of, running

CALENDAR = "/_paper/calendar"
NOW = datetime(2026, 11, 20, 5, 45, tzinfo=UTC)


def ms(text: str) -> int:
    return epoch_ms(datetime.fromisoformat(text + "+05:30"))


@pytest.fixture(scope="module")
def shared_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with running(tmp_path_factory.mktemp("calendar"), limits=False, faults=True) as made:
        yield made


@pytest.fixture
def client(shared_client: Client) -> Client:
    shared_client.clear_calendar_faults()
    return shared_client


def status(client: Client, exchange: str) -> tuple[str, int]:
    told = client.data(f"/v2/market/status/{exchange}")
    return told["status"], told["last_updated"]


def hours(client: Client, day: str) -> dict[str, tuple[int, int]]:
    rows = client.data(f"/v2/market/timings/{day}")
    return {row["exchange"]: (row["start_time"], row["end_time"]) for row in rows}


def holiday(client: Client, day: str) -> Any:
    [row] = client.data(f"/v2/market/holidays/{day}")
    assert row in client.data("/v2/market/holidays")
    return row


def test_a_holiday_declared_today_closes_its_exchanges_in_every_answer(client: Client) -> None:
    told = client.calendar_fault("holiday", description="State mourning")

    assert told == {
        "kind": "holiday",
        "exchanges": ["NSE", "NFO", "BSE", "BFO"],
        "date": "2026-11-20",
        "description": "State mourning",
    }
    assert status(client, "NSE") == ("CLOSING_END", ms("2026-11-19T16:00"))
    assert status(client, "NFO") == ("NORMAL_CLOSE", ms("2026-11-19T15:40"))
    assert client.data("/v2/market/status/NSE")["cas_eligible_status"]["status"] == "CLOSING_END"
    assert status(client, "MCX")[0] == "NORMAL_OPEN"
    assert set(hours(client, "2026-11-20")) == {"MCX", "CDS", "BCD"}
    row = holiday(client, "2026-11-20")
    assert (row["description"], row["holiday_type"]) == ("State mourning", "TRADING_HOLIDAY")
    assert row["closed_exchanges"] == ["NSE", "NFO", "BSE", "BFO"]
    assert [opened["exchange"] for opened in row["open_exchanges"]] == ["MCX", "CDS", "BCD"]


def test_a_holiday_of_another_day_leaves_today_alone(client: Client) -> None:
    client.calendar_fault("holiday", date="2026-12-01", exchanges=["NSE"])

    assert status(client, "NSE")[0] == "NORMAL_OPEN"
    assert "NSE" not in hours(client, "2026-12-01")
    assert "BSE" in hours(client, "2026-12-01")
    assert holiday(client, "2026-12-01")["closed_exchanges"] == ["NSE"]


def test_a_special_session_opens_a_sunday(client: Client) -> None:
    told = client.calendar_fault("special", date="2026-11-22", start="10:00", end="11:30", exchanges=["NSE", "NFO"])

    assert (told["start"], told["end"], told["description"]) == ("10:00", "11:30", "Special session")
    window = ms("2026-11-22T10:00"), ms("2026-11-22T11:30")
    assert hours(client, "2026-11-22") == {"NSE": window, "NFO": window}
    row = holiday(client, "2026-11-22")
    assert (row["holiday_type"], row["closed_exchanges"]) == ("SPECIAL_TIMING", ["CDS", "BSE", "BFO", "BCD", "MCX"])


def test_a_special_session_replaces_the_hours_of_today(client: Client) -> None:
    client.calendar_fault("special", start="11:00", end="12:00", exchanges=["NSE"])

    assert status(client, "NSE") == ("NORMAL_OPEN", ms("2026-11-20T11:00"))
    assert hours(client, "2026-11-20")["NSE"] == (ms("2026-11-20T11:00"), ms("2026-11-20T12:00"))
    assert status(client, "BSE") == ("NORMAL_OPEN", ms("2026-11-20T09:15"))


def test_a_session_declared_on_a_holiday_takes_over_its_row(client: Client) -> None:
    client.calendar_fault("special", date="2026-11-24", start="09:15", end="15:30", description="Holiday withdrawn")

    row = holiday(client, "2026-11-24")
    assert (row["description"], row["holiday_type"]) == ("Holiday withdrawn", "SPECIAL_TIMING")
    assert row["closed_exchanges"] == ["CDS", "BCD"]


def test_a_wrong_status_changes_the_status_alone(client: Client) -> None:
    before = client.data("/v2/market/holidays"), client.data("/v2/market/timings/2026-11-20")

    client.calendar_fault("status", exchanges=["NSE"], status="NORMAL_CLOSE")

    assert status(client, "NSE") == ("NORMAL_CLOSE", ms("2026-11-20T11:15"))
    assert client.data("/v2/market/status/NSE")["cas_eligible_status"]["status"] == "NORMAL_CLOSE"
    assert status(client, "BSE")[0] == "NORMAL_OPEN"
    assert (client.data("/v2/market/holidays"), client.data("/v2/market/timings/2026-11-20")) == before
    client.calendar_fault("status", exchanges=["NSE"], status="A_NEW_WORD")
    assert status(client, "NSE")[0] == "A_NEW_WORD"


def test_the_last_word_counts_and_clearing_ends_it_all(client: Client) -> None:
    plain = client.data("/v2/market/holidays")
    client.calendar_fault("holiday")
    client.calendar_fault("special", start="11:00", end="15:00", exchanges=["NSE"])
    client.calendar_fault("status", exchanges=["BSE"], status="PRE_OPEN_START")

    assert status(client, "NSE") == ("NORMAL_OPEN", ms("2026-11-20T11:00"))
    assert status(client, "NFO")[0] == "NORMAL_CLOSE"
    assert [row["kind"] for row in client.data(CALENDAR)] == ["holiday", "special", "status"]

    client.clear_calendar_faults()

    assert client.data(CALENDAR) == []
    assert client.data("/v2/market/holidays") == plain
    assert status(client, "BSE") == ("NORMAL_OPEN", ms("2026-11-20T09:15"))


def test_hours_declared_as_they_are_keep_what_lies_around_them(client: Client) -> None:
    client.calendar_fault("special", start="09:15", end="15:30", exchanges=["NSE"])

    assert status(client, "NSE") == ("NORMAL_OPEN", ms("2026-11-20T09:15"))
    assert hours(client, "2026-11-20")["NSE"] == (ms("2026-11-20T09:15"), ms("2026-11-20T15:30"))


def test_a_practice_session_that_never_closes_closes_for_a_fault(tmp_path: Path) -> None:
    with running(tmp_path, clock="always", faults=True) as practice:
        practice.calendar_fault("holiday", exchanges=["MCX"])
        practice.calendar_fault("status", exchanges=["CDS"], status="NORMAL_CLOSE")

        assert status(practice, "NSE")[0] == "NORMAL_OPEN"
        assert status(practice, "MCX")[0] == "NORMAL_CLOSE"
        assert status(practice, "CDS")[0] == "NORMAL_CLOSE"


def test_calendar_faults_need_a_token(client: Client) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = requests.request(method, client.base + CALENDAR, json={"kind": "holiday"}, timeout=30)
        assert error_of(answer) == (401, "UDAPI100050")


def test_calendar_faults_are_never_open_without_the_flag(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        for method in ("GET", "POST", "DELETE"):
            answer = client.send(method, CALENDAR, json={"kind": "holiday"})
            assert error_of(answer) == (404, "UDAPI100060")


def test_a_refused_fault_is_told_by_its_code(client: Client) -> None:
    assert error_of(client.send("POST", CALENDAR, json={"kind": "earthquake"})) == (400, "UDAPI100036")
    assert client.data(CALENDAR) == []


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({}, "kind"),
        ({"kind": ["holiday"]}, "kind"),
        ({"kind": "holiday", "status": "NORMAL_OPEN"}, "status"),
        ({"kind": "holiday", "date": "20-11-2026"}, "date"),
        ({"kind": "holiday", "date": 20261120}, "date"),
        ({"kind": "holiday", "date": "0001-01-01"}, "date"),
        ({"kind": "holiday", "date": "9999-12-31"}, "date"),
        ({"kind": "holiday", "exchanges": []}, "exchanges"),
        ({"kind": "holiday", "exchanges": ["NSE_EQ"]}, "exchanges"),
        ({"kind": "holiday", "exchanges": [["NSE"]]}, "exchanges"),
        ({"kind": "holiday", "exchanges": "NSE"}, "exchanges"),
        ({"kind": "holiday", "description": 5}, "description"),
        ({"kind": "special", "start": "10:00"}, "end"),
        ({"kind": "special", "start": "25:00", "end": "26:00"}, "start"),
        ({"kind": "special", "start": "11:00", "end": "10:00"}, "end"),
        ({"kind": "special", "start": "11:00+00:00", "end": "23:00"}, "start"),
        ({"kind": "status"}, "status"),
        ({"kind": "status", "status": ""}, "status"),
        ({"kind": "status", "status": "NORMAL_OPEN", "date": "2026-11-20"}, "date"),
    ],
)
def test_nonsense_is_refused_by_name(wanted: dict[str, object], named: str) -> None:
    faults = CalendarFaults()

    with pytest.raises(InvalidRequest, match=named):
        faults.declare(wanted, NOW, date(2026, 11, 20))

    assert faults.told() == []


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("day", [date.min, date(1850, 1, 1), date.max])
def test_days_that_no_market_of_ours_knew_are_closed(always: bool, day: date) -> None:
    assert Sessions(always=always).timings(day) == []


@pytest.mark.parametrize(("always", "day"), [(False, date(2026, 11, 21)), (True, date(2026, 11, 20))])
def test_today_is_that_of_india_or_the_practice_day(always: bool, day: date) -> None:
    faults = CalendarFaults()
    sessions = Sessions(always=always, faults=faults)
    night = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)

    fault = faults.declare({"kind": "holiday"}, night, sessions.today(night))

    assert fault.day == day
    assert faults.covers(Market.NSE, day)
    assert not faults.covers(Market.MCX, day)
    assert sessions.status("NSE", night)["status"] != "NORMAL_OPEN"
    assert "NSE" not in {row["exchange"] for row in sessions.timings(day)}

"""Candles over HTTP: shapes, order and stamps, what is refused, and what is empty."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from services.paper.model import Bars
from services.paper.routes_candles import HANDLERS
from services.wire.endpoints import HISTORY_BARS, INTRADAY_BARS
from tests.support.paper import CALL, NIFTY, RELIANCE, Client, KnownMarket, running
from tests.support.shared_data import shared


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with running(tmp_path_factory.mktemp("candles"), limits=False) as made:
        yield made


def example(name: str) -> Any:
    return json.loads(shared(f"upstox/examples/{name}.json").read_bytes())


def intraday(key: str, unit: str, interval: str) -> str:
    return f"/v3/historical-candle/intraday/{quote(key, safe='')}/{unit}/{interval}"


def history(key: str, unit: str, interval: str, *dates: str) -> str:
    return f"/v3/historical-candle/{quote(key, safe='')}/{unit}/{interval}/{'/'.join(dates)}"


def old(key: str, interval: str, *dates: str) -> str:
    return f"/v2/historical-candle/{quote(key, safe='')}/{interval}/{'/'.join(dates)}"


def candles(client: Client, path: str, **given: Any) -> list[list[Any]]:
    data = client.data(path, **given)
    assert data.keys() == {"candles"}
    found: list[list[Any]] = data["candles"]
    return found


def days(rows: list[list[Any]]) -> list[str]:
    return [row[0][:10] for row in rows]


def test_every_row_of_the_route_table_has_a_handler() -> None:
    operations = INTRADAY_BARS, HISTORY_BARS
    rows = {(op.name, row.version) for op in operations for row in (*op.published, *op.guide)}

    assert set(HANDLERS) == rows


# -- today -----------------------------------------------------------------------------------------------------


def test_minutes_come_newest_first_with_indian_stamps(client: Client) -> None:
    rows = candles(client, intraday(RELIANCE, "minutes", "1"))

    assert len(rows) == 121
    assert rows[0] == ["2026-11-20T11:15:00+05:30", 220.0, 221.0, 219.0, 220.5, 10, 0]
    assert rows[-1][0] == "2026-11-20T09:15:00+05:30"


def test_longer_candles_are_counted_from_the_opening(client: Client) -> None:
    fives = candles(client, intraday(NIFTY, "minutes", "5"))
    hours = candles(client, intraday(RELIANCE, "hours", "1"))
    [whole] = candles(client, intraday(RELIANCE, "days", "1"))

    assert [row[0][11:16] for row in fives[:2]] == ["11:15", "11:10"]
    assert [row[0][11:16] for row in hours] == ["11:15", "10:15", "09:15"]
    assert hours[-1][1:] == [100.0, 160.0, 99.0, 159.5, 600, 0]
    assert whole == ["2026-11-20T00:00:00+05:30", 100.0, 221.0, 99.0, 220.5, 1210, 0]


def test_before_the_opening_there_are_no_candles(tmp_path: Path) -> None:
    with running(tmp_path, clock="2026-11-20T08:00:00+05:30x0.001") as early:
        for unit in ("minutes", "hours", "days"):
            assert early.get(intraday(RELIANCE, unit, "1")).json() == example("candles_empty")


def test_v2_tells_todays_minutes_and_half_hours(client: Client) -> None:
    for word, count in (("1minute", "1"), ("30minute", "30")):
        path = f"/v2/historical-candle/intraday/{quote(RELIANCE, safe='')}/{word}"
        assert candles(client, path) == candles(client, intraday(RELIANCE, "minutes", count))


# -- history ---------------------------------------------------------------------------------------------------


def test_history_ends_yesterday_and_holds_both_dates(client: Client) -> None:
    rows = candles(client, history(RELIANCE, "minutes", "1", "2026-11-20", "2026-11-18"))

    assert sorted(set(days(rows)), reverse=True) == ["2026-11-19", "2026-11-18"]
    assert len(rows) == 2 * 375
    assert rows[0] == ["2026-11-19T15:29:00+05:30", 474.0, 475.0, 473.0, 474.5, 10, 0]
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)


def test_every_unit_is_made_of_the_same_minutes(client: Client) -> None:
    spans = ("2026-11-19", "2026-11-16")
    minutes = candles(client, history(RELIANCE, "minutes", "1", *spans))[::-1]
    for unit, count, span in (("minutes", 7, 7), ("minutes", 300, 300), ("hours", 1, 60), ("hours", 5, 300)):
        made: dict[str, list[Any]] = {}
        for place, (stamp, opened, high, low, close, volume, oi) in enumerate(minutes):
            start = minutes[place // 375 * 375 + place % 375 // span * span][0]
            bar = made.setdefault(start, [start, opened, high, low, close, 0, oi])
            bar[2:6] = max(bar[2], high), min(bar[3], low), close, bar[5] + volume
            assert stamp >= start

        assert candles(client, history(RELIANCE, unit, str(count), *spans))[::-1] == list(made.values())


def test_days_weeks_and_months_are_stamped_at_midnight(client: Client) -> None:
    of_days = candles(client, history(RELIANCE, "days", "1", "2026-11-20", "2026-11-16"))
    weeks = candles(client, history(RELIANCE, "weeks", "1", "2026-11-19", "2026-11-03"))
    months = candles(client, history(RELIANCE, "months", "1", "2026-11-19", "2026-09-02"))

    assert [row[0] for row in of_days] == [f"2026-11-{n}T00:00:00+05:30" for n in (19, 18, 17, 16)]
    assert of_days[0][1:] == [100.0, 475.0, 99.0, 474.5, 3750, 0]
    assert days(weeks) == ["2026-11-16", "2026-11-09"], "the week of 2 November began before the first date"
    assert [row[5] for row in weeks] == [4 * 3750, 5 * 3750], "the last week as far as it has come"
    assert days(months) == ["2026-11-01", "2026-10-01"]
    assert months[1][5] == 22 * 3750


def test_a_week_that_ends_after_the_last_date_is_still_whole(client: Client) -> None:
    [week] = candles(client, history(RELIANCE, "weeks", "1", "2026-11-10", "2026-11-09"))

    assert week[5] == 5 * 3750


def test_without_a_first_date_the_cap_is_given(client: Client) -> None:
    minutes = candles(client, history(RELIANCE, "minutes", "15", "2026-11-19"))
    quarter = candles(client, history(RELIANCE, "hours", "5", "2026-11-19"))

    assert days(minutes)[-1] == "2026-10-19"
    assert days(quarter)[-1] == "2026-08-19"


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("1minute", ("minutes", "1")),
        ("30minute", ("minutes", "30")),
        ("day", ("days", "1")),
        ("week", ("weeks", "1")),
        ("month", ("months", "1")),
    ],
)
def test_v2_and_the_guides_path_tell_the_same_candles(client: Client, word: str, path: tuple[str, str]) -> None:
    spans = ("2026-11-19", "2026-11-02")
    expected = candles(client, history(RELIANCE, *path, *spans))
    guide = f"/market-quote/candles/v3/{quote(RELIANCE, safe='')}"
    query = {"to_date": spans[0], "from_date": spans[1]}

    assert expected or word == "month"
    assert candles(client, old(RELIANCE, word, *spans)) == expected
    assert candles(client, guide, params={"interval": word, **query}) == expected
    assert candles(client, guide, params={"unit": path[0], "interval": path[1], **query}) == expected


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("candles_days_v3", ("days", "1", "2026-11-19", "2026-11-17")),
        ("candles_minutes_v3", ("minutes", "5", "2026-11-19", "2026-11-19")),
        ("candles_fo_minutes_v3", ("minutes", "1", "2026-11-19", "2026-11-19")),
    ],
)
def test_rows_have_the_members_of_the_examples(client: Client, name: str, path: tuple[str, ...]) -> None:
    [sample, *_] = example(name)["data"]["candles"]

    [row, *_] = candles(client, history(CALL if "fo" in name else RELIANCE, *path))

    assert [type(member) for member in row] == [type(member) for member in sample]
    assert datetime.fromisoformat(row[0]).isoformat() == row[0]
    assert row[0][10:] == sample[0][10:] or "minutes" in name


@pytest.mark.parametrize(
    "path",
    [
        ("minutes", "1", "2026-11-15", "2026-11-14"),
        ("days", "1", "2026-11-20", "2026-11-20"),
        ("days", "1", "2027-01-10", "2026-11-20"),
        ("hours", "2", "2027-01-10", "2026-11-21"),
        ("minutes", "1", "2021-06-15", "2021-06-01"),
        ("minutes", "1", "1969-12-31", "1969-12-01"),
        ("weeks", "1", "2026-11-20", "2026-11-17"),
    ],
)
def test_nothing_to_tell_is_an_empty_list(client: Client, path: tuple[str, ...]) -> None:
    assert client.get(history(RELIANCE, *path)).json() == example("candles_empty")


# -- refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "unit", "interval", "code"),
    [
        (RELIANCE, "weeks", "1", "UDAPI1146"),
        (RELIANCE, "minutes", "0", "UDAPI1147"),
        (RELIANCE, "minutes", "301", "UDAPI1147"),
        (RELIANCE, "hours", "6", "UDAPI1147"),
        (RELIANCE, "days", "2", "UDAPI1147"),
        (RELIANCE, "minutes", "five", "UDAPI1147"),
        ("RELIANCE", "minutes", "1", "UDAPI1021"),
        ("NSE_EQ|XXXX", "minutes", "1", "UDAPI100011"),
    ],
)
def test_bad_requests_for_today_are_refused(client: Client, key: str, unit: str, interval: str, code: str) -> None:
    assert client.error(intraday(key, unit, interval)) == (400, code)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (history("RELIANCE", "days", "1", "2026-11-19"), "UDAPI1021"),
        (history("NSE_EQ|INE000000000", "days", "1", "2026-11-19"), "UDAPI100011"),
        (history(RELIANCE, "years", "1", "2026-11-19"), "UDAPI1146"),
        (history(RELIANCE, "weeks", "2", "2026-11-19"), "UDAPI1147"),
        (history(RELIANCE, "days", "1", "19-11-2026"), "UDAPI1088"),
        (history(RELIANCE, "days", "1", "2026-11-19", "2026-11-32"), "UDAPI1088"),
        (history(RELIANCE, "days", "1", "2026-11-18", "2026-11-19"), "UDAPI1015"),
        (history(RELIANCE, "minutes", "1", "2026-11-19", "2026-10-01"), "UDAPI1148"),
        (history(RELIANCE, "hours", "1", "2026-11-19", "2026-08-01"), "UDAPI1148"),
        (history(RELIANCE, "days", "1", "2026-11-19", "2016-11-01"), "UDAPI1148"),
        (old(RELIANCE, "5minute", "2026-11-19"), "UDAPI1020"),
        (old(RELIANCE, "days", "2026-11-19", "2026-11-18"), "UDAPI1020"),
        (old(RELIANCE, "day", "2026-11-19", "2025-11-01"), "UDAPI1148"),
        (old("NSE_EQ|INE000000000", "day", "2026-11-19"), "UDAPI100011"),
        (f"/v2/historical-candle/intraday/{quote(RELIANCE, safe='')}/day", "UDAPI1020"),
        (f"/market-quote/candles/v3/{quote(RELIANCE, safe='')}?interval=day", "UDAPI1022"),
        (f"/market-quote/candles/v3/{quote(RELIANCE, safe='')}?to_date=2026-11-19", "UDAPI1020"),
        (f"/market-quote/candles/v3/{quote(RELIANCE, safe='')}?unit=minutes&to_date=2026-11-19", "UDAPI1147"),
    ],
)
def test_bad_requests_for_history_are_refused(client: Client, path: str, code: str) -> None:
    assert client.error(path) == (400, code)


def test_a_span_over_the_cap_is_refused_as_in_the_example(client: Client) -> None:
    answer = client.get(history(RELIANCE, "minutes", "1", "2026-11-19", "2026-10-01"))

    assert answer.json() == example("error_400_date_range")


def test_a_path_without_dates_is_no_path(client: Client) -> None:
    assert client.error(f"/v3/historical-candle/{quote(RELIANCE, safe='')}/days/1") == (404, "UDAPI100060")


def test_a_contract_that_has_ended_is_unknown(tmp_path: Path) -> None:
    with running(tmp_path, clock="2026-11-24T11:15:00+05:30x0.001") as later:  # it ended on the 23rd
        for path in (history(CALL, "days", "1", "2026-11-23"), intraday(CALL, "minutes", "1")):
            assert later.error(path) == (400, "UDAPI100011")


# -- beside the feed -------------------------------------------------------------------------------------------


class Patient(KnownMarket):
    """Whose history is long in coming."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on = threading.Event(), threading.Event()

    def days(self, key: str, first: date, last: date, at: datetime) -> Bars:
        self.asked.set()
        assert self.go_on.wait(30)
        return super().days(key, first, last, at)


def test_a_long_history_does_not_hold_up_other_calls(tmp_path: Path) -> None:
    market = Patient()
    with running(tmp_path, market=market, limits=False) as client:
        got: list[int] = []
        path = history(RELIANCE, "days", "1", "2026-11-19")
        asking = threading.Thread(target=lambda: got.append(len(candles(client, path))), daemon=True)
        asking.start()
        assert market.asked.wait(30)

        assert client.get("/v3/market-quote/ltp", params={"instrument_key": RELIANCE}).status_code == 200
        assert got == []
        market.go_on.set()
        asking.join(30)

    assert got
    assert not asking.is_alive()


def test_faults_reach_the_new_operations(tmp_path: Path) -> None:
    with running(tmp_path, limits=False, faults=True) as client:
        plan = {"operation": "history_bars", "version": "v3", "kind": "status", "status": 404, "code": "UDAPI100060"}
        assert client.send("POST", "/_paper/faults", json=plan).status_code == 200

        assert client.error(history(RELIANCE, "days", "1", "2026-11-19", "2026-11-18")) == (404, "UDAPI100060")
        assert candles(client, history(RELIANCE, "days", "1", "2026-11-19", "2026-11-18"))
        cut = {"operation": "history_bars", "kind": "garbage"}
        assert client.send("POST", "/_paper/faults", json=cut).status_code == 200
        with pytest.raises(requests.JSONDecodeError):
            client.get(old(RELIANCE, "day", "2026-11-19")).json()
        assert candles(client, old(RELIANCE, "day", "2026-11-19"))

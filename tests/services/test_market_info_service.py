"""The guide's market information: what each question answers, and what it says where nothing is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pandas
import pytest

from services import market_info_service as module
from services.calendar import Calendar
from services.domain.clock import IST
from services.domain.errors import InvalidRequest, NotPublished, NotSent
from services.domain.phases import Listing, Market
from services.market_info_service import MarketInfoService
from services.storage.pool import Pool
from services.storage.schema import migrate_market
from tests.support.calendar import EQUITY, FakeAlerts, FakeBroker, holiday, ist, window
from tests.support.clocks import FakeClock

MONDAY = date(2026, 11, 23)
NOW = ist("2026-11-23 11:00")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A calendar without a thread, its broker and its clock."""
    path = tmp_path / "market_data.db"
    migrate_market(path, backups=tmp_path / "backups", now=NOW)
    clock, alerts = FakeClock(NOW), FakeAlerts()
    broker = FakeBroker(clock)
    with closing(Pool(path)) as pool:
        calendar = Calendar(
            ask=broker, pool=pool, clock=clock, raise_alert=alerts.raise_alert, resolve_alerts=alerts.resolve
        )
        monkeypatch.setattr(calendar, "start", lambda: None)
        monkeypatch.setattr(module, "get_runtime", lambda: SimpleNamespace(calendar_in=lambda db_path: calendar))
        yield SimpleNamespace(clock=clock, broker=broker, calendar=calendar)
        calendar.close()


@pytest.fixture
def market(desk: Any) -> MarketInfoService:
    return MarketInfoService()


def clock(instant: datetime | None) -> str:
    assert instant is not None
    assert instant.tzinfo is UTC
    return f"{instant.astimezone(IST):%H:%M}"


# -- now -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "words", "is_open"),
    [
        ("2026-11-23 09:14:59", ("NSE", "EQ"), False),
        ("2026-11-23 09:15", ("NSE", "EQ"), True),
        ("2026-11-23 15:30", ("NSE", "EQ"), False),
        ("2026-11-23 15:35", ("NSE", "FO"), True),
        ("2026-11-23 15:35", ("NFO", "FO"), True),
        ("2026-11-23 15:55", ("NSE", "EQ"), False),
        ("2026-11-23 16:30", ("NSE", "CD"), True),
        ("2026-11-23 23:54", ("MCX", "EQ"), True),
        ("2026-11-23 23:54", ("nse", "com"), True),
        ("2026-11-22 11:00", ("BSE", "EQ"), False),
        ("2027-11-23 11:00", ("NSE", "EQ"), False),
    ],
)
def test_open_is_when_orders_are_matched(
    desk: Any, market: MarketInfoService, when: str, words: tuple[str, str], is_open: bool
) -> None:
    desk.clock.instant = ist(when)

    assert market.is_market_open(*words) is is_open


def test_the_closing_auction_is_open_for_the_shares_that_take_part(desk: Any, market: MarketInfoService) -> None:
    desk.clock.instant = ist("2026-11-23 15:32")

    assert not market.is_market_open()
    assert market.is_market_open(listing="closing auction")
    assert market.is_market_open(listing=Listing.AUCTION)


def test_asking_whether_it_is_open_costs_no_request(desk: Any, market: MarketInfoService) -> None:
    for _ in range(1000):
        market.is_market_open(exchange="NSE", segment="EQ")
    market.is_holiday()

    assert desk.broker.asked == []


def test_a_status_is_the_brokers_word_with_the_phase_and_where_it_comes_from(
    desk: Any, market: MarketInfoService
) -> None:
    status = market.get_market_status("NSE")

    assert (status["exchange"], status["status"], status["phase"]) == ("NSE", "NORMAL_OPEN", "open")
    assert (status["as_of"], status["is_open"], status["practice"], status["error"]) == (NOW, True, False, None)
    assert clock(status["until"]) == "15:30"
    assert status["source"]


def test_without_an_exchange_all_are_told(market: MarketInfoService) -> None:
    assert [one["exchange"] for one in market.get_market_status()] == list(Market)
    assert [one["exchange"] for one in market.get_market_status(segment="FO")] == ["NFO", "BFO", "MCX"]
    assert [one["exchange"] for one in market.get_market_timings(segment="CD")] == ["CDS", "BCD"]


def test_the_broker_wins_for_today(desk: Any, market: MarketInfoService) -> None:
    desk.broker.declare(holiday(MONDAY, closed=EQUITY, name="Poll day"))
    desk.broker.words = dict.fromkeys(EQUITY, "NORMAL_CLOSE")

    status = market.get_market_status("NSE")

    assert (status["status"], status["phase"], status["reason"]) == ("NORMAL_CLOSE", "closed", "Poll day")
    assert (status["source"], market.is_market_open(), market.is_holiday()) == ("Upstox", False, True)
    assert not market.is_holiday(exchange="MCX")


def test_with_the_broker_down_the_table_answers_and_says_so(desk: Any, market: MarketInfoService) -> None:
    desk.broker.errors = dict.fromkeys(("holidays", "timings", "status"), NotSent("nothing answers there"))

    status, timings = market.get_market_status("NSE"), market.get_market_timings("NSE", "EQ")

    assert (status["status"], status["as_of"], status["phase"]) == ("UNKNOWN", None, "open")
    assert status["error"] == "nothing answers there"
    assert (clock(timings["start_time"]), clock(timings["end_time"])) == ("09:15", "15:30")
    assert (timings["as_of"], "SEBI" in timings["source"]) == (None, True)
    assert market.get_market_holidays()[0]["as_of"] is None


# -- days ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "closed"),
    [
        ("2026-11-24", True),
        (date(2026, 11, 23), False),
        (date(2026, 11, 22), True),
        ("2026-02-01", False),  # a Sunday with a Budget
        ("2026-02-19", False),  # a settlement holiday
        ("2024-01-20", False),
        (datetime(2026, 11, 23, 20, 0, tzinfo=UTC), True),  # the 24th in India
        (datetime(2026, 11, 24, 1, 0), True),  # noqa: DTZ001  # naive: the date that it names
    ],
)
def test_a_holiday_is_a_day_without_trading(market: MarketInfoService, day: Any, closed: bool) -> None:
    assert market.is_holiday(day) is closed


def test_a_year_and_a_day_may_come_from_a_table_of_numbers(market: MarketInfoService) -> None:
    year: Any = numpy.int64(2024)
    assert market.get_market_holidays(year) == market.get_market_holidays(2024)
    assert market.is_holiday(pandas.Timestamp("2026-11-24"))


def test_years_before_the_table_are_not_called_unpublished(market: MarketInfoService) -> None:
    with pytest.raises(NotPublished, match="begins with 2019"):
        market.get_market_holidays(2018)
    with pytest.raises(NotPublished, match="27 are not published"):
        market.is_holiday("2027-01-04")


def test_the_list_of_a_year_tells_each_exchange(market: MarketInfoService) -> None:
    rows = {row["date"]: row for row in market.get_market_holidays(2026)}

    assert rows["2026-11-24"]["holiday_type"] == "TRADING_HOLIDAY"
    assert "NSE" in rows["2026-11-24"]["closed_exchanges"]
    assert [clock(one["start_time"]) for one in rows["2026-11-24"]["open_exchanges"] if one["exchange"] == "MCX"] == [
        "17:00"
    ]
    assert rows["2026-02-19"]["holiday_type"] == "SETTLEMENT_HOLIDAY"
    assert "CDS" in rows["2026-02-19"]["closed_exchanges"]
    assert "NSE" in {one["exchange"] for one in rows["2026-02-19"]["open_exchanges"]}
    assert rows["2026-11-08"]["holiday_type"] == "SPECIAL_TIMING"
    assert list(rows) == sorted(rows)
    assert all(row["name"] and row["source"] for row in rows.values())


def test_a_list_can_be_of_one_exchange(market: MarketInfoService) -> None:
    mcx, nse = (
        {row["date"] for row in market.get_market_holidays(year=2026, exchange=name)} for name in ("MCX", "NSE")
    )

    assert "2026-11-24" in mcx & nse
    assert "2026-01-01" in mcx - nse
    assert len(market.get_market_holidays(year=2024)) >= 17


@pytest.mark.parametrize(
    "question",
    [
        lambda market: market.get_market_holidays(2027),
        lambda market: market.is_holiday("2027-01-26"),
        lambda market: market.get_market_timings("NSE", day="2027-01-26"),
        lambda market: market.get_market_timings(day=date(2027, 1, 26)),
    ],
)
def test_what_is_not_published_is_unknown_and_never_an_empty_list(market: MarketInfoService, question: Any) -> None:
    with pytest.raises(NotPublished, match="not published; whether the market opens is unknown"):
        question(market)


def test_a_year_that_the_broker_has_told_is_known(desk: Any, market: MarketInfoService) -> None:
    desk.clock.instant = ist("2027-01-05 11:00")
    desk.broker.rows = [holiday(date(2027, 1, 26), closed=EQUITY, name="Republic Day")]

    rows = market.get_market_holidays()

    assert [(row["date"], row["source"], row["as_of"]) for row in rows] == [("2027-01-26", "Upstox", desk.clock.now())]
    assert market.is_holiday("2027-01-26")
    with pytest.raises(NotPublished):
        market.is_holiday("2027-02-26")


def test_timings_tell_every_phase_of_the_day(market: MarketInfoService) -> None:
    timings = market.get_market_timings(exchange="NSE", segment="EQ")

    assert (timings["exchange"], timings["date"], timings["trades"]) == ("NSE", "2026-11-23", True)
    assert timings["sessions"][0]["phase"] == "pre-open"
    assert {"open", "post-close"} <= {one["phase"] for one in timings["sessions"]}
    assert timings["as_of"] == NOW


def test_timings_of_a_closed_day_and_of_hours_that_are_to_be_announced(market: MarketInfoService) -> None:
    closed = market.get_market_timings("NSE", day="2026-11-24")
    muhurat = market.get_market_timings("NSE", day="2026-11-08")

    assert (closed["trades"], closed["start_time"], closed["sessions"]) == (False, None, [])
    assert muhurat["trades"]
    assert muhurat["name"]


def test_a_special_session_of_the_broker_is_in_the_timings(desk: Any, market: MarketInfoService) -> None:
    saturday = date(2026, 11, 28)
    drill = [window("NSE", saturday, "10:00", "11:30")]
    desk.broker.declare(holiday(saturday, opened=drill, kind="SPECIAL_TIMING", name="Drill"))
    market.get_market_status("NSE")

    timings = market.get_market_timings("NSE", day=saturday)

    assert (clock(timings["start_time"]), clock(timings["end_time"])) == ("10:00", "11:30")
    assert (timings["name"], timings["source"], timings["kind"]) == ("Drill", "Upstox", "special session")


# -- words -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("NYSE", "EQ"), ("", "EQ"), ("NSE", "XX"), ("BSE", "COM"), ("NFO", "CD"), ("MCX", "CD"), (None, "EQ"),
        ("NSE", 7), ("GLOBAL_INDEX", "EQ"),
    ],
)  # fmt: skip
def test_words_that_name_no_market_are_refused(market: MarketInfoService, words: Any) -> None:
    with pytest.raises(InvalidRequest):
        market.is_market_open(*words)


@pytest.mark.parametrize(
    ("words", "exchange"),
    [
        (("NSE", None), "NSE"),
        (("NSE", "COM"), "NSCOM"),
        (("bse", "cd"), "BCD"),
        (("NSE", "INDEX"), "NSE"),
        (("mcx", "index"), "MCX"),
        (("NSE_FO", "FO"), "NFO"),
        (("NCD_FO", None), "CDS"),
        (("MCX", "COM"), "MCX"),
        (("MCX_FO", "FO"), "MCX"),
        (("NSCOM", "COM"), "NSCOM"),
    ],
)
def test_both_ways_to_name_a_market_are_understood(market: MarketInfoService, words: Any, exchange: str) -> None:
    assert market.get_market_status(*words)["exchange"] == exchange


@pytest.mark.parametrize(
    "question",
    [
        lambda market: market.is_holiday("24/11/2026"),
        lambda market: market.is_holiday(20261124),
        lambda market: market.get_market_holidays("2026"),
        lambda market: market.get_market_holidays(True),
        lambda market: market.get_market_holidays(2026.0),
        lambda market: market.is_holiday(pandas.NaT),
        lambda market: market.is_holiday(datetime.max.replace(tzinfo=UTC)),
        lambda market: market.is_market_open("MCX", "EQUITY"),
        lambda market: market.get_market_status(segment="EQUITY"),
        lambda market: market.is_market_open(listing="nothing"),
    ],
)
def test_nonsense_is_refused(market: MarketInfoService, question: Any) -> None:
    with pytest.raises(InvalidRequest):
        question(market)

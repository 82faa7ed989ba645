"""The calendar of a process: the broker wins and is argued with, is kept over restarts, and may be gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from services.calendar import Calendar
from services.calendar.calendar import LOOK_SECONDS
from services.domain.calendar.calendar import BUNDLED
from services.domain.clock import epoch_ms, ist_date
from services.domain.errors import LoginRequired, NotSent, StorageError
from services.domain.phases import Listing, Market, Phase
from services.storage.pool import Pool
from services.storage.schema import migrate_market
from tests.support.calendar import EQUITY, FakeAlerts, FakeBroker, at, holiday, ist, window
from tests.support.clocks import FakeClock, FakeMonotonic

MONDAY, SATURDAY = date(2026, 11, 23), date(2026, 11, 28)
NOW = ist("2026-11-23 11:00")
SAID = "Upstox says NSE is closed today; the desk's calendar says it trades until 15:30."


class Desk:
    """A calendar over one file, its broker, its alerts, and time that a test moves."""

    def __init__(self, pool: Pool, instant: datetime = NOW) -> None:
        self.pool = pool
        self.clock = FakeClock(instant)
        self.monotonic = FakeMonotonic()
        self.broker = FakeBroker(self.clock)
        self.alerts = FakeAlerts()
        self.practice = False
        self.made: list[Calendar] = []
        self.calendar = self.start_again()

    def start_again(self) -> Calendar:
        self.calendar = Calendar(
            ask=self.broker,
            pool=self.pool,
            clock=self.clock,
            raise_alert=self.alerts.raise_alert,
            resolve_alerts=self.alerts.resolve,
            practice=lambda: self.practice,
            monotonic=self.monotonic,
        )
        self.made.append(self.calendar)
        return self.calendar

    def phase(self, market: Market = Market.NSE) -> Phase:
        return self.calendar.phase(market).phase

    def later(self, **by: float) -> None:
        """Time goes by, and the housekeeping looks."""
        self.clock.move(**by)
        self.monotonic.now += timedelta(**by).total_seconds()
        self.calendar.refresh_if_due()


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    path = tmp_path / "market_data.db"
    migrate_market(path, backups=tmp_path / "backups", now=NOW)
    with closing(Pool(path)) as made:
        yield made


@pytest.fixture
def desk(pool: Pool) -> Iterator[Desk]:
    made = Desk(pool)
    yield made
    for calendar in made.made:
        calendar.close()


# -- who wins --------------------------------------------------------------------------------------------------


def test_a_broker_that_agrees_adds_nothing(desk: Desk) -> None:
    desk.calendar.refresh()

    assert desk.calendar.current is BUNDLED
    assert desk.calendar.state().contradictions == ()
    assert desk.alerts.raised == 0


def test_a_holiday_declared_today_wins_and_raises_the_alert(desk: Desk) -> None:
    assert desk.phase() is Phase.OPEN
    desk.broker.declare(holiday(MONDAY, closed=EQUITY))
    desk.broker.words = dict.fromkeys(EQUITY, "NORMAL_CLOSE")

    desk.calendar.refresh()

    assert desk.phase() is Phase.CLOSED
    assert desk.phase(Market.MCX) is Phase.OPEN
    assert desk.calendar.current.is_trading_day(Market.NSE, MONDAY) is False
    assert desk.calendar.current.trading_day_after(Market.NSE, date(2026, 11, 20)) == date(2026, 11, 25)
    assert desk.alerts.open["NSE 2026-11-23"] == (SAID, "warning")
    assert set(desk.alerts.open) == {f"{name} 2026-11-23" for name in EQUITY}
    assert {one.source for one in desk.calendar.state().contradictions} == {"Upstox"}


def test_it_is_found_within_the_hour_without_anybody_asking(desk: Desk) -> None:
    desk.later(seconds=0)
    desk.broker.declare(holiday(MONDAY, closed=EQUITY))

    desk.later(hours=1)

    assert desk.phase() is Phase.CLOSED


def test_a_status_leads_to_the_declaration_behind_it_within_minutes(desk: Desk) -> None:
    desk.later(seconds=0)
    desk.broker.declare(holiday(MONDAY, closed=EQUITY))
    desk.broker.words = dict.fromkeys(EQUITY, "NORMAL_CLOSE")

    desk.later(minutes=5)
    desk.later(seconds=LOOK_SECONDS)

    assert desk.calendar.phase().reason == "Poll day"
    assert desk.alerts.open["NSE 2026-11-23"][0] == SAID


def test_what_is_taken_back_is_resolved_and_kept(desk: Desk) -> None:
    desk.broker.declare(holiday(MONDAY, closed=EQUITY))
    desk.broker.words = dict.fromkeys(EQUITY, "NORMAL_CLOSE")
    desk.calendar.refresh()
    desk.broker.take_back()
    desk.clock.move(minutes=10)

    desk.calendar.refresh()

    assert desk.phase() is Phase.OPEN
    assert desk.calendar.current is BUNDLED
    assert desk.alerts.open == {}
    assert desk.calendar.state().contradictions == ()
    with desk.pool.get_connection(write=False) as connection:
        gone = connection.execute("SELECT gone_ms FROM calendar_contradictions").fetchall()
    assert [row["gone_ms"] for row in gone] == [epoch_ms(desk.clock.now())] * len(EQUITY)


def test_a_special_session_wins_today_and_on_a_day_to_come(desk: Desk) -> None:
    today = [window(name, MONDAY, "18:15", "19:15") for name in EQUITY]
    drill = [window("NSE", SATURDAY, "10:00", "11:30")]
    desk.broker.declare(holiday(MONDAY, opened=today, kind="SPECIAL_TIMING", name="Evening session"))
    desk.broker.declare(holiday(SATURDAY, opened=drill, kind="SPECIAL_TIMING", name="Drill"))
    desk.broker.words = dict.fromkeys(EQUITY, "NORMAL_CLOSE")

    desk.calendar.refresh()

    assert desk.phase() is Phase.CLOSED
    desk.clock.instant = at(MONDAY, "18:30")
    assert desk.phase() is Phase.OPEN
    assert desk.calendar.phase(Market.NSE, listing=Listing.AUCTION).phase is Phase.OPEN
    assert desk.calendar.current.is_trading_day(Market.NSE, SATURDAY)
    assert desk.alerts.open["NSE 2026-11-28"][1] == "info"
    assert desk.alerts.open["NSE 2026-11-23"][1] == "warning"


def test_an_hour_that_nobody_has_told_is_seen_within_minutes(desk: Desk) -> None:
    sunday = date(2026, 11, 8)
    desk.clock.instant = ist("2026-11-08 17:30")
    desk.broker.hours = {sunday: []}
    desk.broker.words = dict.fromkeys([*EQUITY, "CDS", "BCD", "MCX", "NSCOM"], "NORMAL_CLOSE")
    desk.later(seconds=0)

    desk.later(minutes=46)
    assert desk.phase() is not Phase.OPEN
    desk.broker.words = dict.fromkeys(desk.broker.words, "NORMAL_OPEN")
    desk.later(minutes=5)

    assert desk.phase() is Phase.OPEN


def test_after_a_simulated_next_year_nothing_is_asked_without_end(desk: Desk) -> None:
    desk.clock.instant = ist("2027-01-05 11:00")
    desk.broker.rows = [holiday(date(2027, 1, 26), closed=EQUITY)]
    desk.later(seconds=0)
    desk.clock.instant = NOW
    desk.broker.take_back()
    desk.start_again()
    desk.later(seconds=0)
    desk.broker.asked.clear()

    for _ in range(16):
        desk.later(seconds=LOOK_SECONDS)

    assert desk.broker.asked == []
    assert desk.calendar.state().source("holidays").fetched_at == NOW


@pytest.mark.parametrize("word", ["NORMAL_CLOSE", "CLOSING_END", "TRADING_HALTED"])
def test_a_wrong_status_wins_while_it_is_said(desk: Desk, word: str) -> None:
    desk.broker.words = {"NSE": word}
    desk.later(seconds=0)
    assert desk.phase() is not Phase.OPEN
    assert list(desk.alerts.open) == ["NSE 2026-11-23"]
    assert word in desk.alerts.open["NSE 2026-11-23"][0]

    desk.broker.take_back()
    desk.later(minutes=5)

    assert desk.phase() is Phase.OPEN
    assert desk.alerts.open == {}


def test_a_market_that_is_open_against_the_calendar_is_open(desk: Desk) -> None:
    desk.clock.instant = ist("2026-11-22 11:00")
    desk.broker.words = {"NSE": "NORMAL_OPEN"}

    desk.calendar.refresh()

    assert desk.phase() is Phase.OPEN
    assert desk.phase(Market.BSE) is Phase.CLOSED
    assert "the desk's calendar says it is closed (Sunday)" in desk.alerts.open["NSE 2026-11-22"][0]


def test_a_wrong_status_is_not_believed_for_ever_when_the_broker_falls_silent(desk: Desk) -> None:
    desk.broker.words = {"NSE": "NORMAL_CLOSE"}
    desk.later(seconds=0)
    desk.broker.errors = dict.fromkeys(("holidays", "timings", "status"), NotSent("refused"))

    desk.later(minutes=10)
    assert desk.phase() is Phase.CLOSED

    desk.later(minutes=10)
    assert desk.phase() is Phase.OPEN
    assert desk.alerts.open == {}


def test_what_was_declared_on_a_day_stays_true_of_it_and_its_alert_ends_with_the_day(desk: Desk) -> None:
    desk.broker.declare(holiday(MONDAY, closed=EQUITY))
    desk.later(seconds=0)

    desk.later(days=2)

    assert desk.calendar.current.is_trading_day(Market.NSE, MONDAY) is False
    assert desk.alerts.open == {}


# -- how it is asked -------------------------------------------------------------------------------------------


def test_questions_about_the_phase_ask_nobody(desk: Desk) -> None:
    for market in Market:
        desk.calendar.phase(market)
    desk.calendar.state()
    _ = desk.calendar.current

    assert desk.broker.asked == []


def test_nothing_is_asked_twice_for_nothing(desk: Desk) -> None:
    desk.later(seconds=0)
    first = len(desk.broker.asked)

    for _ in range(16):
        desk.later(seconds=LOOK_SECONDS)

    assert first == 2 + len(Market)
    assert len(desk.broker.asked) == first


def test_a_clock_that_runs_fast_does_not_make_more_requests(desk: Desk) -> None:
    desk.calendar.refresh_if_due()
    asked = len(desk.broker.asked)
    for _ in range(10):
        desk.clock.move(hours=2)
        desk.monotonic.now += 1.0
        desk.calendar.refresh_if_due()

    assert len(desk.broker.asked) == asked
    desk.monotonic.now += LOOK_SECONDS
    desk.calendar.refresh_if_due()
    assert len(desk.broker.asked) > asked


def test_a_refresh_by_hand_raises_and_takes_in_what_came(desk: Desk) -> None:
    desk.broker.errors["status"] = LoginRequired("no token", login_url="https://x")
    desk.broker.declare(holiday(MONDAY, closed=EQUITY))

    with pytest.raises(LoginRequired):
        desk.calendar.refresh()

    assert desk.phase() is Phase.CLOSED
    assert desk.calendar.state().source("status").error == "somebody has to log in first"


def test_two_threads_make_one_round(desk: Desk) -> None:
    entered, go = threading.Event(), threading.Event()

    def wait(question: str) -> None:
        entered.set()
        go.wait(30)

    desk.broker.on_asked = wait
    first = threading.Thread(target=desk.calendar.refresh_if_due)
    first.start()
    assert entered.wait(30)
    desk.calendar.refresh_if_due()  # returns at once: somebody is at it
    second = threading.Thread(target=lambda: desk.calendar.refresh_if_due(wait=True))
    second.start()
    go.set()
    first.join(30)
    second.join(30)

    assert len(desk.broker.asked) == 2 + len(Market)


def test_the_thread_keeps_it_current_and_ends_with_it(desk: Desk) -> None:
    heard = threading.Event()
    desk.broker.on_asked = lambda question: heard.set() if question == f"status {list(Market)[-1]}" else None
    assert not desk.calendar._refresher.running

    desk.calendar.start()
    desk.calendar.start()
    assert heard.wait(30)
    thread = desk.calendar._refresher._thread
    assert thread is not None
    assert thread.name == "calendar-refresher"
    desk.calendar.close()

    assert not thread.is_alive()
    assert desk.phase() is Phase.OPEN, "what is known can still be asked for"


# -- what is kept ----------------------------------------------------------------------------------------------


def test_a_restart_without_network_knows_what_was_heard_and_how_old_it_is(desk: Desk) -> None:
    desk.broker.declare(holiday(MONDAY, closed=EQUITY))
    desk.later(seconds=0)
    desk.broker.errors = dict.fromkeys(("holidays", "timings", "status"), NotSent("refused"))
    desk.clock.move(minutes=40)

    again = desk.start_again()

    assert desk.phase() is Phase.CLOSED
    assert again.state().source("holidays").fetched_at == NOW
    assert again.state().source("holidays").error is None
    assert len(again.state().contradictions) == len(EQUITY)
    desk.later(hours=1)
    assert again.state().source("holidays").error == "refused"
    assert {one.since for one in again.state().contradictions} == {NOW}
    assert set(desk.alerts.open) == {f"{name} 2026-11-23" for name in EQUITY}, "raised before, and not over"


def test_after_a_restart_an_alert_of_before_is_resolved_once_the_broker_was_heard(desk: Desk) -> None:
    desk.alerts.open["NSE 2026-11-20"] = ("said last week", "warning")
    desk.broker.errors = dict.fromkeys(("holidays", "timings", "status"), NotSent("refused"))
    desk.later(seconds=0)
    assert desk.alerts.open

    desk.broker.errors = {}
    desk.later(minutes=1)
    assert desk.alerts.open == {}


def test_without_a_broker_the_table_answers_and_says_so(desk: Desk) -> None:
    desk.broker.errors = dict.fromkeys(("holidays", "timings", "status"), NotSent("nothing answers there"))

    desk.later(seconds=0)

    state = desk.calendar.state()
    assert desk.phase() is Phase.OPEN
    assert state.source("holidays").error == "nothing answers there"
    assert state.source("holidays").fetched_at is None
    assert state.source("table").error is None
    assert state.table_until == date(2026, 12, 31)
    assert desk.broker.asked == ["holidays"], "who is not there is not asked the rest"


def test_a_file_that_cannot_be_used_does_not_stop_the_calendar(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object, **given: object) -> object:
        raise StorageError("the disk is full")

    monkeypatch.setattr(desk.pool, "get_connection", broken)
    desk.start_again()
    desk.broker.declare(holiday(MONDAY, closed=EQUITY))

    desk.calendar.refresh()

    assert desk.phase() is Phase.CLOSED
    assert "NSE 2026-11-23" in desk.alerts.open
    assert "the disk is full" in caplog.text


def test_the_guides_tables_can_be_selected(desk: Desk) -> None:
    desk.calendar.refresh()

    with desk.pool.get_connection(write=False) as connection:
        for name in ("market_status", "market_holidays", "market_timings"):
            sources = {row["source"] for row in connection.execute(f"SELECT source FROM {name}")}
            assert "Upstox" in sources
            assert name == "market_status" or "table" in sources


# -- practice --------------------------------------------------------------------------------------------------


def test_in_a_practice_session_the_brokers_word_is_kept_and_not_followed(desk: Desk) -> None:
    desk.practice = True
    desk.clock.instant = ist("2026-11-22 11:00")
    desk.broker.words = {market.value: "NORMAL_OPEN" for market in Market}
    desk.broker.hours[date(2026, 11, 22)] = [window("NSE", date(2026, 11, 22), "03:30", "23:59")]
    desk.broker.declare(holiday(date(2026, 11, 22), closed=("MCX",)))

    desk.calendar.refresh()

    assert desk.calendar.current is BUNDLED
    assert desk.phase() is Phase.CLOSED
    assert (desk.calendar.state().practice, desk.calendar.state().contradictions) == (True, ())
    assert desk.alerts.raised == 0
    assert desk.calendar.heard_status(Market.NSE).status.status == "NORMAL_OPEN"  # type: ignore[union-attr]
    with desk.pool.get_connection(write=False) as connection:
        sources = {row["source"] for row in connection.execute("SELECT source FROM market_timings")}
    assert "Upstox, practice" in sources


def test_what_a_practice_session_said_is_forgotten_when_real_hours_begin(desk: Desk) -> None:
    desk.practice = True
    desk.broker.declare(holiday(MONDAY, closed=EQUITY))
    desk.later(seconds=0)
    desk.broker.take_back()
    desk.practice = False

    desk.later(minutes=1)

    assert desk.phase() is Phase.OPEN
    assert desk.alerts.raised == 0
    assert desk.calendar.state().source("holidays").fetched_at == desk.clock.now()


def test_a_practice_session_ends_what_was_argued_about(desk: Desk) -> None:
    desk.broker.declare(holiday(MONDAY, closed=EQUITY))
    desk.later(seconds=0)
    assert desk.alerts.open
    desk.practice = True

    desk.later(minutes=1)

    assert desk.alerts.open == {}
    assert desk.phase() is Phase.OPEN


def test_an_answer_that_came_while_the_session_changed_is_let_go(desk: Desk) -> None:
    desk.broker.hours[MONDAY] = [window("NSE", MONDAY, "00:00", "23:59")]
    desk.broker.on_asked = lambda question: setattr(desk, "practice", True)

    desk.calendar.refresh()

    assert desk.calendar.heard_timings(MONDAY) is None
    with desk.pool.get_connection(write=False) as connection:
        assert connection.execute("SELECT count(*) FROM market_timings WHERE source = 'Upstox'").fetchone()[0] == 0


# -- any machine -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Auckland"])
def test_the_zone_of_the_machine_does_not_matter(pool: Pool, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for text, day, phase in (
            ("2026-11-23 00:00:30", MONDAY, Phase.CLOSED),
            ("2026-11-23 09:15", MONDAY, Phase.OPEN),
            ("2026-11-22 23:59:59", date(2026, 11, 22), Phase.CLOSED),
        ):
            desk = Desk(pool, ist(text))
            desk.broker.declare(holiday(day, closed=("BSE",)))
            desk.calendar.refresh()
            assert ist_date(desk.clock.now()) == day
            assert desk.phase() is phase
            assert desk.calendar.current.is_trading_day(Market.BSE, day) is False
            assert f"timings {day}" in desk.broker.asked
    finally:
        monkeypatch.undo()
        time.tzset()

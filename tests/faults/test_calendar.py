"""What an exchange declares on short notice, and what a broker gets wrong, wins for today, is told, and is taken back.

The broker is a real one on loopback with `--faults`, the desk is a whole runtime. That both go by the same table proves
nothing here; what counts is what the desk does with a broker that says something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from services.calendar.brokers_word import BrokersWord
from services.calendar.laying import Laid
from services.calendar.schedule import AFTER_BOUNDARY
from services.domain.clock import IST
from services.domain.phases import Market, Phase
from services.market_info_service import MarketInfoService
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from services.paper.sessions import Sessions
from services.runtime import Runtime, use_runtime
from services.settings import load_settings
from services.wire.market import parse_holidays, parse_status, parse_timings
from tests.support.calendar import ist

STILL = "2026-11-23T11:00:00+05:30x0.001"
TODAY, SATURDAY = date(2026, 11, 23), date(2026, 11, 28)
SAID = "The paper broker says NSE is closed today; the desk's calendar says it trades until 15:30."


class Bench:
    """A broker whose calendar can be made wrong, and a desk beside it."""

    def __init__(self, folder: Path, clock: str) -> None:
        self.folder = folder
        self.server = PaperServer(PaperOptions(folder=folder / "broker", clock=clock, faults=True)).start()
        self.address = {"api_base": self.server.base_url, "access_token": self.server.access_token()}
        self.desk = self.start_desk()

    def start_desk(self) -> Runtime:
        return Runtime(load_settings(data_dir=self.folder / "desk", mode="paper", read_timeout=1.0, **self.address))

    def declare(self, **fault: Any) -> None:
        self._send("POST", fault)

    def take_back(self) -> None:
        self._send("DELETE", None)

    def _send(self, method: str, fault: dict[str, Any] | None) -> None:
        headers = {"Authorization": f"Bearer {self.server.access_token()}"}
        url = f"{self.server.base_url}/_paper/calendar"
        answer = requests.request(method, url, json=fault, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text

    def alerts(self) -> dict[str, str]:
        return {alert.subject: alert.message for alert in self.desk.alerts.all(open_only=True)}


@contextmanager
def bench_at(folder: Path, clock: str) -> Iterator[Bench]:
    made = Bench(folder, clock)
    try:
        yield made
    finally:
        made.desk.close()
        made.server.stop()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_at(tmp_path, STILL) as made:
        yield made


def test_a_holiday_declared_today_wins_and_is_resolved_when_it_is_taken_back(bench: Bench) -> None:
    calendar = bench.desk.calendar
    assert calendar.phase().phase is Phase.OPEN
    bench.declare(kind="holiday", description="Poll day")

    calendar.refresh()

    assert (calendar.phase().phase, calendar.phase().reason) == (Phase.CLOSED, "Poll day")
    assert calendar.phase(Market.MCX).phase is Phase.OPEN
    assert bench.alerts()["NSE 2026-11-23"] == SAID
    assert set(bench.alerts()) == {f"{name} 2026-11-23" for name in ("NSE", "BSE", "NFO", "BFO")}

    bench.take_back()
    calendar.refresh()

    assert calendar.phase().phase is Phase.OPEN
    assert bench.alerts() == {}
    assert calendar.state().contradictions == ()


def test_a_wrong_status_wins_for_its_market_and_is_resolved(bench: Bench) -> None:
    calendar = bench.desk.calendar
    bench.declare(kind="status", exchanges=["NSE"], status="NORMAL_CLOSE")

    calendar.refresh()

    assert calendar.phase().phase is Phase.CLOSED
    assert calendar.phase(Market.BSE).phase is Phase.OPEN
    assert list(bench.alerts()) == ["NSE 2026-11-23"]

    bench.take_back()
    calendar.refresh()

    assert calendar.phase().phase is Phase.OPEN
    assert bench.alerts() == {}


def test_a_special_session_today_and_on_a_saturday_is_known(bench: Bench) -> None:
    calendar = bench.desk.calendar
    bench.declare(kind="special", exchanges=["NSE"], start="18:15", end="19:15", description="Evening session")
    bench.declare(kind="special", date="2026-11-28", start="10:00", end="11:30", description="Drill")

    calendar.refresh()

    assert calendar.phase().phase is Phase.CLOSED
    assert calendar.current.phase(Market.NSE, ist("2026-11-23 18:30")).phase is Phase.OPEN
    assert calendar.current.phase(Market.NSE, ist("2026-11-28 10:30")).phase is Phase.OPEN
    assert calendar.current.trading_day_after(Market.NSE, date(2026, 11, 27)) == SATURDAY
    assert {"NSE 2026-11-23", "NSE 2026-11-28", "BFO 2026-11-28"} <= set(bench.alerts())
    with use_runtime(bench.desk):
        drill = {row["date"]: row for row in MarketInfoService().get_market_holidays()}["2026-11-28"]
    assert (drill["name"], drill["holiday_type"], drill["source"]) == ("Drill", "SPECIAL_TIMING", "the paper broker")


def test_with_the_broker_gone_its_last_word_stays_and_its_age_is_told(bench: Bench) -> None:
    bench.declare(kind="holiday", description="Poll day")
    bench.desk.calendar.refresh()
    heard = bench.desk.calendar.state().source("holidays").fetched_at
    bench.server.stop()
    with use_runtime(bench.desk):
        service = MarketInfoService()

        assert service.is_holiday()
        assert service.get_market_status("NSE")["phase"] == "closed"
        assert service.get_market_timings("NSE")["as_of"] == bench.desk.calendar.heard_timings(TODAY)
        assert bench.desk.calendar.state().source("holidays").fetched_at == heard


def test_is_market_open_makes_no_request(bench: Bench) -> None:
    calendar = bench.desk.calendar
    calendar.refresh()
    calendar.close()  # no housekeeping meanwhile: what is counted is what the question costs
    before = bench.desk.api.caller.reports.versions()
    assert before
    with use_runtime(bench.desk):
        service = MarketInfoService()

        assert all(service.is_market_open() for _ in range(1000))

    assert bench.desk.api.caller.reports.versions() == before


def test_in_a_practice_session_nothing_is_argued_about(tmp_path: Path) -> None:
    with bench_at(tmp_path, "always") as bench:
        bench.declare(kind="holiday", description="Poll day")

        bench.desk.calendar.refresh()

        state = bench.desk.calendar.state()
        assert (state.practice, state.contradictions, bench.alerts()) == (True, (), {})


@pytest.mark.parametrize("day", ["2026-02-01", "2026-02-19", "2026-03-03", "2026-08-03", "2026-11-23", "2026-11-24"])
def test_a_broker_that_is_right_is_never_argued_with(day: str) -> None:
    """At every quarter of an hour of the day, and soon after each boundary."""
    broker = Sessions(always=False)
    when = date.fromisoformat(day)
    start = datetime.combine(when, datetime.min.time(), IST)
    word = BrokersWord().with_holidays(parse_holidays(broker.holidays(2026)), start)
    word = word.with_timings(when, parse_timings(broker.timings(when)), start)
    laid = Laid()
    for minute in range(0, 24 * 60, 15):
        for now in (start + timedelta(minutes=minute), start + timedelta(minutes=minute) + AFTER_BOUNDARY[-1]):
            told = {market: parse_status(broker.status(market.value, now)) for market in Market}
            laid = laid.with_word(word.with_statuses(told, now), "Upstox", now, timedelta(minutes=20))

            assert [one for one in laid.contradictions if one.day == when] == []
            assert laid.claims == ()

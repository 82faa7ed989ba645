"""One round of questions: what a failure stops, what it leaves alone, and how long it rests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from services.calendar.asking import FIRST_PAUSE, LONGEST_PAUSE, Asking
from services.calendar.schedule import Due, everything
from services.domain.accounts import Holiday, MarketStatus, Window
from services.domain.errors import BrokerFault, LoginRequired, MalformedPayload, NotSent, RequestRefused, UpstoxError
from services.domain.phases import Market
from tests.support.calendar import FakeBroker, ist
from tests.support.clocks import FakeClock, FakeMonotonic

NOW = ist("2026-11-23 11:00")
ALL = everything(NOW)


class Ear:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def take_holidays(self, rows: list[Holiday]) -> None:
        self.heard.append("holidays")

    def take_timings(self, day: date, windows: list[Window]) -> None:
        self.heard.append(f"timings {day}")

    def take_statuses(self, told: Mapping[Market, MarketStatus]) -> None:
        self.heard += [market.value for market in told]


class Set:
    def __init__(self) -> None:
        self.broker = FakeBroker(FakeClock(NOW))
        self.ear = Ear()
        self.monotonic = FakeMonotonic()
        self.stopped = False
        self.asking = Asking(self.broker, self.ear, stopped=lambda: self.stopped, monotonic=self.monotonic)


@pytest.fixture
def it() -> Set:
    return Set()


def test_one_exchange_is_asked_for_in_each_call(it: Set) -> None:
    assert it.asking.round(ALL) is None

    assert it.broker.asked == ["holidays", "timings 2026-11-23", *(f"status {market}" for market in Market)]
    assert it.ear.heard == ["holidays", "timings 2026-11-23", *(market.value for market in Market)]
    assert it.asking.errors() == {}
    assert it.asking.was_answered


def test_a_broker_that_is_not_there_is_asked_once(it: Set) -> None:
    it.broker.errors["holidays"] = NotSent("refused")

    assert isinstance(it.asking.round(ALL), NotSent)

    assert it.broker.asked == ["holidays"]
    assert it.asking.errors() == dict.fromkeys(("holidays", "timings", "status"), "refused")
    assert not it.asking.was_answered


@pytest.mark.parametrize("error", [MalformedPayload("odd"), BrokerFault("x", status=500)])
def test_trouble_with_one_question_leaves_the_others_alone(it: Set, error: UpstoxError) -> None:
    it.broker.errors["holidays"] = error

    assert it.asking.round(ALL) is error

    assert it.ear.heard == ["timings 2026-11-23", *(market.value for market in Market)]
    assert set(it.asking.errors()) == {"holidays"}


def test_an_empty_list_of_holidays_is_no_answer(it: Set) -> None:
    it.broker.rows = []

    assert isinstance(it.asking.round(Due(holidays=True)), MalformedPayload)

    assert it.ear.heard == []


def test_without_a_login_the_lists_still_come_and_statuses_are_not_tried_one_by_one(it: Set) -> None:
    it.broker.errors["status"] = LoginRequired("no token", login_url="https://x")

    it.asking.round(ALL)

    assert it.ear.heard == ["holidays", "timings 2026-11-23"]
    assert it.broker.asked.count("status NSE") == 1
    assert len([one for one in it.broker.asked if one.startswith("status")]) == 1
    assert it.asking.errors() == {"status": "somebody has to log in first"}


def test_an_exchange_that_the_broker_does_not_serve_is_no_trouble(it: Set) -> None:
    it.broker.errors["NSCOM"] = RequestRefused("unknown exchange", status=400, code="UDAPI1089")

    assert it.asking.round(ALL) is None

    assert len(it.ear.heard) == 2 + len(Market) - 1


def test_an_exchange_in_trouble_leaves_the_others_alone_and_is_told(it: Set) -> None:
    it.broker.errors["BSE"] = BrokerFault("broken", status=500)

    assert isinstance(it.asking.round(ALL), BrokerFault)

    assert {"NSE", "MCX"} <= set(it.ear.heard)
    assert set(it.asking.errors()) == {"status"}


def test_a_status_of_another_exchange_is_not_believed(it: Set) -> None:
    it.broker.market_status = lambda exchange: MarketStatus("NSE", "NORMAL_OPEN", NOW, None)  # type: ignore[method-assign]

    assert isinstance(it.asking.round(Due(statuses=(Market.NSE, Market.MCX))), MalformedPayload)

    assert it.ear.heard == ["NSE"]


def test_what_failed_rests_longer_each_time_and_is_forgotten_when_it_works(it: Set) -> None:
    it.broker.errors["holidays"] = BrokerFault("x", status=500)
    pauses = []
    for _ in range(8):
        it.asking.round(Due(holidays=True))
        began = it.monotonic.now
        assert not it.asking.rested(Due(holidays=True))
        assert it.asking.rested(Due(timings=(date(2026, 11, 23),)))
        while not it.asking.rested(Due(holidays=True)):
            it.monotonic.now += 5.0
        pauses.append(it.monotonic.now - began)

    assert pauses[:4] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, 8 * FIRST_PAUSE]
    assert max(pauses) == LONGEST_PAUSE
    it.broker.errors.clear()
    it.asking.round(Due(holidays=True))
    assert it.asking.errors() == {}


def test_a_round_ends_when_the_desk_closes(it: Set) -> None:
    it.broker.on_asked = lambda question: setattr(it, "stopped", question == "status NSE")

    it.asking.round(ALL)

    assert it.broker.asked[-1] == "status NSE"
    assert it.ear.heard[-1] == "NSE"

"""One alert for each market and day: raised, brought up to date, resolved, and never for nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from services.calendar.telling import Telling
from services.domain.errors import StorageError
from services.domain.phases import Market
from services.storage.calendar_contradictions import Contradiction
from tests.support.calendar import FakeAlerts, ist

TODAY = date(2026, 11, 23)
CLOSED = Contradiction(
    Market.NSE, TODAY, "hours", "trades until 15:30", "is closed", "Upstox", since=ist("2026-11-23 11:00")
)
STATUS = replace(CLOSED, about="status", broker_says="is not open now (NORMAL_CLOSE)")
SAID = "Upstox says NSE is closed today; the desk's calendar says it trades until 15:30."


def made() -> tuple[Telling, FakeAlerts]:
    alerts = FakeAlerts()
    return Telling(alerts.raise_alert, alerts.resolve), alerts


def test_a_contradiction_is_told_once() -> None:
    telling, alerts = made()

    for _ in range(3):
        telling.tell([CLOSED], TODAY, may_resolve=True)

    assert alerts.open == {"NSE 2026-11-23": (SAID, "warning")}
    assert alerts.raised == 1


def test_hours_are_told_before_the_status_of_the_same_day() -> None:
    telling, alerts = made()

    telling.tell([CLOSED, STATUS], TODAY, may_resolve=True)

    assert alerts.open["NSE 2026-11-23"][0] == SAID


def test_a_day_to_come_is_information_and_becomes_a_warning() -> None:
    telling, alerts = made()

    telling.tell([CLOSED], date(2026, 11, 20), may_resolve=True)
    assert alerts.open["NSE 2026-11-23"][1] == "info"

    telling.tell([CLOSED], TODAY, may_resolve=True)
    assert alerts.open["NSE 2026-11-23"] == (SAID, "warning")


def test_what_is_gone_is_resolved_also_what_an_earlier_process_raised() -> None:
    telling, alerts = made()
    alerts.open["BSE 2026-11-20"] = ("said yesterday", "warning")

    telling.tell([CLOSED], TODAY, may_resolve=True)
    assert list(alerts.open) == ["NSE 2026-11-23"]

    telling.tell([], TODAY, may_resolve=True)
    assert alerts.open == {}

    telling.tell([CLOSED], TODAY, may_resolve=True)
    assert alerts.raised == 2


def test_before_the_broker_was_heard_nothing_is_resolved() -> None:
    telling, alerts = made()
    alerts.open["BSE 2026-11-23"] = ("said before the restart", "warning")

    telling.tell([CLOSED], TODAY, may_resolve=False)

    assert set(alerts.open) == {"BSE 2026-11-23", "NSE 2026-11-23"}


def test_an_alert_that_could_not_be_kept_is_told_again() -> None:
    telling, alerts = made()
    alerts.error = StorageError("the disk is full")
    telling.tell([CLOSED], TODAY, may_resolve=True)
    alerts.error = None

    telling.tell([CLOSED], TODAY, may_resolve=True)

    assert alerts.open == {"NSE 2026-11-23": (SAID, "warning")}

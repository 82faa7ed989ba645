"""One open alert per trouble; acknowledged once, resolved once, kept."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from services.domain.errors import InvalidRequest
from services.ledger.alerts import Alerts, Severity
from tests.support.clocks import FakeClock
from tests.support.ledger import new_ledger

NOW = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def alerts(tmp_path: Path, clock: FakeClock) -> Iterator[Alerts]:
    with closing(new_ledger(tmp_path)) as ledger:
        yield Alerts(ledger, clock)


def test_an_alert_is_raised_and_listed(alerts: Alerts) -> None:
    raised = alerts.raise_alert(
        "error_rate", "too many", subject="quotes", severity="critical", context={"rate": 12.5, "limit": Decimal("10")}
    )

    assert alerts.all() == [raised]
    assert (raised.kind, raised.subject, raised.message) == ("error_rate", "quotes", "too many")
    assert raised.severity is Severity.CRITICAL
    assert raised.context == {"rate": 12.5, "limit": "10"}
    assert (raised.raised_at, raised.acknowledged_at, raised.resolved_at) == (NOW, None, None)
    assert raised.raised_at.tzinfo is UTC
    assert raised.is_open


def test_the_same_trouble_again_brings_the_open_alert_up_to_date(alerts: Alerts, clock: FakeClock) -> None:
    first = alerts.raise_alert("error_rate", "11 per minute")
    alerts.acknowledge(first.id)
    clock.move(minutes=5)

    again = alerts.raise_alert("error_rate", "14 per minute", severity="critical")

    assert (again.id, again.message, again.severity) == (first.id, "14 per minute", Severity.CRITICAL)
    assert (again.raised_at, again.acknowledged_at) == (NOW, NOW)
    assert len(alerts.all()) == 1


def test_what_is_over_is_resolved_by_kind_but_for_what_still_stands(alerts: Alerts, clock: FakeClock) -> None:
    over, stands = (alerts.raise_alert("calendar", "x", subject=subject) for subject in ("NSE", "BSE"))
    other = alerts.raise_alert("error_rate", "x", subject="NSE")
    clock.move(minutes=5)

    resolved = alerts.resolve_all("calendar", but={"BSE"})

    assert [(one.id, one.resolved_at) for one in resolved] == [(over.id, clock.now())]
    assert {one.id for one in alerts.all(open_only=True)} == {stands.id, other.id}
    assert alerts.resolve_all("calendar", but={"BSE"}) == []
    assert [one.id for one in alerts.resolve_all("calendar")] == [stands.id]


def test_another_subject_or_a_resolved_alert_is_another_alert(alerts: Alerts) -> None:
    first = alerts.raise_alert("stale", "no ticks", subject="NSE")
    other = alerts.raise_alert("stale", "no ticks", subject="MCX")
    alerts.resolve(first.id)

    again = alerts.raise_alert("stale", "no ticks", subject="NSE")

    assert len({first.id, other.id, again.id}) == 3
    assert [alert.id for alert in alerts.all(open_only=True)] == [again.id, other.id]
    assert [alert.id for alert in alerts.all()] == [again.id, other.id, first.id], "the newest first"
    assert [alert.id for alert in alerts.all(limit=1)] == [again.id]


def test_the_first_time_counts(alerts: Alerts, clock: FakeClock) -> None:
    number = alerts.raise_alert("stale", "no ticks").id
    clock.move(minutes=1)
    alerts.acknowledge(number)
    clock.move(minutes=1)
    alerts.acknowledge(number)
    alerts.resolve(number)
    clock.move(minutes=1)

    alert = alerts.resolve(number)

    assert (alert.acknowledged_at, alert.resolved_at) == (NOW + timedelta(minutes=1), NOW + timedelta(minutes=2))
    assert not alert.is_open


def test_many_threads_with_one_trouble_raise_one_alert(alerts: Alerts) -> None:
    with ThreadPoolExecutor(8) as threads:
        raised = list(threads.map(lambda n: alerts.raise_alert("stale", f"no ticks {n}").id, range(16)))

    assert len(set(raised)) == 1


def test_nonsense_is_refused_in_words(alerts: Alerts) -> None:
    for change, words in (
        (lambda: alerts.acknowledge(7), "there is no alert 7"),
        (lambda: alerts.resolve(7), "there is no alert 7"),
        (lambda: alerts.raise_alert("", "m"), "kind and a message"),
        (lambda: alerts.raise_alert("k", ""), "kind and a message"),
        (lambda: alerts.raise_alert("k" * 61, "m"), "at most 60"),
        (lambda: alerts.raise_alert("k", "m", severity="terrible"), "info, warning or critical"),
        (lambda: alerts.all(limit=0), "at least one"),
    ):
        with pytest.raises(InvalidRequest, match=words):
            change()
    assert alerts.all() == []

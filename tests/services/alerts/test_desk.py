"""The life of alerts: opened once, seen, over by themselves, kept through a full disk and a restart."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.alerts import rules as r
from services.domain.errors import Forbidden
from services.ledger.alerts import Alert, Life, Severity
from services.ledger.tables import alerts
from services.measures.snapshot import ErrorsNow, TokenNow
from tests.support.alerts import FULL, OPERATOR, TRADER, VIEWER, Bench, alerting, until
from tests.support.ledger import NOW

STORM = ErrorsNow(24.0, 5.0, {"RateLimited": 110, "NoAnswer": 10})
QUIET = ErrorsNow(0.0, 5.0, {})


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with alerting(tmp_path) as made:
        yield made


def test_a_calm_desk_has_nothing_to_tell(bench: Bench) -> None:
    for _ in range(3):
        bench.round()

    assert bench.open() == {}
    assert bench.announced == []


def test_a_storm_of_errors_opens_one_alert_with_its_breakdown_and_closes_it_when_it_is_over(bench: Bench) -> None:
    bench.round()
    for _ in range(20):
        bench.round(errors=STORM)
    (alert,) = bench.desk.standing().alerts
    assert (alert.kind, alert.severity, alert.life) == ("error_rate", Severity.WARNING, Life.OPEN)
    assert alert.message == (
        "24.0 errors a minute over the last 5 minutes; of the requests, "
        "110 came too fast for the broker, 10 got no answer"
    )
    assert alert.context is not None
    assert alert.context["error_breakdown"] == {"RateLimited": 110, "NoAnswer": 10}
    assert [text for text, _ in bench.announced] == [f"Error rate: {alert.message}"]

    bench.desk.acknowledge(alert.id, TRADER)
    bench.round(errors=ErrorsNow(8.0, 5.0, {"NoAnswer": 40}))
    assert bench.lives("error_rate") == ["acknowledged"], "between the thresholds nothing changes"
    bench.round(errors=QUIET)

    (over,) = bench.desk.history()
    assert (over.life, over.acknowledged_by, over.resolved_by) == (Life.AUTO_RESOLVED, "ravi", None)
    bench.round(errors=STORM)
    assert bench.open() == {}, "it cools down"
    bench.round(seconds=301)
    assert bench.lives("error_rate") == ["auto-resolved", "open"]


def test_what_a_person_resolved_is_not_opened_again_before_it_was_over(bench: Bench) -> None:
    bench.round(errors=STORM)
    (alert,) = bench.desk.standing().alerts
    bench.desk.resolve(alert.id, TRADER)
    for _ in range(20):
        bench.round()
    assert bench.lives("error_rate") == ["resolved"]

    bench.round(errors=QUIET)
    bench.round(seconds=400, errors=STORM)
    assert bench.lives("error_rate") == ["resolved", "open"]


def test_after_a_restart_an_open_alert_is_not_raised_again_and_ends_by_itself(bench: Bench) -> None:
    bench.round(errors=STORM)
    bench.close()

    bench.start()
    bench.announced.clear()
    for _ in range(3):
        bench.round()
    assert bench.lives("error_rate") == ["open"]
    assert bench.announced == []
    bench.round(errors=QUIET)

    assert bench.lives("error_rate") == ["auto-resolved"]


def test_an_alert_that_was_raised_from_elsewhere_is_announced_and_ended_by_its_rule(bench: Bench) -> None:
    bench.round()
    bench.desk.raise_alert("error_rate", "12 errors a minute")
    bench.kept.raise_alert("calendar_contradiction", "the broker says open", subject="NSE 2026-11-23")
    bench.round(errors=STORM)
    assert bench.lives("error_rate") == ["open"]
    assert [text.partition(":")[0] for text, _ in bench.announced] == ["Error rate", "Broker and calendar differ"]

    bench.round(errors=QUIET)
    assert bench.lives("error_rate") == ["auto-resolved"]
    assert bench.lives("calendar_contradiction") == ["open"], "its own part ends it"


def test_what_a_full_disk_refuses_is_shown_and_kept_as_soon_as_there_is_room(bench: Bench) -> None:
    bench.round()
    bench.ledger.full = FULL
    bench.round(errors=STORM)
    (alert,) = [one for one in bench.desk.standing().alerts if one.kind == "error_rate"]
    assert not alert.is_kept
    assert bench.desk.standing().problem == FULL
    bench.desk.acknowledge(alert.id, TRADER)
    for _ in range(3):
        bench.round()
    assert len([one for one in bench.desk.standing().alerts if one.kind == "error_rate"]) == 1
    assert [text for text, _ in bench.announced if text.startswith("Error rate")] == [f"Error rate: {alert.message}"]

    bench.ledger.full = None
    bench.round()

    (kept,) = [one for one in bench.kept.all() if one.kind == "error_rate"]
    assert (kept.life, kept.acknowledged_by, kept.raised_at) == (Life.ACKNOWLEDGED, "ravi", alert.raised_at)
    assert [text for text, _ in bench.announced if text.startswith("Error rate")] == [f"Error rate: {alert.message}"]
    bench.round(errors=QUIET)
    assert bench.lives("error_rate") == ["auto-resolved"]


def test_an_alert_that_ended_while_the_disk_was_full_is_over_on_the_disk_too(bench: Bench) -> None:
    bench.round(errors=STORM)
    bench.ledger.full = FULL
    bench.round(errors=QUIET)
    assert ("error_rate", "") not in bench.open()
    assert [one.life for one in bench.kept.all()] == [Life.OPEN], "nothing was written"

    bench.ledger.full = None
    bench.round()
    assert [one.life for one in bench.kept.all() if one.kind == "error_rate"] == [Life.AUTO_RESOLVED]


def test_what_cannot_be_measured_neither_opens_nor_closes(bench: Bench) -> None:
    bench.round(errors=STORM)
    bench.round(errors=None)

    assert bench.lives("error_rate") == ["open"]
    assert next(one for one in bench.desk.rules() if one.rule.kind == "error_rate").unknown == "not measured now"


def test_roles_are_obeyed(bench: Bench) -> None:
    bench.round(errors=STORM)
    (alert,) = bench.desk.standing().alerts

    with pytest.raises(Forbidden):
        bench.desk.acknowledge(alert.id, VIEWER)
    with pytest.raises(Forbidden):
        bench.desk.resolve(alert.id, VIEWER)
    for actor in (VIEWER, TRADER):
        with pytest.raises(Forbidden):
            bench.desk.set_rule(r.ERROR_RATE, actor, active=Decimal(0))
        with pytest.raises(Forbidden):
            bench.desk.channels.add("phone", "fake://secret-token", actor)
        with pytest.raises(Forbidden):
            bench.desk.test(1, actor)
    assert bench.lives("error_rate") == ["open"]


def test_the_thread_looks_by_itself_and_ends_with_its_owner(bench: Bench) -> None:
    others = set(threading.enumerate())  # a desk that other tests share has such a thread too
    bench.snapshot = replace(bench.snapshot, errors=STORM)
    bench.desk.start()
    bench.desk.start()

    until(lambda: ("error_rate", "") in bench.open(), lambda: None)
    bench.desk.close()
    until(lambda: not _rule_threads() - others, lambda: None)


def _rule_threads() -> set[threading.Thread]:
    return {one for one in threading.enumerate() if one.name == "alert-rules"}


def test_all_that_stand_are_told_however_many_they_are(bench: Bench) -> None:
    with bench.ledger.write() as connection:
        row = {"kind": "trade_conflict", "severity": "warning", "message": "told otherwise", "raised_at": NOW}
        connection.execute(sa.insert(alerts), [row | {"subject": str(number)} for number in range(201)])

    assert len(bench.desk.standing().alerts) == 201
    assert len(bench.kept.all()) == 200


def test_a_ledger_that_cannot_be_read_is_an_alert_of_its_own(bench: Bench) -> None:
    bench.round()
    bench.ledger.unread = bench.ledger.full = "ledger.db: damaged"
    for _ in range(2):
        bench.round()
    assert bench.open() == {(r.STORAGE, ""): "The ledger: ledger.db: damaged"}
    assert bench.desk.standing().complete, "what it told before is known"

    bench.ledger.unread = bench.ledger.full = None
    for _ in range(4):
        bench.round()
    assert bench.lives(r.STORAGE) == ["auto-resolved"]


def test_a_fault_in_one_rule_or_in_the_prices_hides_nothing_that_the_others_find(bench: Bench) -> None:
    bench.channels.add("Phone", "fake://bot-token/chat", OPERATOR)
    bench.round()

    def broken(*about: object) -> None:
        raise ValueError("a fault")

    bench.desk._readers = {**bench.desk._readers, r.ERROR_RATE: broken}  # type: ignore[dict-item]
    bench.watch.round = broken  # type: ignore[method-assign,assignment]
    bench.round(token=TokenNow(None, None, 0.0, "the token ended at 03:30"))

    assert list(bench.open()) == [(r.TOKEN_ENDED, "")]
    assert len(bench.sender.sent) == 1
    state = next(one for one in bench.desk.rules() if one.rule.kind == r.ERROR_RATE)
    assert state.unknown == "a fault of the desk's own (ValueError); the log has it"


def test_a_new_trouble_is_not_ended_with_the_old_one_whose_end_waits_for_the_disk(bench: Bench) -> None:
    bench.book.raise_alert("trade_conflict", "the old one")
    bench.ledger.full = FULL
    bench.book.over("trade_conflict", "")
    bench.ledger.times = 1  # only the end is refused once more
    bench.book.raise_alert("trade_conflict", "the new one")
    assert bench.ledger.full is None
    bench.book.settle()

    assert [one.message for one in bench.desk.standing().alerts] == ["the new one"]
    assert [(one.message, one.is_open) for one in bench.kept.all()] == [("the new one", True), ("the old one", False)]


def test_one_that_ends_while_another_thread_writes_it_down_is_over_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.ledger.full = FULL
    bench.book.raise_alert("trade_conflict", "told otherwise")
    bench.ledger.full = None
    keep, writing, go = bench.kept.keep, threading.Event(), threading.Event()

    def slow(alert: Alert) -> Alert:
        if alert.is_open:
            writing.set()
            assert go.wait(60)
        return keep(alert)

    monkeypatch.setattr(bench.kept, "keep", slow)
    other = threading.Thread(target=bench.book.settle)
    other.start()
    assert writing.wait(60)
    bench.book.over("trade_conflict", "")
    go.set()
    other.join(60)
    bench.book.settle()

    assert [one.life for one in bench.kept.all()] == [Life.AUTO_RESOLVED]
    assert bench.desk.standing().alerts == ()

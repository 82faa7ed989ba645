"""What the measures say of each rule, and what of them is nothing to tell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.alerts import rules as r
from services.measures.calls_now import BudgetNow, RestNow, WindowNow
from services.measures.snapshot import ClockNow, TokenNow
from services.measures.storage_now import StorageNow
from tests.support.alerts import FULL, Bench, alerting, feed_now, writer_now


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with alerting(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("kind", "parts", "words"),
    [
        (r.FEED_SILENT, {"feed": feed_now(silent_seconds=45.0)}, "No price has come for 45 s though the market is"),
        (r.TOKEN_ENDING, {"token": TokenNow("access", None, 1200.0, None)}, "The token ends in 20 min"),
        (r.TOKEN_ENDED, {"token": TokenNow(None, None, 0.0, "the token ended at 03:30")}, "the token ended at 03:30"),
        (
            r.WRITER_BEHIND,
            {"storage": StorageNow(writer=writer_now(waiting=9000, oldest_seconds=30.0), free_bytes=10**10)},
            "9,000 ticks wait for the disk, the oldest for 30 s",
        ),
        (
            r.BUDGET_LOW,
            {"rest": RestNow(budgets=(BudgetNow("quotes", (WindowNow(1800.0, 2000, 1900, 60.0),), 0.0),))},
            "quotes: 1,900 of 2,000 calls of 30 min are used",
        ),
        (r.BROKER_FAILING, {"rest": RestNow(failing_since=90.0, last_failure="HTTP 503")}, "last failure: HTTP 503"),
        (r.DISK_LOW, {"storage": StorageNow(free_bytes=300_000_000, total_bytes=10**10)}, "300.0 MB are free"),
        (r.STORAGE, {"storage": StorageNow(read_only=True)}, "The data folder is read-only"),
        (
            r.STORAGE,
            {"storage": StorageNow(free_bytes=10**10, faults={"The ledger": "damaged", "Ticks": "damaged"})},
            "The ledger, Ticks: damaged",
        ),
        (r.CLOCK, {"clock": ClockNow(None, 1, 3600.0, 4.0, 1.0)}, "The desk's clock was moved by 60 min forward"),
        (r.CLOCK, {"clock": ClockNow(-3600.0, 1, -3600.0, 40.0, 1.0)}, "60 min behind the broker's"),
        (r.CLOCK, {"clock": ClockNow(0.0, 1, -3600.0, 4.0, 1.0)}, "The desk's clock was moved by 60 min back"),
    ],
)  # fmt: skip
def test_each_trouble_opens_its_one_alert_and_ends_by_itself(
    bench: Bench, kind: str, parts: dict[str, object], words: str
) -> None:
    fine = {name: getattr(bench.snapshot, name) for name in parts}
    for _ in range(10):
        bench.round(**parts)
    assert list(bench.open()) == [(kind, "quotes" if kind == r.BUDGET_LOW else "")]
    assert words in next(iter(bench.open().values()))

    for _ in range(5):
        bench.round(**fine)
    assert bench.lives(kind) == ["auto-resolved"]


def test_a_full_disk_is_told_once_and_not_by_every_part_that_meets_it(bench: Bench) -> None:
    full = StorageNow(free_bytes=0, total_bytes=2_000_000, faults={"The market file": f"x.db: {FULL}"})
    for _ in range(5):
        bench.round(storage=full)

    assert list(bench.open()) == [(r.DISK_LOW, "")]


def test_a_mute_feed_at_night_and_a_feed_without_a_login_raise_nothing_of_their_own(bench: Bench) -> None:
    for _ in range(3):
        bench.round(feed=feed_now(expected=False, last_update_ago=40_000.0))
        bench.round(feed=feed_now(state="login needed", connected=False, silent_seconds=90.0))

    assert bench.open() == {}


def test_losses_are_told_while_they_go_on_and_over_a_minute_after_the_last(bench: Bench) -> None:
    def lost(count: int) -> StorageNow:
        return StorageNow(writer=writer_now(dropped={"queue full": count}), free_bytes=10**10)

    bench.round(storage=lost(500))
    assert bench.open() == {}, "what was lost before the first look is no news"
    bench.round(storage=lost(700))
    assert "200 ticks could not be kept" in bench.open()[r.WRITER_DROPPING, ""]
    bench.round(seconds=30)
    assert bench.lives(r.WRITER_DROPPING) == ["open"]
    bench.round(seconds=40)
    bench.round(seconds=40)

    assert bench.lives(r.WRITER_DROPPING) == ["auto-resolved"]


def test_an_unknown_order_has_an_alert_of_its_own_until_it_is_settled(bench: Bench) -> None:
    bench.cases = [("intent-1", "Buy 10 RELIANCE"), ("intent-2", "Sell 5 INFY")]
    for _ in range(5):
        bench.round()
    assert set(bench.open()) == {("order_unknown", "intent-1"), ("order_unknown", "intent-2")}
    assert bench.announced == [], "the order desk has told it already"

    bench.cases = [("intent-2", "Sell 5 INFY")]
    bench.round()
    assert set(bench.open()) == {("order_unknown", "intent-2")}


def test_differences_of_the_p_and_l_are_alerts_until_they_are_gone(bench: Bench) -> None:
    bench.differences = [("2026-11-20", "the broker's charges are ₹12.40 more")]
    bench.round()
    assert bench.open() == {("unreconciled", "2026-11-20"): "the broker's charges are ₹12.40 more"}

    bench.differences = []
    for _ in range(7):
        bench.round()
    assert bench.lives("unreconciled") == ["auto-resolved"]


def test_unknown_orders_stand_over_a_restart_until_they_are_looked_up(bench: Bench) -> None:
    bench.cases = [("intent-1", "Buy 10 RELIANCE")]
    for _ in range(5):
        bench.round()
    bench.close()
    bench.start()
    bench.cases = None
    for _ in range(5):
        bench.round()
    assert bench.lives(r.ORDER_UNKNOWN) == ["open"]

    bench.cases = []
    bench.round()
    assert bench.lives(r.ORDER_UNKNOWN) == ["auto-resolved"]


@pytest.mark.parametrize(
    ("kind", "trouble", "unknown"),
    [
        (r.BROKER_FAILING, {"rest": RestNow(failing_since=90.0)}, {"rest": RestNow()}),
        (
            r.FEED_SILENT,
            {"feed": feed_now(silent_seconds=45.0)},
            {"feed": feed_now(connected=False, last_update_ago=None)},
        ),
        (r.CLOCK, {"clock": ClockNow(90.0, 0, None, None, 1.0)}, {"clock": ClockNow(None, 0, None, None, 1.0)}),
        (r.STORAGE, {"storage": StorageNow(read_only=True)}, {"storage": StorageNow(read_only=None)}),
    ],
)
def test_what_is_not_known_yet_after_a_start_ends_nothing(
    bench: Bench, kind: str, trouble: dict[str, object], unknown: dict[str, object]
) -> None:
    fine = {name: getattr(bench.snapshot, name) for name in trouble}
    bench.round(**trouble)
    bench.close()
    bench.start()
    for _ in range(4):
        bench.round(**unknown)
    assert bench.lives(kind) == ["open"]

    for _ in range(40):
        bench.round(**fine)
    assert bench.lives(kind) == ["auto-resolved"]


def test_a_budget_of_before_the_start_is_not_free_because_this_process_has_used_none_of_it(bench: Bench) -> None:
    used = RestNow(budgets=(BudgetNow("quotes", (WindowNow(1800.0, 2000, 1900, 60.0),), 0.0),))
    fresh = RestNow(budgets=(BudgetNow("quotes", (WindowNow(1800.0, 2000, 3, 1790.0),), 0.0),))
    for _ in range(10):
        bench.round(rest=used)
    bench.close()
    bench.start()

    for rest in (RestNow(), fresh):
        bench.round(seconds=600, rest=rest)
    assert bench.lives(r.BUDGET_LOW) == ["open"]
    for _ in range(10):
        bench.round(seconds=300)
    assert bench.lives(r.BUDGET_LOW) == ["auto-resolved"]

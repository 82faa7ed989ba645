"""Alerts of several processes on one ledger: opened once, told once, and ended only by whoever can know."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest

from services.alerts.prices import PriceNow
from services.alerts.rules import BUDGET_LOW, DISK_LOW, ORDER_UNKNOWN, SHARED_AWAY, TOKEN_ENDED, UNRECONCILED
from services.ledger.alerts import Severity
from services.ledger.price_alerts import Side
from services.measures.shared_now import PostgresNow, SharingNow
from services.measures.snapshot import TokenNow
from services.measures.storage_now import StorageNow
from tests.support.alerts import OPERATOR, TRADER, Bench, feed_now

INFY = "NSE_EQ|INE009A01021"
FULL_DISK = StorageNow(free_bytes=200_000_000, total_bytes=100_000_000_000)
ROOM = StorageNow(free_bytes=50_000_000_000, total_bytes=100_000_000_000)


@dataclass
class World:
    """Who is there, who leads, and whether they can speak with each other."""

    leader: str = "one"
    up: bool = True
    there: set[str] = field(default_factory=lambda: {"one", "two"})


@dataclass
class Peer:
    world: World
    me: str

    def name(self) -> str:
        return self.me

    def leads(self) -> bool:
        return self.world.up and self.world.leader == self.me

    def connected(self) -> bool:
        return self.world.up

    def here(self) -> Collection[str] | None:
        return self.world.there if self.world.up else None


class Two:
    def __init__(self, folder: Path) -> None:
        self.world = World()
        self.one = Bench(folder, peers=Peer(self.world, "one"))
        self.two = Bench(folder, peers=Peer(self.world, "two"), beside=self.one)

    def round(self, seconds: float = 2.0) -> None:
        self.one.round(seconds=seconds)
        self.two.round(seconds=0)

    def rounds(self, seconds: float) -> None:
        for _ in range(round(seconds / 2)):
            self.round()

    def at(self, price: float) -> None:
        """INFY is at `price`, wherever somebody looks."""
        self.one.pass_time(2)
        now = PriceNow(price, 0.0, self.one.clock.now())
        self.one.known[INFY] = self.two.known[INFY] = now
        self.one.round(seconds=0)
        self.two.round(seconds=0)


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Two]:
    made = Two(tmp_path)
    yield made
    made.one.close()
    made.two.close()


def test_what_all_see_alike_is_opened_and_ended_by_the_one_that_leads(both: Two) -> None:
    both.one.channels.add("team", "fake://team", OPERATOR, least=Severity.WARNING, tell_end=True)
    gone = TokenNow(None, None, 0.0, "log in")
    both.round()
    both.two.snapshot = both.one.snapshot = replace(both.one.snapshot, token=gone)
    both.rounds(6)
    opened = both.one.open()
    both.one.round(seconds=0, token=TokenNow("access", None, 40_000.0, None))
    both.rounds(4)

    assert list(opened) == [(TOKEN_ENDED, "")]
    assert both.one.lives(TOKEN_ENDED) == ["auto-resolved"], "though the other one still saw no token"
    assert [title for _, title, _, _ in both.one.sender.sent] == ["Desk: Token ended", "Desk: over: Token ended"]
    assert [text for text, _ in both.two.announced] == ["Token ended: log in"], "whoever looks there hears of it too"


def test_a_full_disk_is_of_one_machine_and_only_that_one_ends_it(both: Two) -> None:
    both.two.round(seconds=0, storage=FULL_DISK)
    both.rounds(4)
    [(name, words)] = both.one.open().items()
    both.one.round(seconds=0, storage=FULL_DISK)
    both.one.round(storage=ROOM)
    still = list(both.one.open())
    both.two.round(seconds=0, storage=ROOM)

    assert name == (DISK_LOW, "@ two")
    assert words.startswith("two: 200.0 MB are free")
    assert still == [(DISK_LOW, "@ two")]
    assert both.one.open() == {}


def test_a_feed_that_is_mute_for_one_process_is_not_ended_by_one_that_hears_it(both: Two) -> None:
    both.two.round(seconds=0, feed=feed_now(silent_seconds=40.0))
    both.rounds(20)

    assert [kind_and_subject[1] for kind_and_subject in both.one.open()] == ["@ two"]


def test_what_a_process_leaves_behind_that_is_gone_for_good_is_ended_by_the_one_that_leads(both: Two) -> None:
    both.two.round(seconds=0, storage=FULL_DISK)
    both.world.there = {"one"}
    for _ in range(50):
        both.one.round()
    before = list(both.one.open())
    for _ in range(20):
        both.one.round()

    assert before == [(DISK_LOW, "@ two")]
    assert both.one.open() == {}


def test_a_process_that_starts_anew_under_its_name_knows_its_own_alerts(both: Two) -> None:
    both.two.round(seconds=0, storage=FULL_DISK)
    both.two.ledger.close()
    both.two.start()
    both.two.round(storage=ROOM)

    assert both.one.lives(DISK_LOW) == ["auto-resolved"]


def test_who_takes_over_ends_what_the_one_before_has_opened(both: Two) -> None:
    both.one.cases = [("one", "BUY 10 RELIANCE")]
    both.rounds(10)
    opened = list(both.one.open())
    both.world.leader = "two"
    both.rounds(4)

    assert opened == [(ORDER_UNKNOWN, "one")]
    assert both.one.lives(ORDER_UNKNOWN) == ["auto-resolved"]


def test_without_redis_each_judges_and_there_is_one_alert_all_the_same(both: Two) -> None:
    both.world.up = False
    both.one.cases = both.two.cases = [("one", "BUY 10 RELIANCE")]
    both.one.differences = both.two.differences = [("gross", "does not agree")]
    both.rounds(20)
    opened = list(both.one.open())
    both.one.cases = both.two.cases = []
    both.rounds(4)

    assert opened == [(ORDER_UNKNOWN, "one")], "profit and loss are compared when somebody leads again"
    assert both.one.lives(ORDER_UNKNOWN) == ["auto-resolved"]
    assert UNRECONCILED not in {kind for kind, _ in both.one.open()}


def test_a_price_alert_rings_once_for_all(both: Two) -> None:
    made = both.two.watch.add(INFY, "INFY", TRADER, level=Decimal(1500), direction=Side.ABOVE)
    both.at(1490.0)
    both.at(1505.0)
    states = both.two.watch.states()

    assert list(both.one.open()) == [("price", str(made.id))]
    assert len(both.one.desk.history()) == 1
    assert [(one.ringing, one.value) for one in states] == [(True, 1505.0)]


def test_a_crossing_while_nobody_led_is_heard_of_by_who_takes_over(both: Two) -> None:
    both.one.watch.add(INFY, "INFY", TRADER, level=Decimal(1500), direction=Side.ABOVE)
    both.one.pass_time(20)
    both.at(1490.0)
    both.world.leader = "nobody"
    both.two.watch.heard(0, [(INFY, 1505.0, 0, 0, 0)])
    both.at(1490.0)
    both.world.leader = "two"
    both.at(1490.0)

    assert both.two.lives("price") == ["open"]


def test_a_wish_that_came_after_the_crossing_does_not_ring_for_it(both: Two) -> None:
    both.one.watch.add(INFY, "INFY", TRADER, level=Decimal(1600), direction=Side.ABOVE)
    both.at(1490.0)
    both.two.watch.heard(0, [(INFY, 1505.0, 0, 0, 0)])
    both.at(1490.0)
    both.one.watch.add(INFY, "INFY", TRADER, level=Decimal(1500), direction=Side.ABOVE)
    both.world.leader = "two"
    both.at(1490.0)

    assert both.two.open() == {}


def test_a_shared_budget_is_the_desks_and_without_redis_each_process_has_its_own(both: Two) -> None:
    scopes = both.two.desk._scopes
    assert (scopes.judges(BUDGET_LOW), scopes.full(BUDGET_LOW, "group orders")) == (False, "group orders")
    both.world.up = False
    assert (scopes.judges(BUDGET_LOW), scopes.full(BUDGET_LOW, "group orders")) == (True, "group orders @ two")


def test_an_alert_of_its_own_budget_is_over_when_it_is_shared_again(both: Two) -> None:
    both.two.desk._book.raise_alert(BUDGET_LOW, "two: 95 %", subject="group orders @ two")
    both.rounds(4)

    assert both.one.open() == {}


def test_a_database_that_is_away_for_one_process_is_one_alert_of_that_process(both: Two) -> None:
    away = PostgresNow("PostgreSQL on db", 9, 0, 1, 3, None, "PostgreSQL on db does not answer", 8.0)
    both.two.ledger.full = "PostgreSQL on db does not answer"
    both.two.round(seconds=0, shared=SharingNow(postgres=away))
    both.rounds(6)
    shown = both.two.open()
    both.two.ledger.full = None
    both.two.round(seconds=0, shared=SharingNow(postgres=replace(away, problem="")))
    both.rounds(6)

    assert shown == {
        (SHARED_AWAY, "PostgreSQL @ two"): "two: PostgreSQL on db does not answer, for 8 s: no order is sent before it "
        "answers"
    }
    assert both.one.lives(SHARED_AWAY) == ["auto-resolved"], "and is kept when it is back"
    assert both.one.open() == {}

"""Uses counted, charts fetched beforehand, and never more of that than a tenth of what the limits leave."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.domain.clock import IST
from services.domain.errors import InvalidRequest, NotSent
from services.storage.pool import Pool
from services.storage.use_store import KEPT_DAYS, Use, UseStore, create_uses
from services.warming.budget import spare_calls
from services.warming.predicting import CHART_PAGE, likeliest
from services.warming.warmer import MOST_CHARTS, ONE_USE_SECONDS, WARM_SECONDS, Warmer
from services.wire.endpoints import Limit
from services.wire.rate_windows import Window
from tests.support.clocks import FakeClock, FakeMonotonic

TEN = datetime(2026, 11, 20, 10, 0, tzinfo=IST)
LIMITS = (Limit(50, 1), Limit(500, 60), Limit(2000, 1800))


def windows(used: int = 0) -> tuple[Window, ...]:
    return tuple(Window(limit, min(used, limit.calls), 0.0) for limit in LIMITS)


class World:
    """A warmer whose time and broker a test moves."""

    def __init__(self, pool: Pool) -> None:
        self.clock, self.monotonic = FakeClock(TEN), FakeMonotonic()
        self.fetched: list[tuple[str, str]] = []
        self.failure: Exception | None = None
        self.used, self.closed, self.wanted, self.calls_each = 0, 0.0, True, 1
        self.store = UseStore(pool)
        self.warmer = Warmer(
            store=self.store, fetch=self._fetch, budgets=lambda: [(windows(self.used), self.closed)], clock=self.clock,
            wanted=lambda: self.wanted, monotonic=self.monotonic,
        )  # fmt: skip

    def _fetch(self, what: str, detail: str) -> int:
        if self.failure is not None:
            raise self.failure
        self.fetched.append((what, detail))
        self.used += self.calls_each
        return self.calls_each

    def later(self, seconds: float) -> None:
        self.clock.move(seconds=seconds)
        self.monotonic.now += seconds


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    made = Pool(tmp_path / "uses.db", size=1)
    with made.get_connection() as connection:
        create_uses(connection)
    yield made
    made.close_all()


@pytest.fixture
def world(pool: Pool) -> World:
    return World(pool)


def test_one_look_is_one_use_however_often_the_page_runs(world: World) -> None:
    for _ in range(100):
        world.warmer.saw(CHART_PAGE, ["A"], "5m 3")
        world.later(2)
    world.later(ONE_USE_SECONDS + 1)
    world.warmer.saw(CHART_PAGE, ["A"], "5m 4")
    world.warmer.step()

    (use,) = world.store.all()
    assert (use.page, use.what, use.hour, use.detail) == (CHART_PAGE, "A", 10, "5m 4")
    assert use.weight == pytest.approx(2.0)


def test_a_use_fades_and_is_forgotten(pool: Pool) -> None:
    store, day = UseStore(pool), TEN.toordinal()
    store.add([Use("candles", "A", 10, 1.0, day, 1), Use("candles", "OLD", 10, 1.0, day, 1)])
    store.add([Use("candles", "A", 10, 1.0, day + 7, 2)])
    assert {use.what: use.weight for use in store.all()} == {"A": 1.5, "OLD": 1.0}

    store.add([Use("candles", "NEW", 9, 1.0, day + KEPT_DAYS + 1, 3)])

    assert {use.what for use in store.all()} == {"A", "NEW"}


def test_the_table_never_grows_beyond_its_bound(pool: Pool) -> None:
    store, day = UseStore(pool, most_rows=50), TEN.toordinal()
    store.add(Use("quotes", f"K{number}", 10, 1.0, day, number) for number in range(200))
    store.add([Use("candles", "HEAVY", 10, 9.0, day, 1)])

    assert len(store.all()) == 50
    assert "HEAVY" in {use.what for use in store.all()}


def test_the_hour_that_begins_counts_before_it_begins() -> None:
    day = TEN.toordinal() - 1
    uses = [Use("candles", "AT TEN", 10, 3.0, day, 0), Use("candles", "AT ELEVEN", 11, 3.0, day, 0)]

    assert likeliest(uses, TEN) == ["AT TEN", "AT ELEVEN"]
    assert likeliest(uses, TEN + timedelta(minutes=50)) == ["AT ELEVEN", "AT TEN"]


def test_a_look_on_another_page_makes_a_chart_likelier_and_only_charts_are_fetched() -> None:
    day = TEN.toordinal()
    uses = [
        Use("candles", "A", 10, 1.0, day, 0), Use("candles", "B", 10, 1.0, day, 0), Use("quotes", "B", 10, 1.0, day, 0),
        Use("quotes", "ONLY A QUOTE", 10, 90.0, day, 0),
    ]  # fmt: skip

    assert likeliest(uses, TEN) == ["B", "A"]


def test_likely_charts_are_fetched_as_they_were_looked_at_and_kept_warm(world: World) -> None:
    world.store.add([Use("candles", "A", 10, 5.0, TEN.toordinal() - 1, 1, "5m 3")])
    for _ in range(10):
        world.warmer.step()
        world.later(WARM_SECONDS / 4)

    assert world.fetched == [("A", "5m 3")] * 3


def test_what_somebody_looks_at_is_not_fetched_besides(world: World) -> None:
    world.store.add([Use("candles", "A", 10, 5.0, TEN.toordinal() - 1, 1, "5m 3")])
    world.warmer.saw(CHART_PAGE, ["A"], "5m 3")
    world.warmer.step()

    assert world.fetched == []


@pytest.mark.parametrize(
    ("used", "own", "closed", "spare"),
    [
        (0, 0, 0.0, 5),  # of 50 in a second
        (0, 0, 0.1, 0),
        (2, 2, 0.0, 3),  # both were ours
        (40, 0, 0.0, 1),
        (50, 0, 0.0, 0),
        (5, 5, 0.0, 0),
    ],
)
def test_a_tenth_of_what_others_leave_may_be_spent(used: int, own: int, closed: float, spare: int) -> None:
    assert spare_calls(windows(used), [0.0] * own, closed=closed) == spare


def test_over_half_an_hour_it_is_a_tenth_in_every_window(world: World) -> None:
    """Every chart takes many calls, and everything is always due: as much as there can be."""
    day = TEN.toordinal() - 1
    world.store.add(Use("candles", f"K{number}", 10, 5.0, day, number, "5m 3") for number in range(MOST_CHARTS * 2))
    world.calls_each = 3
    for _ in range(90):
        world.used = 0  # nobody else asks
        world.warmer.step()
        world.later(20)

    assert 100 < world.warmer.now().calls <= 200 + world.calls_each


def test_nothing_is_fetched_while_a_budget_is_closed_or_nobody_trades(world: World) -> None:
    world.store.add([Use("candles", "A", 10, 5.0, TEN.toordinal() - 1, 1, "5m 3")])
    world.closed = 30.0
    world.warmer.step()
    world.closed, world.wanted = 0.0, False
    world.warmer.step()
    world.wanted = True
    world.warmer.step(lambda: True)
    assert world.fetched == []

    world.warmer.step()

    assert world.fetched == [("A", "5m 3")]


def test_a_broker_that_is_away_ends_the_round(world: World) -> None:
    day = TEN.toordinal() - 1
    world.store.add(Use("candles", what, 10, 5.0, day, 1, "5m 3") for what in ("A", "B", "C"))
    world.failure = NotSent("nobody there")
    world.warmer.step()
    assert world.warmer.now().failed == 1

    world.failure = None
    world.later(WARM_SECONDS)
    world.warmer.step()

    assert [what for what, _ in world.fetched] == ["A", "B", "C"]


def test_a_contract_that_has_expired_does_not_stand_in_the_way(world: World) -> None:
    day = TEN.toordinal() - 1
    world.store.add(Use("candles", what, 10, 5.0, day, 1, "5m 3") for what in ("A", "B", "C"))
    world.failure = InvalidRequest("gone")
    world.warmer.step()

    assert world.warmer.now().failed == 3


def test_uses_wait_while_the_disk_takes_nothing(world: World, pool: Pool) -> None:
    world.warmer.saw(CHART_PAGE, ["A"], "5m 3")
    pool.close_all()
    assert world.warmer.step() > 0
    assert len(world.warmer._waiting) == 1

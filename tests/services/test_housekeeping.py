"""What is done now and then, by nobody's order: when ticks are settled, how often, and that no trouble stops it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.domain.calendar.calendar import BUNDLED
from services.domain.clock import epoch_ms
from services.domain.errors import PoolExhausted
from services.runtime import housekeeping as module
from services.runtime.housekeeping import METRICS_DAYS, SHORTEST_PAUSE, Housekeeping
from services.storage.feed_metrics import MARKET, FeedMetrics
from services.storage.pool import Pool
from services.storage.tick_packing import TickPacker, Tidied
from services.storage.tick_store import TickStore
from services.storage.tick_writer import TickWriter
from tests.support.calendar import ist
from tests.support.clocks import FakeClock, FakeMonotonic
from tests.support.quotes import wait_until
from tests.support.ticks import RELIANCE, open_pool, tick

NOON, EVENING, NIGHT = ist("2026-11-20 12:00"), ist("2026-11-20 20:00"), ist("2026-11-21 00:10")
MIDNIGHT = ist("2026-11-20 00:00")


class Packer:
    """Remembers what it was asked to do; a test may have it fail."""

    def __init__(self) -> None:
        self.asked: list[tuple[datetime, float, int]] = []
        self.failure: Exception | None = None
        self.during: Callable[[Callable[[], bool]], object] = lambda stop: None

    def tidy(self, before: datetime, *, log_days: float, packed_days: int, stop: Callable[[], bool]) -> Tidied:
        self.asked.append((before, log_days, packed_days))
        self.during(stop)
        if self.failure is not None:
            raise self.failure
        return Tidied(packed=5, merged=1, left_the_log=3, given_up=2, freed_bytes=0)


class Metrics:
    def __init__(self) -> None:
        self.pruned: list[datetime] = []

    def prune(self, before: datetime) -> int:
        self.pruned.append(before)
        return 0


@contextmanager
def keeping(now: datetime, **given: Any) -> Iterator[tuple[Housekeeping, Packer, Metrics]]:
    packer, metrics = Packer(), Metrics()
    options: dict[str, Any] = {
        "packer": packer, "metrics": metrics, "clock": FakeClock(now), "calendar": lambda: BUNDLED, "log_days": 1,
        "packed_days": 30,
    } | given  # fmt: skip
    made = Housekeeping(**options)
    try:
        yield made, packer, metrics
    finally:
        made.close()


@pytest.mark.parametrize(
    ("now", "settled"),
    [
        (NOON, MIDNIGHT),
        (ist("2026-11-20 09:05"), MIDNIGHT),  # pre-open
        (ist("2026-11-20 15:20"), MIDNIGHT),  # closing auction
        (EVENING, MIDNIGHT),  # commodities still trade
        (NIGHT, NIGHT),
        (ist("2026-11-20 08:30"), ist("2026-11-20 08:30")),  # before the first market opens
        (ist("2026-11-22 12:00"), ist("2026-11-22 12:00")),  # Sunday
    ],
)
def test_ticks_are_settled_once_every_market_has_closed(now: datetime, settled: datetime) -> None:
    with keeping(now) as (keeper, _, _):
        assert keeper.settled_before(now) == settled
        assert keeper.settled_before(now).tzinfo is UTC


def test_a_round_packs_what_is_settled_and_lets_go_of_what_is_old(caplog: pytest.LogCaptureFixture) -> None:
    with keeping(NIGHT) as (keeper, packer, metrics), caplog.at_level(logging.INFO):
        keeper.round()

    assert packer.asked == [(NIGHT, 1, 30)]
    assert metrics.pruned == [NIGHT - timedelta(days=METRICS_DAYS)]
    assert "ticks: 5 packed, 3 left the log, 2 given up" in caplog.text


def test_a_disk_that_does_not_take_it_is_tried_again_with_the_next_round(caplog: pytest.LogCaptureFixture) -> None:
    with keeping(NIGHT, every_seconds=60.0) as (keeper, packer, metrics):
        packer.failure = PoolExhausted("no connection became free")
        assert keeper._step() == 60.0
        assert "housekeeping was not done: no connection became free" in caplog.text
        packer.failure = None
        keeper._step()

    assert len(packer.asked) == 2
    assert len(metrics.pruned) == 1


@pytest.mark.parametrize(("speed", "pause"), [(1.0, 1800.0), (60.0, 30.0), (0.001, 1800.0), (10_000.0, SHORTEST_PAUSE)])
def test_its_half_hour_is_one_of_the_desks_clock(speed: float, pause: float) -> None:
    with keeping(NIGHT, speed=lambda: speed) as (keeper, _, _):
        assert keeper._step() == pause


def test_its_thread_works_from_the_start_and_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHORTEST_PAUSE", 0.0)
    with keeping(NIGHT, every_seconds=0.001) as (keeper, packer, _):
        keeper.start()
        keeper.start()
        wait_until(lambda: len(packer.asked) >= 3)


def test_its_end_interrupts_a_round_that_is_under_way() -> None:
    stopped = threading.Event()
    under_way = threading.Event()

    def long(stop: Callable[[], bool]) -> None:
        under_way.set()
        wait_until(stop)
        stopped.set()

    with keeping(NIGHT) as (keeper, packer, _):
        packer.during = long
        keeper.start()
        assert under_way.wait(30)
        keeper.begin_close()
        assert stopped.wait(30)

    assert len(packer.asked) == 1


def test_a_real_day_is_packed_in_the_night_and_leaves_the_log_a_day_later(tmp_path: Path) -> None:
    with open_pool(tmp_path) as pool:
        with closing(TickWriter(pool)) as writer:
            writer.put(epoch_ms(NOON), [tick(traded_ms=epoch_ms(NOON) - 150)])
            assert writer.flush()
        metrics = FeedMetrics(pool)
        metrics.begin(MARKET, NOON - timedelta(days=METRICS_DAYS + 1))
        metrics.begin(MARKET, NOON)
        clock = FakeClock(EVENING)
        found = []
        with keeping(NIGHT, packer=TickPacker(pool), metrics=metrics, clock=clock) as (keeper, _, _):
            for now in (EVENING, NIGHT, NIGHT + timedelta(days=2)):
                clock.instant = now
                keeper.round()
                found.append((TickStore(pool).count().packed, _rows_in_the_log(pool)))
        kept = TickStore(pool).ticks(RELIANCE, MIDNIGHT, MIDNIGHT + timedelta(days=1))

        assert found == [(0, 1), (1, 1), (1, 0)]
        assert len(kept) == 1
        assert len(metrics.recent()) == 1


def _rows_in_the_log(pool: Pool) -> int:
    with pool.get_connection(write=False) as connection:
        return int(connection.execute("SELECT count(*) FROM websocket_ticks_v3").fetchone()[0])


def test_charts_are_warmed_between_rounds_and_rounds_stay_as_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    monotonic, warmed = FakeMonotonic(), []

    def warm(stopped: Callable[[], bool]) -> float:
        warmed.append(stopped())
        return 60.0

    with keeping(NIGHT, warm=warm, monotonic=monotonic) as (keeper, packer, _):
        pauses = []
        for _ in range(31):
            pauses.append(keeper._step())
            monotonic.now += 60
        keeper.begin_close()
        assert keeper._step() is None

    assert pauses == [60.0] * 30 + [60.0]
    assert len(packer.asked) == 2
    assert warmed == [False] * 31

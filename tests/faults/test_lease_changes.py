"""The lease goes from process to process, whatever happens to its holder: one connection upstream, prices for all."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broker_process import Broker
from tests.support.redis import RedisServer
from tests.support.sharing_crew import MOST_GAP_SECONDS, Child, Crew

PAUSE_SECONDS = 6.0
"""Twice the lease of these processes."""
MOST_AGE_SECONDS = 3.5
"""What a holder finds in its socket after such a pause is older: the broker lets go of it in less than a lease."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker", "--ping", "0.7") as made:
        yield made


@pytest.fixture
def crew(request: pytest.FixtureRequest, tmp_path: Path, broker: Broker, own_redis: RedisServer) -> Iterator[Crew]:
    count = 4 if request.node.get_closest_marker("soak") else 3
    with Crew(tmp_path, broker, own_redis.url, count) as made:
        made.all_fresh()
        yield made


def killed(crew: Crew) -> None:
    holder = crew.holder()
    crew.lose(holder)
    crew.holder()
    crew.all_fresh()
    crew.add()


def paused(crew: Crew) -> None:
    """Stopped in the middle of whatever it does, for longer than its lease, and woken."""
    holder = crew.holder()
    token = holder.told["token"]
    holder.pause()
    began = time.monotonic()
    crew.eventually(lambda: any(child.leads and child is not holder for child in crew.children))
    crew.all_fresh()
    crew.eventually(lambda: time.monotonic() > began + PAUSE_SECONDS)
    holder.wake()
    crew.eventually(lambda: holder.told["token"] != token)


def redis_restarted(crew: Crew, redis: RedisServer) -> None:
    """It comes back at once, and knows nothing any more."""
    redis.stop()
    redis.start()


def check(crew: Crew) -> None:
    """What holds at every moment, and after a change."""
    crew.all_fresh()
    feeds = crew.open_feeds()
    order = crew.place()
    crew.eventually(lambda: all(order in child.told["orders"] for child in crew.children))

    assert feeds["most"] == {"market": 1, "portfolio": 1}
    assert sum(child.leads for child in crew.children) == 1
    assert [child.name for child in crew.children if child.gap > MOST_GAP_SECONDS] == []
    assert [child.name for child in crew.children if _too_old(child)] == []


def _too_old(child: Child) -> bool:
    return bool(child.told["oldest"] > MOST_AGE_SECONDS)


def test_a_holder_killed_or_paused_and_a_redis_restarted_cost_nobody_the_prices(
    crew: Crew, own_redis: RedisServer
) -> None:
    check(crew)
    killed(crew)
    check(crew)
    paused(crew)
    check(crew)
    redis_restarted(crew, own_redis)
    check(crew)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_same_for_another_47_changes(crew: Crew, own_redis: RedisServer) -> None:
    chance = random.Random(9)
    for number in range(47):
        what = chance.choice(("killed", "paused", "redis"))
        if what == "killed":
            killed(crew)
        elif what == "paused":
            paused(crew)
        else:
            redis_restarted(crew, own_redis)
        check(crew)
        print(number + 1, what, max(child.gap for child in crew.children), flush=True)

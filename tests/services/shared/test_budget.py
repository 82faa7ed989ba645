from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest

from services.domain.errors import RateBudgetSpent
from services.shared.budget import SharedGate
from services.shared.link import RedisLink
from services.transport.rate_gate import RateGate
from services.wire.endpoints import LTP, ORDER_CANCEL, ORDER_PLACE, QUOTES, Limit
from services.wire.rate_windows import part_of
from tests.support.clocks import FakeMonotonic
from tests.support.redis import RedisServer, link_to

WIDE = (Limit(3, 60), Limit(5, 600))
"""Nothing of these leaves a window while a test runs."""


class Desk:
    """Processes that share one account; each has its own way to Redis."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self.links: list[RedisLink] = []

    def process(self, name: str, limits: tuple[Limit, ...] = WIDE, *, processes: int = 2, **more: float) -> SharedGate:
        link = link_to(self.server, **more)
        self.links.append(link)
        own = RateGate({group: part_of(limits, processes) for group in ("standard", "orders")}, margin=0.0)
        return SharedGate(link, process=name, own=own, limits=lambda bucket: limits, margin=0.0)

    def moments(self, bucket: str = "quotes") -> list[float]:
        """Of the calls in Redis, in seconds."""
        link = link_to(self.server)
        told = link.client.zrange(link.key("budget", bucket, "calls"), 0, -1, withscores=True)
        link.close()
        return [score / 1e6 for _, score in told]

    def close(self) -> None:
        for link in self.links:
            link.close()


@pytest.fixture
def desk(redis_server: RedisServer) -> Iterator[Desk]:
    made = Desk(redis_server)
    yield made
    made.close()


@pytest.fixture
def own_desk(own_redis: RedisServer) -> Iterator[Desk]:
    made = Desk(own_redis)
    yield made
    made.close()


def test_what_one_process_used_another_has_not(desk: Desk) -> None:
    one, two = desk.process("one"), desk.process("two")
    for gate in (one, two, one):
        gate.acquire(QUOTES, max_wait=0)

    with pytest.raises(RateBudgetSpent) as caught:
        two.acquire(QUOTES, max_wait=5)

    assert 30 < caught.value.wait_seconds <= 60
    assert [window.used for window in two.budget(QUOTES)] == [3, 3]
    assert 30 < one.wait_for(QUOTES) <= 60
    assert set(two.budgets()) == {"quotes"}


def test_no_window_of_any_length_ever_holds_more_than_is_documented(desk: Desk) -> None:
    limits = (Limit(3, 0.1), Limit(8, 0.5), Limit(1000, 600))
    gates = [desk.process(str(number), limits) for number in range(3)]
    barrier = threading.Barrier(6)

    def call(gate: SharedGate) -> None:
        barrier.wait(30)
        for _ in range(3):
            gate.acquire(QUOTES, max_wait=100)

    threads = [threading.Thread(target=call, args=(gate,)) for gate in gates * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    moments = desk.moments()
    assert len(moments) == 18
    assert not threads[0].is_alive()
    for limit in limits:
        assert all(
            last - first >= limit.seconds - 2e-6 for first, last in zip(moments, moments[limit.calls :], strict=False)
        )


def test_order_writes_share_one_budget_over_all_processes_and_reads_have_their_own(desk: Desk) -> None:
    one, two = desk.process("one"), desk.process("two")
    one.acquire(ORDER_PLACE, max_wait=0)
    two.acquire(ORDER_CANCEL, max_wait=0)
    one.acquire(ORDER_CANCEL, max_wait=0)

    with pytest.raises(RateBudgetSpent, match="order_place"):
        two.acquire(ORDER_PLACE, max_wait=0.5)
    two.acquire(LTP, max_wait=0)


def test_a_penalty_that_one_process_got_closes_the_budget_for_all(desk: Desk) -> None:
    one, two = desk.process("one"), desk.process("two")
    two.acquire(QUOTES, max_wait=0)
    one.penalise(QUOTES, 30)

    with pytest.raises(RateBudgetSpent) as caught:
        two.acquire(QUOTES, max_wait=1)
    assert 20 < caught.value.wait_seconds <= 30
    assert 20 < two.budgets()["quotes"][1] <= 30
    two.acquire(LTP, max_wait=0)


def test_who_waits_while_a_penalty_comes_gets_a_later_turn_or_is_told_that_there_is_none(desk: Desk) -> None:
    limits = (Limit(1, 0.4),)
    one, two = desk.process("one", limits), desk.process("two", limits)
    one.acquire(QUOTES, max_wait=0)
    asleep, go = threading.Event(), threading.Event()

    def sleep(seconds: float) -> None:
        asleep.set()
        assert go.wait(60)
        threading.Event().wait(seconds)

    two._sleep = sleep
    ends: list[str] = []

    def wait(most: float) -> None:
        try:
            two.acquire(QUOTES, max_wait=most)
        except RateBudgetSpent:
            ends.append("spent")
        else:
            ends.append("sent")

    waiter = threading.Thread(target=wait, args=(60.0,))
    waiter.start()
    assert asleep.wait(60)
    before = desk.moments()
    one.penalise(QUOTES, 1.0)
    after = desk.moments()
    go.set()
    waiter.join(60)

    assert len(before) == len(after) == 2
    assert after[1] > before[1] + 0.3
    assert ends == ["sent"]

    asleep.clear()
    go.clear()
    impatient = threading.Thread(target=wait, args=(5.0,))
    impatient.start()
    assert asleep.wait(60)
    one.penalise(QUOTES, 100)
    go.set()
    impatient.join(60)
    assert ends == ["sent", "spent"]
    assert len(desk.moments()) <= 2  # nobody stands behind a call that is not made


def test_without_redis_each_process_keeps_to_its_part_and_counts_what_it_has_used(own_desk: Desk) -> None:
    gate = own_desk.process("one", (Limit(8, 60),), processes=2, timeout=0.5)
    for _ in range(3):
        gate.acquire(QUOTES, max_wait=0)
    own_desk.server.stop()

    gate.acquire(QUOTES, max_wait=0)  # the fourth, of four
    with pytest.raises(RateBudgetSpent):
        gate.acquire(QUOTES, max_wait=1)
    assert gate.budget(QUOTES)[0].used == 4
    assert gate.budgets()["quotes"][0][0].limit == Limit(4, 60)


def test_a_redis_that_comes_back_without_its_data_is_told_what_was_used(own_desk: Desk) -> None:
    limits = (Limit(8, 60),)
    one = own_desk.process("one", limits, timeout=2.0, again=0.0)
    two = own_desk.process("two", limits, timeout=2.0, again=0.0)
    for gate in (one, one, two):
        gate.acquire(QUOTES, max_wait=0)
    own_desk.server.stop()
    two.acquire(QUOTES, max_wait=0)  # alone
    own_desk.server.start()

    one.keep_told()
    two.keep_told()

    assert one.budget(QUOTES)[0].used == 4
    two.keep_told()
    assert two.budget(QUOTES)[0].used == 4


def test_calls_that_left_while_only_the_way_was_cut_are_added(own_desk: Desk) -> None:
    gate = own_desk.process("one", (Limit(8, 60),), timeout=0.2, again=0.0)
    gate._link.timeout = 0.2
    gate.acquire(QUOTES, max_wait=0)
    own_desk.server.pause()
    gate.acquire(QUOTES, max_wait=0)
    own_desk.server.wake()
    patient = own_desk.process("two")
    patient.budgets()  # it answers again

    gate.keep_told()

    used = patient.budget(QUOTES)[0].used
    assert used in (2, 3)  # a question whose answer was lost may have been counted as well; never less


def test_of_calls_that_left_alone_only_those_that_count_still_are_remembered() -> None:
    clock, limits = FakeMonotonic(), (Limit(8, 60),)
    gate = SharedGate(
        RedisLink("redis://127.0.0.1:1", prefix="x", timeout=0.1),
        process="one",
        own=RateGate({"standard": limits}, clock=clock, sleep=clock.sleep),
        limits=lambda bucket: limits,
        monotonic=clock,
        sleep=clock.sleep,
    )
    for _ in range(5):
        gate.acquire(QUOTES, max_wait=0)
        clock.sleep(50)

    assert len(gate._alone["quotes"]) == 2


def test_a_clock_of_redis_that_is_set_back_stops_nobody(desk: Desk) -> None:
    gate = desk.process("one", (Limit(2, 0.2),))
    gate.acquire(QUOTES, max_wait=0)
    link = desk.links[0]
    meta = link.key("budget", "quotes", "meta")
    seen = int(link.client.hget(meta, "seen"))
    link.client.hset(meta, "seen", seen + 3_600_000_000)  # an hour ago it was an hour later
    link.client.zadd(link.key("budget", "quotes", "calls"), {"x": seen + 3_600_000_000})

    assert gate.acquire(QUOTES, max_wait=60) < 60
    moments = desk.moments()
    assert all(later >= earlier for earlier, later in pairwise(moments))


def test_the_parts_of_all_processes_together_are_within_every_limit() -> None:
    for processes in (1, 3, 4, 64):
        for limit in (Limit(50, 1), Limit(10, 1), Limit(4, 1), Limit(160, 1800)):
            (part,) = part_of((limit,), processes)
            assert part.calls / part.seconds * processes <= limit.calls / limit.seconds
            assert part.calls >= 1


def test_a_gate_counts_calls_that_others_let_go() -> None:
    time = FakeMonotonic()
    gate = RateGate({"standard": (Limit(2, 60),)}, clock=time, sleep=time.sleep, margin=0.0)
    gate.count(QUOTES)
    time.now += 10
    gate.count(QUOTES)
    gate.count(QUOTES)

    assert gate.ages(QUOTES) == (10, 0, 0)
    assert gate.wait_for(QUOTES) == pytest.approx(60)
    time.now += 55
    assert gate.ages(QUOTES) == (55, 55)

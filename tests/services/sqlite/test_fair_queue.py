"""Turns are handed out in order; waits end; nothing is lost."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from services.sqlite.fair_queue import Closed, FairQueue, TimedOut


def _wait_until_waiting(queue: FairQueue[str], number: int) -> None:
    deadline = time.monotonic() + 5
    while queue.stats().waiting < number:
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)


def _waiters(queue: FairQueue[str], threads: ThreadPoolExecutor, number: int) -> list[Future[str]]:
    futures = []
    for at in range(number):
        futures.append(threads.submit(queue.take, 10))
        _wait_until_waiting(queue, at + 1)
    return futures


def test_the_longest_waiter_is_served_next() -> None:
    queue = FairQueue(["ticket"])
    queue.take(0)

    with ThreadPoolExecutor(3) as threads:
        waiting = _waiters(queue, threads, 3)
        for expected in waiting:
            queue.give("ticket")
            assert expected.result(5) == "ticket"
            assert [other.done() for other in waiting].count(True) == waiting.index(expected) + 1


def test_who_gives_back_and_asks_again_does_not_overtake() -> None:
    queue = FairQueue(["ticket"])
    mine = queue.take(0)

    with ThreadPoolExecutor(1) as threads:
        (waiting,) = _waiters(queue, threads, 1)
        queue.give(mine)
        with pytest.raises(TimedOut):
            queue.take(0)

        assert waiting.result(5) == "ticket"


def test_a_wait_ends_in_time_and_is_counted() -> None:
    queue = FairQueue(["ticket"])
    queue.take(0)

    began = time.monotonic()
    with pytest.raises(TimedOut):
        queue.take(0.05)

    assert 0.04 < time.monotonic() - began < 2
    stats = queue.stats()
    assert (stats.taken, stats.waited, stats.timeouts, stats.waiting) == (1, 1, 1, 0)
    queue.give("ticket")
    assert queue.take(0) == "ticket", "the waiter that gave up must not be handed anything"


def test_close_ends_waits_at_once_and_refuses_what_comes_back() -> None:
    queue = FairQueue(["a", "b"])
    held = queue.take(0)
    assert sorted([held, *queue.close()]) == ["a", "b"]

    with pytest.raises(Closed):
        queue.take(1)
    assert queue.give(held) is False


def test_close_wakes_those_who_wait() -> None:
    queue = FairQueue(["ticket"])
    queue.take(0)

    with ThreadPoolExecutor(2) as threads:
        waiting = _waiters(queue, threads, 2)
        queue.close()
        for future in waiting:
            with pytest.raises(Closed):
                future.result(5)


def test_nothing_is_lost_when_hand_overs_and_timeouts_collide() -> None:
    queue = FairQueue(["a", "b"])
    inside = [0]
    most = [0]
    guard = threading.Lock()

    def work(number: int) -> None:
        for turn in range(200):
            try:
                item = queue.take((number + turn) % 3 * 0.0003)
            except TimedOut:
                continue
            with guard:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            with guard:
                inside[0] -= 1
            queue.give(item)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))

    assert most[0] <= 2
    assert queue.stats().waiting == 0
    assert sorted([queue.take(0), queue.take(0)]) == ["a", "b"]

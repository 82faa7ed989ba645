from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.errors import RateBudgetSpent
from services.transport.rate_gate import MARGIN_SECONDS, RateGate
from services.wire.endpoints import FUNDS, LTP, QUOTES, Limit, Operation
from tests.support.clocks import FakeMonotonic

PLACE = Operation("place", (), group="orders", writes=True)
CANCEL = Operation("cancel", (), group="orders", writes=True)


def gate_on(time: FakeMonotonic, **limits: tuple[Limit, ...]) -> RateGate:
    if limits:
        return RateGate(limits, clock=time, sleep=time.sleep, margin=0.0)
    return RateGate(clock=time, sleep=time.sleep, margin=0.0)


def test_calls_within_the_limit_do_not_wait() -> None:
    time = FakeMonotonic()
    gate = gate_on(time)

    assert [gate.acquire(QUOTES, max_wait=0) for _ in range(50)] == [0.0] * 50
    assert time.slept == []


def test_the_call_over_the_limit_waits_for_the_oldest_to_leave_the_window() -> None:
    time = FakeMonotonic()
    gate = gate_on(time)
    gate.acquire(QUOTES, max_wait=0)
    time.now += 0.4
    for _ in range(49):
        gate.acquire(QUOTES, max_wait=0)

    assert gate.acquire(QUOTES, max_wait=5) == pytest.approx(0.6)
    assert gate.acquire(QUOTES, max_wait=5) == pytest.approx(0.4)


def test_a_wait_that_is_too_long_is_told_at_once_and_costs_nothing() -> None:
    time = FakeMonotonic()
    gate = gate_on(time, standard=(Limit(2, 60),))
    gate.acquire(QUOTES, max_wait=0)
    gate.acquire(QUOTES, max_wait=0)
    time.now += 10

    with pytest.raises(RateBudgetSpent) as caught:
        gate.acquire(QUOTES, max_wait=5)

    assert caught.value.wait_seconds == pytest.approx(50)
    assert "quotes" in str(caught.value)
    assert "50 s" in str(caught.value)
    assert time.slept == []
    assert gate.budget(QUOTES)[0].used == 2
    assert gate.wait_for(QUOTES) == pytest.approx(50)


def test_the_thirty_minute_window_is_the_one_that_a_poller_meets() -> None:
    time = FakeMonotonic()
    gate = gate_on(time)
    for _ in range(2000):
        gate.acquire(QUOTES, max_wait=0)
        time.now += 0.8

    with pytest.raises(RateBudgetSpent) as caught:
        gate.acquire(QUOTES, max_wait=1)

    assert caught.value.wait_seconds == pytest.approx(200)


def test_operations_of_the_standard_group_have_budgets_of_their_own() -> None:
    time = FakeMonotonic()
    gate = gate_on(time, standard=(Limit(1, 60),))
    gate.acquire(QUOTES, max_wait=0)

    assert gate.acquire(LTP, max_wait=0) == 0
    assert gate.acquire(FUNDS, max_wait=0) == 0


def test_order_writes_share_one_budget_and_reads_never_delay_them() -> None:
    time = FakeMonotonic()
    gate = gate_on(time)
    for _ in range(50):
        gate.acquire(QUOTES, max_wait=0)
    gate.penalise(QUOTES, 60)

    assert [gate.acquire(operation, max_wait=0) for operation in (PLACE, CANCEL) * 5] == [0.0] * 10
    with pytest.raises(RateBudgetSpent):
        gate.acquire(PLACE, max_wait=0.5)


def test_an_order_does_not_wait_behind_a_read_that_sleeps() -> None:
    asleep, wake = threading.Event(), threading.Event()

    def sleep(seconds: float) -> None:
        asleep.set()
        wake.wait(30)
        now[0] += seconds

    now = [0.0]
    gate = RateGate({"standard": (Limit(1, 60),), "orders": (Limit(10, 1),)}, clock=lambda: now[0], sleep=sleep)
    gate.acquire(QUOTES, max_wait=0)
    reader = threading.Thread(target=gate.acquire, args=(QUOTES,), kwargs={"max_wait": 100})
    reader.start()
    assert asleep.wait(30)

    assert gate.acquire(PLACE, max_wait=0) == 0
    wake.set()
    reader.join(30)
    assert not reader.is_alive()


def test_a_penalty_closes_one_budget_for_its_time() -> None:
    time = FakeMonotonic()
    gate = gate_on(time)
    gate.penalise(QUOTES, 3)

    with pytest.raises(RateBudgetSpent):
        gate.acquire(QUOTES, max_wait=1)
    assert gate.acquire(QUOTES, max_wait=5) == pytest.approx(3)
    assert gate.acquire(LTP, max_wait=0) == 0


def test_a_shorter_penalty_does_not_end_a_longer_one() -> None:
    time = FakeMonotonic()
    gate = gate_on(time)
    gate.penalise(QUOTES, 30)
    gate.penalise(QUOTES, 1)

    assert gate.wait_for(QUOTES) == pytest.approx(30)


def test_who_is_waiting_when_the_penalty_comes_waits_on() -> None:
    now = [0.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds
        if len(slept) == 1:
            gate.penalise(QUOTES, 2)

    gate = RateGate({"standard": (Limit(1, 1),)}, clock=lambda: now[0], sleep=sleep, margin=0.0)
    gate.acquire(QUOTES, max_wait=0)

    assert gate.acquire(QUOTES, max_wait=10) == pytest.approx(3)


class Waiters:
    """Threads that wait at a gate, on time that passes when the test says so."""

    def __init__(self, count: int, *, max_wait: float, limit: Limit) -> None:
        self._turn = threading.Condition()
        self._now = 0.0
        self._asleep = 0
        self._running = count
        self.sent: list[float] = []
        self.refused = 0
        self.gate = RateGate({"standard": (limit,)}, clock=lambda: self._now, sleep=self._sleep, margin=0.0)
        for _ in range(limit.calls):
            self.gate.acquire(QUOTES, max_wait=0)
        self._max_wait = max_wait
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()
        self._all_asleep()

    def run(self, until: float, step: float = 0.25) -> None:
        while self._now < until:
            with self._turn:
                self._now += step
                self._asleep = 0
                self._turn.notify_all()
            self._all_asleep()

    def _all_asleep(self) -> None:
        with self._turn:
            assert self._turn.wait_for(lambda: self._asleep == self._running, timeout=5)

    def _sleep(self, seconds: float) -> None:
        with self._turn:
            self._asleep += 1
            self._turn.notify_all()
            before = self._now
            self._turn.wait_for(lambda: self._now > before, timeout=5)

    def _ask(self) -> None:
        try:
            self.gate.acquire(QUOTES, max_wait=self._max_wait)
        except RateBudgetSpent:
            refused, at = 1, None
        else:
            refused, at = 0, self._now
        with self._turn:
            self._running -= 1
            self.refused += refused
            self.sent += [] if at is None else [at]
            self._turn.notify_all()


def test_those_who_wait_through_a_penalty_leave_within_the_limits_all_the_same() -> None:
    waiters = Waiters(15, max_wait=100, limit=Limit(5, 1))

    waiters.run(0.5)
    waiters.gate.penalise(QUOTES, 4.0)
    waiters.run(8)

    assert sorted(waiters.sent) == [4.5] * 5 + [5.5] * 5 + [6.5] * 5


def test_who_is_refused_after_a_penalty_uses_up_nothing_and_holds_up_nobody() -> None:
    waiters = Waiters(15, max_wait=5, limit=Limit(5, 1))

    waiters.run(0.5)
    waiters.gate.penalise(QUOTES, 4.0)
    behind = waiters.gate.wait_for(QUOTES)
    waiters.run(8)

    assert (sorted(waiters.sent), waiters.refused) == ([4.5] * 5, 10)
    assert behind == pytest.approx(5.0), "after the five who can still make it"
    assert waiters.gate.wait_for(QUOTES) == 0


def test_the_budget_tells_what_is_left_and_when_it_frees() -> None:
    time = FakeMonotonic()
    gate = gate_on(time)
    gate.acquire(QUOTES, max_wait=0)
    time.now += 0.25
    gate.acquire(QUOTES, max_wait=0)

    second, minute, half_hour = gate.budget(QUOTES)

    assert (second.used, second.left, minute.left, half_hour.left) == (2, 48, 498, 1998)
    assert second.frees_in == pytest.approx(0.75)
    assert gate.budget(LTP)[0].frees_in == 0


def test_the_ordinary_gate_leaves_a_margin_for_the_way() -> None:
    time = FakeMonotonic()
    gate = RateGate({"standard": (Limit(1, 1),)}, clock=time, sleep=time.sleep)
    gate.acquire(QUOTES, max_wait=0)

    assert gate.acquire(QUOTES, max_wait=5) == pytest.approx(1 + MARGIN_SECONDS)


@given(
    st.lists(st.floats(0, 0.7), min_size=1, max_size=120),
    st.lists(st.tuples(st.integers(1, 6), st.floats(0.1, 5)), min_size=1, max_size=3),
)
def test_no_window_is_ever_broken(pauses: list[float], windows: list[tuple[int, float]]) -> None:
    time = FakeMonotonic()
    limits = tuple(Limit(calls, seconds) for calls, seconds in windows)
    gate = gate_on(time, standard=limits)
    sent = []
    for pause in pauses:
        time.now += pause
        gate.acquire(QUOTES, max_wait=1000)
        sent.append(time.now)

    for limit in limits:
        for first, later in zip(sent, sent[limit.calls :], strict=False):
            assert later - first >= limit.seconds - 1e-6


def test_many_threads_get_no_more_than_the_limit() -> None:
    gate = RateGate({"standard": (Limit(100, 60),)})
    start = threading.Barrier(8)
    won: list[int] = []

    def ask() -> None:
        start.wait(30)
        count = 0
        for _ in range(40):
            try:
                gate.acquire(QUOTES, max_wait=0)
            except RateBudgetSpent:
                continue
            count += 1
        won.append(count)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sum(won) == 100

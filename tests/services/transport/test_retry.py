from __future__ import annotations

import pytest

from services.domain.errors import (
    AccessDenied,
    BrokerFault,
    NoAnswer,
    NotSent,
    RateBudgetSpent,
    RateLimited,
    UpstoxError,
)
from services.transport.retry import ReadRetry, RetryPolicy, Strikes
from tests.support.clocks import FakeMonotonic


def longest(low: float, high: float) -> float:
    return high


def shortest(low: float, high: float) -> float:
    return low


class Failing:
    """Fails with each of `errors` in turn, then gives "value". Each attempt takes `seconds`."""

    def __init__(self, time: FakeMonotonic, *errors: UpstoxError, seconds: float = 0.0) -> None:
        self.errors = list(errors)
        self.allowed: list[float] = []
        self._time = time
        self._seconds = seconds

    def __call__(self, allowed: float) -> str:
        self.allowed.append(allowed)
        self._time.now += self._seconds
        if self.errors:
            raise self.errors.pop(0)
        return "value"


def run(time: FakeMonotonic, attempt: Failing, *, seconds: float = 20, told: list[object] | None = None) -> str:
    retry = ReadRetry(RetryPolicy(), sleep=time.sleep, monotonic=time, uniform=longest)
    heard: list[object] = [] if told is None else told
    return retry.run(
        attempt,
        until=time.now + seconds,
        retrying=lambda error, count, pause: heard.append((type(error), count, pause)),
    )


def test_a_passing_trouble_is_repeated_with_growing_pauses() -> None:
    time = FakeMonotonic()
    told: list[object] = []

    assert run(time, Failing(time, NoAnswer("a"), NotSent("b")), told=told) == "value"

    assert time.slept == [0.25, 0.5]
    assert told == [(NoAnswer, 0, 0.25), (NotSent, 1, 0.5)]


def test_three_attempts_are_enough() -> None:
    time = FakeMonotonic()
    last = NoAnswer("third")

    with pytest.raises(NoAnswer) as caught:
        run(time, Failing(time, NoAnswer("first"), NoAnswer("second"), last, NoAnswer("fourth")))

    assert caught.value is last


@pytest.mark.parametrize(
    "error",
    [AccessDenied("no", status=403), RateBudgetSpent("later", wait_seconds=9)],
    ids=lambda error: type(error).__name__,
)
def test_what_repeating_cannot_mend_is_not_repeated(error: UpstoxError) -> None:
    time = FakeMonotonic()
    attempt = Failing(time, error)

    with pytest.raises(type(error)):
        run(time, attempt)

    assert len(attempt.allowed) == 1
    assert time.slept == []


def test_an_error_of_another_kind_is_not_swallowed() -> None:
    def attempt(seconds: float) -> str:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        ReadRetry(RetryPolicy(), sleep=lambda s: None).run(attempt, until=1e12, retrying=lambda *told: None)


def test_jitter_stays_between_half_and_the_whole_pause() -> None:
    time = FakeMonotonic()
    retry = ReadRetry(RetryPolicy(), sleep=time.sleep, monotonic=time, uniform=shortest)

    retry.run(Failing(time, NoAnswer("a"), NoAnswer("b")), until=time.now + 20, retrying=lambda *told: None)

    assert time.slept == [0.125, 0.25]


def test_no_attempt_begins_when_the_time_is_over() -> None:
    time = FakeMonotonic()
    attempt = Failing(time, *[NoAnswer("mute")] * 5, seconds=10.0)

    with pytest.raises(NoAnswer):
        run(time, attempt, seconds=10.1)

    assert len(attempt.allowed) == 1


def test_each_attempt_is_told_what_time_is_left() -> None:
    time = FakeMonotonic()
    attempt = Failing(time, NoAnswer("a"), seconds=4.0)

    run(time, attempt, seconds=10)

    assert attempt.allowed == [10.0, pytest.approx(5.75)]


def test_a_429_waits_for_as_long_as_was_found_out() -> None:
    time = FakeMonotonic()
    limited = RateLimited("slow down", status=429)
    limited.retry_after = 7.0

    assert run(time, Failing(time, limited)) == "value"

    assert time.slept == [7.0]


def test_a_429_that_asks_for_more_than_there_is_ends_at_once() -> None:
    time = FakeMonotonic()
    limited = RateLimited("slow down", status=429)
    limited.retry_after = 60.0

    with pytest.raises(RateLimited):
        run(time, Failing(time, limited))

    assert time.slept == []


def test_strikes_double_from_a_second_to_a_minute_and_are_forgotten_by_a_success() -> None:
    strikes = Strikes(RetryPolicy(), uniform=shortest)

    assert [strikes.struck("quotes", None) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert strikes.struck("ltp", None) == 1
    strikes.cleared("quotes")
    assert strikes.struck("quotes", None) == 1


def test_jitter_of_a_strike_goes_upwards_and_stays_under_a_minute() -> None:
    strikes = Strikes(RetryPolicy(), uniform=longest)

    assert [strikes.struck("quotes", None) for _ in range(7)] == [1.25, 2.5, 5, 10, 20, 40, 60]


def test_the_brokers_own_word_is_honoured_but_not_for_ever() -> None:
    strikes = Strikes(RetryPolicy())

    assert strikes.struck("quotes", 17.0) == 17.0
    assert strikes.struck("quotes", 1e9) == 3600.0


def test_a_broker_fault_is_worth_repeating() -> None:
    time = FakeMonotonic()

    assert run(time, Failing(time, BrokerFault("x", status=503))) == "value"

"""The pauses between attempts."""

from __future__ import annotations

from services.feed.backoff import Backoff


def _longest(low: float, high: float) -> float:
    return high


def test_the_longest_pause_doubles_up_to_five_minutes() -> None:
    backoff = Backoff(uniform=_longest)

    assert [backoff.next_pause() for _ in range(12)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_the_jitter_is_full() -> None:
    seen = []
    backoff = Backoff(uniform=lambda low, high: seen.append((low, high)) or low)

    assert [backoff.next_pause() for _ in range(3)] == [0.0, 0.0, 0.0]
    assert seen == [(0.0, 1.0), (0.0, 2.0), (0.0, 4.0)]


def test_a_minute_of_stability_begins_anew_and_less_does_not() -> None:
    backoff = Backoff(uniform=_longest)
    for _ in range(5):
        backoff.next_pause()

    backoff.lived(59.9)
    assert backoff.next_pause() == 32
    backoff.lived(60.0)
    assert backoff.next_pause() == 1


def test_whoever_asks_for_an_attempt_now_begins_anew() -> None:
    backoff = Backoff(uniform=_longest)
    for _ in range(5):
        backoff.next_pause()

    backoff.reset()

    assert backoff.next_pause() == 1


def test_thousands_of_failures_do_not_overflow() -> None:
    backoff = Backoff(uniform=_longest)

    assert {backoff.next_pause() for _ in range(5000)} >= {300.0}

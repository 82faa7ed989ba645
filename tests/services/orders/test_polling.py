"""How often the order book is read."""

from __future__ import annotations

import pytest

from services.orders.polling import BUSY_SECONDS, IDLE_SECONDS, LIVE_SECONDS, LONGEST_PAUSE, LONGEST_UNREADY, Polling
from tests.support.clocks import FakeMonotonic


@pytest.mark.parametrize(
    ("follows", "stream", "busy", "pause"),
    [
        (False, False, False, IDLE_SECONDS),
        (False, False, True, BUSY_SECONDS),
        (False, True, True, LIVE_SECONDS),
        (True, False, True, float("inf")),
    ],
)
def test_the_book_is_read_as_often_as_it_may_tell_something(
    follows: bool, stream: bool, busy: bool, pause: float
) -> None:
    time = FakeMonotonic()
    polling = Polling(stream_up=lambda: stream, busy=lambda: busy, follows=lambda: follows, monotonic=time)

    polling.was_read()
    assert polling.due_at == time.now + pause
    polling.soon(1.0)
    assert polling.due_at == time.now + 1.0
    polling.soon(2.0)
    assert polling.due_at == time.now + 1.0, "what is due sooner stays so"


def test_a_broker_that_fails_is_left_alone_for_longer_and_longer_and_not_for_ever() -> None:
    time = FakeMonotonic()
    polling = Polling(stream_up=lambda: False, busy=lambda: True, follows=lambda: False, monotonic=time)

    pauses = [polling.failed() for _ in range(9)]

    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (BUSY_SECONDS, LONGEST_PAUSE)
    assert polling.due_at == time.now + LONGEST_PAUSE
    assert polling.unready() == LONGEST_UNREADY
    polling.was_read()
    assert polling.failed() == BUSY_SECONDS

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.paper.limits import RateLimits
from services.wire.endpoints import LTP, QUOTES, RATE_LIMITS, Limit, Operation, Route


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_fifty_first_call_of_a_second_is_refused_and_the_next_second_is_free() -> None:
    seconds = Seconds()
    limits = RateLimits(monotonic=seconds)

    assert [limits.allows(QUOTES, "me") for _ in range(51)] == [True] * 50 + [False]
    seconds.now = 0.999
    assert not limits.allows(QUOTES, "me")
    seconds.now = 1.0
    assert limits.allows(QUOTES, "me")


def test_operations_and_tokens_have_buckets_of_their_own() -> None:
    limits = RateLimits(monotonic=Seconds())
    for _ in range(50):
        limits.allows(QUOTES, "me")

    assert not limits.allows(QUOTES, "me")
    assert limits.allows(LTP, "me")
    assert limits.allows(QUOTES, "you")


def test_order_operations_share_one_bucket() -> None:
    place, cancel = (Operation(name, (Route("v3", "POST", "/x"),), group="orders") for name in ("place", "cancel"))
    limits = RateLimits(monotonic=Seconds())

    assert all(limits.allows(place, "me") for _ in range(10))
    assert not limits.allows(cancel, "me")


def test_the_half_hour_window_is_kept() -> None:
    seconds = Seconds()
    limits = RateLimits(monotonic=seconds)
    for _ in range(2000):
        seconds.now += 0.2
        assert limits.allows(QUOTES, "me")

    seconds.now += 0.2
    assert not limits.allows(QUOTES, "me")
    seconds.now = 1800.2
    assert limits.allows(QUOTES, "me")


@given(st.lists(st.floats(min_value=0, max_value=2), max_size=60))
def test_no_window_ever_holds_more_than_its_limit(pauses: list[float]) -> None:
    seconds = Seconds()
    windows = (Limit(3, 1), Limit(7, 10))
    limits = RateLimits({**RATE_LIMITS, "standard": windows}, monotonic=seconds)
    served = []

    for pause in pauses:
        seconds.now += pause
        if limits.allows(QUOTES, "me"):
            served.append(seconds.now)

    for window in windows:
        for last in served:
            assert len([at for at in served if last - window.seconds < at <= last]) <= window.calls

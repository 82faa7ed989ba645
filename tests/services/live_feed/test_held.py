"""The holder's connection counts as long as its lease, and not a message longer."""

from __future__ import annotations

from typing import cast

import pytest

from services.domain.errors import ConnectionLost, HandedOver
from services.live_feed.held import LOOK_SECONDS, HeldConnection
from services.shared.publisher import Publisher


class Inner:
    """The broker's connection: what comes next, and what was done to it."""

    def __init__(self) -> None:
        self.coming: list[bytes | Exception] = []
        self.done: list[object] = []

    def open(self, url: str) -> None:
        self.done.append(url)

    def receive(self, timeout: float) -> bytes | None:
        self.done.append(timeout)
        if not self.coming:
            return None
        told = self.coming.pop(0)
        if isinstance(told, Exception):
            raise told
        return told

    def send(self, payload: bytes) -> None:
        self.done.append(payload)

    def wake(self) -> None:
        self.done.append("wake")

    def abort(self) -> None:
        self.done.append("abort")

    def close(self) -> None:
        self.done.append("close")


class Out:
    """What goes to the others."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def opened(self, token: int) -> None:
        self.told.append(token)

    def put(self, payload: bytes) -> None:
        self.told.append(payload)

    def ended(self) -> None:
        self.told.append("ended")


class Bench:
    def __init__(self) -> None:
        self.inner, self.out, self.lease = Inner(), Out(), [7]
        self.held = HeldConnection(
            self.inner, token=7, current=lambda: self.lease[0], out=cast("Publisher", self.out), name="market feed"
        )


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_what_comes_goes_to_the_others_as_well(bench: Bench) -> None:
    bench.inner.coming = [b"one"]
    bench.held.open("wss://there")

    assert bench.held.receive(60.0) == b"one"
    assert bench.held.receive(60.0) is None
    bench.held.close()

    assert bench.out.told == [7, b"one", "ended"]
    assert bench.inner.done == ["wss://there", LOOK_SECONDS, LOOK_SECONDS, "close"]


def test_what_comes_after_the_lease_is_accepted_neither_here_nor_there(bench: Bench) -> None:
    bench.inner.coming = [b"late"]
    bench.lease[0] = 8

    with pytest.raises(HandedOver, match="not this process's any more"):
        bench.held.receive(1.0)
    with pytest.raises(HandedOver):
        bench.held.send(b"subscribe")

    assert bench.out.told == []
    assert b"subscribe" not in bench.inner.done


def test_a_connection_that_is_handed_over_ends_and_says_why(bench: Bench) -> None:
    bench.inner.coming = [ConnectionLost("aborted")]

    bench.held.hand_over("Redis refused it")

    with pytest.raises(HandedOver, match="Redis refused it"):
        bench.held.receive(1.0)
    assert bench.inner.done[0] == "abort"


def test_a_loss_while_the_lease_is_ours_is_a_loss(bench: Bench) -> None:
    bench.inner.coming = [ConnectionLost("the broker went away")]

    with pytest.raises(ConnectionLost, match="went away"):
        bench.held.receive(1.0)

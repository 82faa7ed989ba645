from __future__ import annotations

import asyncio
import logging

import pytest

from services.paper import pump as module
from services.paper.pump import pump


class Desk:
    """Counts; fails when it is told to, and says when it has been asked often enough."""

    def __init__(self, *, waits: bool = True, fails: int = 0, enough: int = 3) -> None:
        self.asked = 0
        self.advanced = 0
        self.done = asyncio.Event()
        self._waits = waits
        self._fails = fails
        self._enough = enough

    @property
    def waits(self) -> bool:
        self.asked += 1
        if self.asked >= self._enough:
            self.done.set()
        return self._waits

    def advance(self) -> None:
        self.advanced += 1
        if self.advanced <= self._fails:
            raise OSError("disk full")


def run(desk: Desk) -> None:
    async def until_done() -> None:
        task = asyncio.create_task(pump(desk))
        async with asyncio.timeout(5):
            await desk.done.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(until_done())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.0)


def test_what_is_open_goes_on() -> None:
    desk = Desk()
    run(desk)
    assert desk.advanced == 3


def test_nothing_open_costs_nothing() -> None:
    desk = Desk(waits=False)
    run(desk)
    assert desk.advanced == 0


def test_a_fault_is_told_and_the_day_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(fails=1)
    with caplog.at_level(logging.ERROR):
        run(desk)

    assert desk.advanced == 3
    assert "tried again" in caplog.text

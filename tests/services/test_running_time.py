"""Ages go on while a laptop sleeps."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from typing import Any

import pytest

from dashboard.option_greeks import live_greeks
from services.live_feed.market import MarketTalk
from services.live_rows import LiveRows
from services.running_time import running_ns


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="the clock that counts sleep has this name on Linux")
def test_the_clock_counts_the_time_that_the_machine_slept(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = {time.CLOCK_BOOTTIME: 36_000_000_000_000}
    monkeypatch.setattr(time, "clock_gettime_ns", lambda clock: slept.get(clock, 0))

    assert running_ns() == 36_000_000_000_000


def test_it_goes_on() -> None:
    first = running_ns()

    assert running_ns() >= first > 0


@pytest.mark.parametrize("user", [LiveRows, MarketTalk, live_greeks], ids=["rows", "feed", "greeks"])
def test_receipts_of_the_feed_are_stamped_and_read_by_it(user: Callable[..., Any]) -> None:
    assert inspect.signature(user).parameters["monotonic_ns"].default is running_ns

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.domain.errors import ConfigurationError
from services.paper.clock import ClockMode, PaperClock


def test_always_and_exchange_read_the_host_clock() -> None:
    for text, mode in (("always", ClockMode.ALWAYS), ("exchange", ClockMode.EXCHANGE)):
        clock = PaperClock.parse(text, wall=lambda: 1_795_153_503.845)

        assert clock.now() == datetime(2026, 11, 20, 5, 45, 3, 845_000, tzinfo=UTC)
        assert (clock.mode, clock.speed) == (mode, 1.0)


def test_an_instant_runs_on_at_its_speed() -> None:
    ticks = iter([100.0, 102.0])
    clock = PaperClock.parse("2026-11-20T09:15:00+05:30x60", monotonic=lambda: next(ticks))

    assert clock.now() == datetime(2026, 11, 20, 3, 47, tzinfo=UTC)
    assert (clock.mode, clock.speed) == (ClockMode.SIMULATED, 60.0)


def test_an_instant_without_zone_is_indian_time() -> None:
    clock = PaperClock.parse("2026-11-20T09:15:00", monotonic=lambda: 0.0)

    assert clock.now() == datetime(2026, 11, 20, 3, 45, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "never", "2026-13-01", "2026-11-20T09:15x0", "2026-11-20T09:15xfast", "x60"])
def test_anything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(ConfigurationError, match="clock"):
        PaperClock.parse(text)

"""A week of made-up history of the desk's health, for pages and benchmarks."""

from __future__ import annotations

import math
from datetime import datetime

from services.domain.clock import epoch_ms
from services.domain.health_row import HealthRow
from services.storage.health_history import COARSE, FINE, FINE_MS, KEPT_MS, MINUTE, MINUTE_MS, HealthHistory
from services.storage.pool import Pool


def fill_week(pool: Pool, now: datetime) -> int:
    """A row for every stretch of the week before `now`, thinned as the desk does it. How many."""
    history, end = HealthHistory(pool), epoch_ms(now)
    count = 0
    for step, since, until in (
        (COARSE, KEPT_MS, MINUTE_MS), (MINUTE, MINUTE_MS, FINE_MS), (FINE, FINE_MS, 0),
    ):  # fmt: skip
        rows = [row(at_ms, step) for at_ms in range(end - since, end - until, step * 1000)]
        history.add(rows, step=step)
        count += len(rows)
    return count


def row(at_ms: int, seconds: float) -> HealthRow:
    """Plausible figures that differ from row to row."""
    wave = math.sin(at_ms / 7_200_000) + 1.2
    trouble = (at_ms // 3_600_000) % 29 == 0
    return HealthRow(
        at_ms=at_ms,
        seconds=seconds,
        requests=round(seconds * wave / 2),
        failures=round(seconds * wave / 5) if trouble else 0,
        rest_p50=0.02 * wave,
        rest_p95=0.08 * wave + (0.4 if trouble else 0),
        updates=round(seconds * 180 * wave),
        tick_age=12.0 if trouble else 0.0,
        received_p95=0.03 * wave,
        board_p95=0.0006 * wave,
        painted_p95=0.018 * wave,
        resident=230e6 + 9e6 * wave,
        cpu=0.06 * wave,
        threads=24 + round(3 * wave),
        files=60,
        clients=2,
        waiting=round(40 * wave),
        dropped=0,
        wal=2_000_000 * wave,
        errors=6.5 * wave if trouble else 0.2,
    )

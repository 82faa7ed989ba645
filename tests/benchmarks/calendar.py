"""The calendar: what "is it open?" costs, on an ordinary day and while the broker says something else."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from services.domain.phases import Market
from services.market_info_service import MarketInfoService
from services.runtime import Runtime, use_runtime
from services.settings import load_settings
from tests.benchmarks.table import Row

STILL = "2026-11-20T11:00:00+05:30x0.001"
TIMES = 1000


def run() -> list[Row]:
    """Measure the questions that are asked all day long."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data_dir=Path(folder), mode="paper", paper_clock=STILL)
        with Runtime(settings) as runtime, use_runtime(runtime):
            service = MarketInfoService()
            runtime.calendar.refresh()
            runtime.calendar.close()
            before = _requests(runtime)
            rows = [
                _row("is_market_open()", service.is_market_open, bar_us=1000.0),
                _row("runtime.phase(segment)", lambda: runtime.phase("NSE_FO"), bar_us=1000.0),
                _row("phase of every market", lambda: [runtime.calendar.phase(market) for market in Market]),
                _row("calendar.state()", runtime.calendar.state),
            ]
            asked = _requests(runtime) - before
    return [*rows, Row("requests made by all of these", asked, None, None, "0", asked == 0, "calls")]


def _row(name: str, ask: Callable[[], object], *, bar_us: float | None = None) -> Row:
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1e6)
    late = statistics.quantiles(taken, n=100)[-1]
    goal = "" if bar_us is None else f"<= {bar_us:g} us"
    return Row(name, late, None, None, goal, None if bar_us is None else late <= bar_us, "us", f"p99 of {TIMES}")


def _requests(runtime: Runtime) -> int:
    return sum(sum(one.answers.values()) for one in runtime.api.caller.reports.versions())

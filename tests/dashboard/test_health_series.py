"""The lines of the small charts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.health_series import MOST_POINTS, Range, chart_data
from services.domain.clock import epoch_ms
from services.domain.health_row import HealthRow
from tests.support.health_history import row

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def line(data: dict[str, Any], chart: str, name: str) -> list[float | None]:
    [found] = [one for one in data["charts"] if one["id"] == chart]
    [values] = [one["v"] for one in found["lines"] if one["name"] == name]
    assert len(values) == len(data["t"])
    return list(values)


def rows(count: int, seconds: float, **figures: float | None) -> list[HealthRow]:
    end = epoch_ms(NOW)
    return [HealthRow(int(end - n * seconds * 1000), seconds, **figures) for n in reversed(range(count))]


def test_counts_become_rates_and_the_worst_of_a_stretch_is_shown() -> None:
    told = rows(360, 10.0, requests=5, failures=1, rest_p95=0.05, tick_age=0.0)
    told[-2] = HealthRow(told[-2].at_ms, 10.0, requests=5, failures=10, rest_p95=1.5, tick_age=31.0)

    data = chart_data(told, Range.HOUR, NOW)

    assert line(data, "calls", "all")[-1] == 30.0
    assert max(v for v in line(data, "calls", "failed") if v is not None) > 6.0
    assert max(v for v in line(data, "answers", "95 % within") if v is not None) == 1500.0
    assert max(v for v in line(data, "missing", "longest gap") if v is not None) == 31.0
    assert line(data, "memory", "memory") == [None] * len(data["t"])


def test_a_time_without_rows_is_a_gap_and_no_zero() -> None:
    told = [one for one in rows(360, 10.0, requests=5) if not -40 < (one.at_ms - epoch_ms(NOW)) / 60_000 < -20]

    values = line(chart_data(told, Range.HOUR, NOW), "calls", "all")

    middle = values[len(values) * 4 // 10 : len(values) * 6 // 10]
    assert middle == [None] * len(middle)
    assert values[-1] == 30.0


def test_coarse_rows_leave_no_gaps_between_them() -> None:
    told = rows(6 * 24, 600.0, requests=600)

    for length in (Range.SIX_HOURS, Range.DAY):
        assert line(chart_data(told, length, NOW), "calls", "all")[5:] == [60.0] * (
            len(chart_data(told, length, NOW)["t"]) - 5
        )


def test_a_week_comes_in_few_points_and_what_lies_outside_stays_out() -> None:
    end = epoch_ms(NOW)
    told = [row(end - n * 600_000, 600.0) for n in range(-3, 7 * 144 + 3)]

    data = chart_data(told, Range.WEEK, NOW)

    assert len(data["t"]) <= MOST_POINTS + 1
    assert data["t"][-1] <= data["to"] == end
    assert data["from"] == epoch_ms(NOW - timedelta(days=7))
    assert None not in line(data, "memory", "memory")[2:]


def test_nothing_at_all_is_drawn_as_nothing() -> None:
    data = chart_data([], Range.HOUR, NOW)

    assert {value for chart in data["charts"] for line in chart["lines"] for value in line["v"]} == {None}

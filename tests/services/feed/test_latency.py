"""Latency histograms."""

from __future__ import annotations

import pytest

from services.feed.latency import BOUNDS_MS, Histogram, Latency, Step


def test_percentiles_are_right_within_a_bucket() -> None:
    histogram = Histogram()
    for tenth in range(1, 10_001):
        histogram.record(tenth / 10)

    found = histogram.percentiles()

    assert found.count == 10_000
    assert found.p50 == pytest.approx(500, rel=0.13)
    assert found.p95 == pytest.approx(950, rel=0.13)
    assert found.p99 == pytest.approx(990, rel=0.13)
    assert found.worst == 1000.0


def test_no_percentile_is_above_the_worst() -> None:
    histogram = Histogram()
    histogram.record(1.01)

    found = histogram.percentiles()

    assert (found.p50, found.p95, found.p99, found.worst) == (1.01, 1.01, 1.01, 1.01)


def test_nothing_recorded_is_none_and_not_zero() -> None:
    found = Histogram().percentiles()

    assert (found.count, found.p50, found.p95, found.p99, found.worst) == (0, None, None, None, None)


def test_a_price_that_came_before_it_was_sent_is_counted_as_early() -> None:
    histogram = Histogram()
    histogram.record(-250.0, 3)
    histogram.record(2.0)

    found = histogram.percentiles()

    assert (found.count, found.early) == (4, 3)
    assert found.p50 == BOUNDS_MS[0]


def test_many_at_once_weigh_as_many() -> None:
    histogram = Histogram()
    histogram.record(1.0, 99)
    histogram.record(80.0, 1)

    assert histogram.percentiles().p99 == pytest.approx(1.0, rel=0.13)
    assert sum(count for _, count in histogram.buckets()) == 100


def test_what_is_beyond_the_last_bound_is_in_the_last_bucket() -> None:
    histogram = Histogram()
    histogram.record(1e9)

    assert histogram.buckets()[-1] == (float("inf"), 1)
    assert histogram.percentiles().p50 == 1e9
    histogram.clear()
    assert histogram.percentiles().count == 0


def test_every_step_has_its_own_histogram() -> None:
    latency = Latency()
    latency[Step.RECEIVED_TO_BOARD].record(0.2)

    found = latency.percentiles()

    assert list(found) == list(Step)
    assert [step for step, each in found.items() if each.count] == [Step.RECEIVED_TO_BOARD]

"""Families of measures as the Prometheus library wants them. What is not known (`None`) is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from services.measures.calls_now import Spread

Values: TypeAlias = Iterable[tuple[tuple[str, ...], float | None]]
"""Label values and the figure; `None`: not known, left out."""


def gauge(name: str, help: str, values: Values, *labels: str) -> Metric:
    """A figure that goes up and down."""
    family = GaugeMetricFamily(name, help, labels=labels)
    for label_values, figure in values:
        if figure is not None:
            family.add_metric(label_values, float(figure))
    return family


def counter(name: str, help: str, values: Values, *labels: str) -> Metric:
    """A count that only grows."""
    family = CounterMetricFamily(name, help, labels=labels)
    for label_values, figure in values:
        if figure is not None:
            family.add_metric(label_values, float(figure))
    return family


def histogram(name: str, help: str, spreads: Iterable[tuple[tuple[str, ...], Spread]], *labels: str) -> Metric:
    """Times, by bucket."""
    family = HistogramMetricFamily(name, help, labels=labels)
    for label_values, spread in spreads:
        passed, buckets = 0, []
        for bound, count in spread.buckets:
            passed += count
            buckets.append(("+Inf" if bound == float("inf") else f"{bound:g}", float(passed)))
        if buckets:
            family.add_metric(label_values, buckets, spread.total_seconds)
    return family


def info(name: str, help: str, about: Mapping[str, str]) -> Metric:
    """Words about what runs."""
    family = InfoMetricFamily(name, help)
    family.add_metric((), dict(about))
    return family

"""Figures and bad keys."""

from __future__ import annotations

from datetime import date

import pytest

from services.domain.errors import BadInstrumentKey
from services.domain.quote_batch import BadKeys, BookStats

ERROR = BadInstrumentKey("bad", status=400)


def test_bad_keys_are_remembered_for_the_day_only() -> None:
    bad = BadKeys()
    bad.add({"a": ERROR}, date(2026, 11, 20))

    assert bad.of(date(2026, 11, 20)) == {"a": ERROR}
    assert bad.of(date(2026, 11, 21)) == {}
    assert bad.of(date(2026, 11, 20)) == {}


@pytest.mark.parametrize(("hits", "misses", "rate"), [(0, 0, None), (9, 1, 0.9), (0, 5, 0.0)])
def test_the_hit_rate_counts_keys(hits: int, misses: int, rate: float | None) -> None:
    stats = BookStats(hits, misses, 0, 0, None, 0, 0, 0, 0, (), 0)

    assert stats.hit_rate == rate

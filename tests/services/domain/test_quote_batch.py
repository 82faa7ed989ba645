"""Figures and bad keys."""

from __future__ import annotations

import pytest

from services.domain.errors import BadInstrumentKey
from services.domain.quote_batch import BAD_SECONDS, BadKeys, BookStats

ERROR = BadInstrumentKey("bad", status=400)


def test_bad_keys_are_remembered_for_a_quarter_of_an_hour() -> None:
    bad = BadKeys()
    bad.add({"a": ERROR}, 1000.0)

    assert bad.of(1000.0 + BAD_SECONDS - 1) == {"a": ERROR}
    assert bad.of(1000.0 + BAD_SECONDS) == {}
    assert bad.of(1000.0) == {}


def test_a_bad_key_that_was_answered_is_bad_no_more() -> None:
    bad = BadKeys()
    bad.add({"a": ERROR, "b": ERROR}, 1000.0)

    bad.remove(["a", "c"])

    assert set(bad.of(1001.0)) == {"b"}


def test_bad_keys_of_a_clock_that_was_set_back_are_forgotten() -> None:
    bad = BadKeys()
    bad.add({"a": ERROR}, 1000.0)

    assert bad.of(500.0) == {}


@pytest.mark.parametrize(("hits", "misses", "rate"), [(0, 0, None), (9, 1, 0.9), (0, 5, 0.0)])
def test_the_hit_rate_counts_keys(hits: int, misses: int, rate: float | None) -> None:
    stats = BookStats(hits, misses, 0, 0, None, 0, 0, ())

    assert stats.hit_rate == rate

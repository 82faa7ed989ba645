"""Lengths of time in words."""

from __future__ import annotations

import pytest

from services.domain.time_words import duration, span


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0 s"), (59.9, "59 s"), (197, "3 min 17 s"), (3900, "1 h 05 min"), (273_600, "3 d 4 h")],
)
def test_a_length_of_time_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0 s"),
        (0.4, "0 s"),
        (99, "99 s"),
        (100, "1 min"),
        (7260, "2 h 1 min"),
        (12_000, "3 h 20 min"),
        (7200, "2 h"),
        (190_000, "2 d 4 h"),
        (2e6, "23 d"),
    ],
)
def test_something_that_lasts_is_told_no_finer_than_it_matters(seconds: float, words: str) -> None:
    assert span(seconds) == words

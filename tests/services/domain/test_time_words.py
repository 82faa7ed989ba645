"""Lengths of time in words."""

from __future__ import annotations

import pytest

from services.domain.time_words import duration, rough


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0 s"), (59.9, "59 s"), (197, "3 min 17 s"), (3900, "1 h 05 min"), (273_600, "3 d 4 h")],
)
def test_a_length_of_time_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("seconds", "words"), [(-1, "0 s"), (119.4, "119 s"), (7199, "119 min"), (7505, "2 h 5 min")])
def test_something_that_lasts_is_told_no_finer_than_it_matters(seconds: float, words: str) -> None:
    assert rough(seconds) == words

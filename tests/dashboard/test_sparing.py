"""Lines that a stranger could cause by the thousand."""

from __future__ import annotations

import logging

import pytest

from dashboard.sparing import Sparing
from tests.support.clocks import FakeMonotonic


def test_the_first_of_a_minute_are_written_and_the_rest_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    monotonic = FakeMonotonic()
    sparing = Sparing(logging.getLogger("sparing"), most=2, monotonic=monotonic)
    for number in range(5):
        sparing.info("refused %d", number)
    monotonic.now += 60
    sparing.info("refused again")

    assert [record.getMessage() for record in caplog.records if record.name == "sparing"] == [
        "refused 0", "refused 1", "3 more like these were left out", "refused again",
    ]  # fmt: skip

"""What two looks tell that one cannot."""

from __future__ import annotations

from datetime import timedelta

from services.measures.watching import Growth, Jumps, Silence
from tests.support.measures import NOW


def test_the_night_does_not_count_as_silence() -> None:
    silence = Silence()

    assert silence.seconds(0.0, expected=False, last_ago=40_000.0) is None
    assert silence.seconds(1.0, expected=True, last_ago=40_001.0) is None  # the market has just opened
    assert silence.seconds(13.0, expected=True, last_ago=40_013.0) == 12.0
    assert silence.seconds(14.0, expected=True, last_ago=0.3) is None
    assert silence.seconds(34.0, expected=True, last_ago=20.3) == 20.3
    assert silence.seconds(35.0, expected=False, last_ago=21.3) is None


def test_silence_from_the_beginning_counts_from_when_prices_were_expected() -> None:
    silence = Silence()
    silence.seconds(0.0, expected=True, last_ago=None)

    assert silence.seconds(30.0, expected=True, last_ago=None) == 30.0


def test_jumps_are_told_from_time_that_passes_at_any_speed() -> None:
    jumps = Jumps()

    assert not jumps.look(0.0, NOW, 60.0)
    assert not jumps.look(10.0, NOW + timedelta(minutes=10), 60.0)
    assert jumps.count == 0
    assert jumps.ago(10.0) is None

    hour = Jumps()
    hour.look(0.0, NOW, 1.0)
    assert hour.look(10.0, NOW + timedelta(hours=1, seconds=10), 1.0)
    assert hour.look(20.0, NOW + timedelta(seconds=20), 1.0)
    assert (hour.count, hour.seconds, hour.ago(25.0)) == (2, -3600.0, 5.0)


def test_growth_tells_when_a_count_grew_last() -> None:
    growth = Growth()

    assert growth.ago(0.0, 0) is None
    assert growth.ago(5.0, 3) == 0.0
    assert growth.ago(9.0, 3) == 4.0

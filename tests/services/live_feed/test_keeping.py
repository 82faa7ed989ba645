"""Which process of a data folder writes down what all of them receive."""

from __future__ import annotations

from pathlib import Path

from services.feed.slots import Slots
from services.live_feed.keeping import OneKeeper
from tests.support.clocks import FakeMonotonic


def test_the_next_takes_over_when_the_first_has_ended(tmp_path: Path) -> None:
    clock = FakeMonotonic()
    first, second = (OneKeeper(Slots(tmp_path, name="ticks", count=1), monotonic=clock) for _ in range(2))
    assert first.ours()
    assert not second.ours()

    first.close()

    assert not second.ours()  # it has just looked
    clock.now += 2.0
    assert second.ours()
    second.close()


def test_a_folder_where_nothing_can_be_locked_does_not_end_the_feed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert not OneKeeper(Slots(tmp_path / "file", name="ticks", count=1)).ours()

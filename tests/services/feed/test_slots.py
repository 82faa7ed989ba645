"""Two slots per data folder, held by the operating system."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from services.domain.errors import ConfigurationError
from services.feed.slots import Slots
from tests.support.programs import start

HOLDER = """
    import sys, time
    from pathlib import Path
    from services.feed.slots import Slots
    slots = Slots(Path(sys.argv[1]))
    print(slots.take(), flush=True)
    time.sleep(60)
"""


def test_two_may_and_a_third_takes_what_becomes_free(tmp_path: Path) -> None:
    one, two, three = Slots(tmp_path), Slots(tmp_path), Slots(tmp_path)

    assert one.take()
    assert two.take()
    assert not three.take()
    assert (one.held, two.held, three.held) == (1, 2, None)

    one.give_back()

    assert three.take()
    assert (one.held, three.held) == (None, 1)
    for slots in (two, three):
        slots.give_back()


def test_taking_twice_holds_one(tmp_path: Path) -> None:
    one, two, three = Slots(tmp_path), Slots(tmp_path), Slots(tmp_path)

    assert one.take()
    assert one.take()
    assert two.take()

    one.give_back()
    one.give_back()
    assert three.take()
    for slots in (two, three):
        slots.give_back()


def test_streams_of_another_kind_have_slots_of_their_own(tmp_path: Path) -> None:
    market, portfolio = Slots(tmp_path, count=1), Slots(tmp_path, name="portfolio", count=1)

    assert market.take()
    assert portfolio.take()
    market.give_back()
    portfolio.give_back()


def test_a_killed_process_gives_its_slot_back(tmp_path: Path) -> None:
    others = [start(HOLDER, tmp_path) for _ in range(2)]
    for other in others:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "True"
    mine = Slots(tmp_path)

    assert not mine.take()
    others[0].send_signal(signal.SIGKILL)
    others[0].communicate()
    taken = mine.take()

    others[1].kill()
    others[1].communicate()
    assert taken
    mine.give_back()


def test_a_folder_that_cannot_be_locked_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(ConfigurationError, match="cannot be locked"):
        Slots(tmp_path / "file").take()

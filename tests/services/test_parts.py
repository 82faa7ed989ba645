"""Collaborators built on first use, once, and closed in reverse order."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest

from services.parts import Parts, part


class Closing:
    def __init__(self, name: str, closed: list[str]) -> None:
        self.name = name
        self._closed = closed

    def close(self) -> None:
        self._closed.append(self.name)


class House(Parts):
    def __init__(self) -> None:
        super().__init__()
        self.closed: list[str] = []
        self.builds = 0
        self.fail = False

    @part
    def cellar(self) -> Closing:
        self.builds += 1
        return Closing("cellar", self.closed)

    @part
    def roof(self) -> Closing:
        assert self.cellar
        return Closing("roof", self.closed)

    @part
    def shaky(self) -> int:
        if self.fail:
            raise OSError("not today")
        return 42


def test_nothing_is_built_before_it_is_asked_for() -> None:
    house = House()

    assert not house.built("cellar")
    assert house.cellar is house.cellar
    assert house.builds == 1


def test_parts_close_in_reverse_order_of_building() -> None:
    house = House()
    assert house.roof.name == "roof"

    house.close()
    house.close()

    assert house.closed == ["roof", "cellar"]


def test_a_closed_house_builds_nothing_more() -> None:
    house = House()
    house.close()

    with pytest.raises(RuntimeError, match="cellar was asked for"):
        _ = house.cellar


def test_a_part_that_failed_is_tried_again() -> None:
    house = House()
    house.fail = True
    with pytest.raises(OSError, match="not today"):
        _ = house.shaky
    house.fail = False

    assert house.shaky == 42


def test_many_threads_get_one_object() -> None:
    house, start, seen = House(), Barrier(32), []

    def ask() -> None:
        start.wait()
        seen.append(house.roof)

    threads = [Thread(target=ask) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(item) for item in seen}) == 1
    assert house.builds == 1

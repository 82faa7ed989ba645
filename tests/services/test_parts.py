"""Collaborators built on first use, once, and closed in reverse order."""

from __future__ import annotations

from threading import Barrier, Event, Thread

import pytest

from services.parts import Parts, busy_part, part


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


class Worker:
    """A part with a thread that hangs until it is told to stop, or for ever."""

    def __init__(self, name: str, told: list[str], ends: Event) -> None:
        self.name = name
        self._told = told
        self._ends = ends

    def begin_close(self) -> None:
        self._told.append(f"{self.name} told")
        self._ends.set()

    def close(self) -> None:
        assert self._ends.wait(30)
        self._told.append(f"{self.name} closed")


class Factory(Parts):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.ends = Event()

    @part
    def hall(self) -> Closing:
        return Closing("hall closed", self.told)

    @part
    def bell(self) -> Worker:
        return Worker("bell", self.told, self.ends)

    @busy_part
    def left(self) -> Closing:
        return self._waiting("left closed")

    @busy_part
    def right(self) -> Closing:
        return self._waiting("right closed")

    def _waiting(self, name: str) -> Closing:
        factory = self

        class Waiting(Closing):
            def close(self) -> None:
                factory.ends.wait(30)
                super().close()

        return Waiting(name, self.told)


def test_all_are_told_to_stop_before_any_is_closed() -> None:
    factory = Factory()
    for name in ("hall", "bell", "left", "right"):
        assert getattr(factory, name)

    factory.close()

    assert factory.told[0] == "bell told"
    assert set(factory.told[1:3]) == {"left closed", "right closed"}
    assert factory.told[3:] == ["bell closed", "hall closed"]


def test_busy_parts_that_hang_share_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.parts.BUSY_SECONDS", 0.05)
    factory = Factory()
    assert factory.hall
    assert factory.left
    assert factory.right

    factory.close()  # would take 20 s if each were waited for in turn

    assert factory.told == ["hall closed"]
    factory.ends.set()


def test_a_part_built_while_its_owner_closes_is_closed_and_not_handed_out() -> None:
    closed: list[str] = []
    begun, go = Event(), Event()

    class Slow(Parts):
        @part
        def shed(self) -> Closing:
            begun.set()
            assert go.wait(30)
            return Closing("shed", closed)

    slow = Slow()
    errors: list[Exception] = []

    def ask() -> None:
        try:
            _ = slow.shed
        except RuntimeError as error:
            errors.append(error)

    thread = Thread(target=ask)
    thread.start()
    assert begun.wait(30)
    slow.close()
    go.set()
    thread.join(30)

    assert closed == ["shed"]
    assert "shed was asked for" in str(errors[0])
    assert not slow.built("shed")

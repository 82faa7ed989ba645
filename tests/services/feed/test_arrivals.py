"""Which instruments have shown themselves."""

from __future__ import annotations

from services.feed.arrivals import Arrivals


def test_what_came_is_neither_asked_again_nor_silent() -> None:
    arrivals = Arrivals()
    arrivals.asked(["A", "B"], 0.0)

    arrivals.came(["A", "B", "C"])

    assert arrivals.complete
    assert arrivals.overdue(100.0) == []


def test_what_did_not_come_is_asked_for_once_more_and_then_silent() -> None:
    arrivals = Arrivals(patience=10)
    arrivals.asked(["A", "B"], 0.0)
    arrivals.came(["A"])

    assert arrivals.overdue(9.9) == []
    assert arrivals.overdue(10.0) == ["B"]
    assert arrivals.overdue(15.0) == []
    assert arrivals.silent == ()
    assert arrivals.overdue(20.0) == []
    assert arrivals.silent == ("B",)
    assert not arrivals.complete


def test_a_silent_one_that_speaks_is_silent_no_more() -> None:
    arrivals = Arrivals(patience=10)
    arrivals.asked(["A"], 0.0)
    arrivals.overdue(10.0)
    arrivals.overdue(20.0)

    assert arrivals.came(["A"])
    assert arrivals.silent == ()
    assert not arrivals.came(["A"])


def test_a_key_asked_for_anew_has_its_time_again() -> None:
    arrivals = Arrivals(patience=10)
    arrivals.asked(["A", "B"], 0.0)
    arrivals.asked(["A"], 8.0)

    assert arrivals.overdue(10.0) == ["B"]
    assert arrivals.overdue(18.0) == ["A"]


def test_what_nobody_wants_is_forgotten() -> None:
    arrivals = Arrivals(patience=10)
    arrivals.asked(["A", "B"], 0.0)
    arrivals.dropped(["A"])

    assert arrivals.overdue(10.0) == ["B"]
    arrivals.forget()
    assert arrivals.complete

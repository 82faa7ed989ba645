"""How far two clocks are apart, told from the frames between them."""

from __future__ import annotations

from services.feed.clock_offset import ClockOffset


def test_the_shortest_way_of_many_is_the_estimate() -> None:
    offset = ClockOffset()
    assert offset.seconds(0.0) is None

    for second, delay in enumerate((40.0, 25.0, 300.0, 31.0)):
        offset.record(delay, float(second))
    assert offset.seconds(4.0) == 0.025

    offset.record(60.0, 12.0)  # a new span: the one before still counts
    assert offset.seconds(12.0) == 0.025
    offset.record(70.0, 25.0)
    assert offset.seconds(25.0) == 0.06


def test_a_clock_that_was_set_is_noticed_within_two_spans() -> None:
    offset = ClockOffset()
    offset.record(20.0, 0.0)
    for second in range(1, 25):
        offset.record(-3_600_000.0 + 20.0, float(second))

    assert offset.seconds(25.0) == -3599.98


def test_what_was_told_before_the_close_is_not_told_all_night() -> None:
    offset = ClockOffset()
    offset.record(20.0, 0.0)

    assert offset.seconds(100.0) == 0.02
    assert offset.seconds(200.0) is None

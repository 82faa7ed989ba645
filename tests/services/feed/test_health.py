"""The health of a stream."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.feed.health import ENDS_KEPT, EndKind, HealthBook, StreamState
from tests.support.clocks import FakeClock, FakeMonotonic

NOON = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)


@pytest.fixture
def time() -> FakeMonotonic:
    return FakeMonotonic(1000.5)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def book(time: FakeMonotonic, clock: FakeClock) -> HealthBook:
    return HealthBook(clock, name="market", monotonic=time)


def test_before_anything_happened_all_is_off_and_nothing_is_claimed(book: HealthBook) -> None:
    health = book.snapshot()

    assert health.state is StreamState.OFF
    assert not health.connected
    assert health.uptime_seconds == 0.0
    assert health.last_message_ago_seconds is None
    assert health.stale_since is None
    assert health.reconnect_count == 0
    assert health.messages_per_second == 0.0
    assert health.timestamp == NOON


def test_a_connection_has_its_uptime_and_the_time_since_the_last_message(book: HealthBook, time: FakeMonotonic) -> None:
    book.opened()
    time.now += 30
    book.message(time.now, 5)
    book.message(time.now, 0)
    time.now += 2

    health = book.snapshot(subscribed=7, sent=6)

    assert health.connected
    assert (health.uptime_seconds, health.last_message_ago_seconds) == (32.0, 2.0)
    assert (health.messages_received, health.updates_received) == (2, 5)
    assert (health.subscribed_count, health.sent_count) == (7, 6)


def test_market_information_is_a_message_and_no_price(book: HealthBook, time: FakeMonotonic) -> None:
    book.opened()
    book.message(time.now, 3)
    time.now += 10
    book.message(time.now, 0)

    health = book.snapshot()

    assert (health.last_message_ago_seconds, health.last_update_ago_seconds) == (0.0, 10.0)


def test_from_the_moment_of_loss_the_prices_are_stale(book: HealthBook, clock: FakeClock) -> None:
    book.opened()
    clock.move(minutes=5)
    book.ended("cut")
    book.resting(StreamState.WAITING, "cut", seconds=8.0)
    clock.move(minutes=1)

    health = book.snapshot(sent=5)

    assert health.stale_since == datetime(2026, 11, 20, 6, 35, tzinfo=UTC)
    assert (health.connected, health.uptime_seconds, health.sent_count) == (False, 0.0, 0)
    assert (health.reason, health.next_attempt_seconds) == ("cut", 8.0)
    book.opened()
    assert book.snapshot().stale_since is None


def test_a_record_counts_its_own_connection_only(book: HealthBook, time: FakeMonotonic, clock: FakeClock) -> None:
    book.opened()
    book.message(time.now, 10)
    book.bad_frames += 1
    book.ended("first")
    book.opened()
    book.message(time.now, 3)
    time.now += 60
    clock.move(seconds=60)

    record = book.ended("second")

    assert record is not None
    assert (record.messages, record.updates, record.bad_frames) == (1, 3, 0)
    assert (record.opened_at, record.at) == (NOON, datetime(2026, 11, 20, 6, 31, tzinfo=UTC))
    assert (record.ended, record.reason, record.reconnect, record.uptime_seconds) == (True, "second", 1, 60.0)


def test_an_attempt_that_never_opened_leaves_its_reason_and_no_record(book: HealthBook) -> None:
    assert book.ended("HTTP 403") is None

    [end] = book.snapshot().ends
    assert (end.reason, end.uptime_seconds, end.at) == ("HTTP 403", None, NOON)


def test_only_the_last_reasons_are_kept(book: HealthBook) -> None:
    for number in range(100):
        book.ended(str(number))

    book.ended("asked to", EndKind.ASKED)
    counted = book.snapshot().ends_by_kind
    assert (counted[EndKind.LOST], counted[EndKind.ASKED], counted[EndKind.MUTE]) == (100, 1, 0)

    ends = book.snapshot().ends
    assert len(ends) == ENDS_KEPT
    assert [end.reason for end in ends[-2:]] == ["99", "asked to"]


def test_reconnects_count_connections_after_the_first(book: HealthBook) -> None:
    for _ in range(3):
        book.opened()
        book.ended("cut")

    assert book.snapshot().reconnect_count == 2
    book.began()
    book.opened()
    assert book.snapshot().reconnect_count == 0


class TestRate:
    def test_it_is_that_of_the_last_ten_whole_seconds(self, book: HealthBook, time: FakeMonotonic) -> None:
        for _ in range(30):
            for _ in range(4):
                book.message(time.now, 50)
            time.now += 1

        health = book.snapshot()

        assert (health.messages_per_second, health.updates_per_second) == (4.0, 200.0)

    def test_it_falls_to_nothing_when_nothing_comes(self, book: HealthBook, time: FakeMonotonic) -> None:
        for _ in range(30):
            book.message(time.now, 1)
            time.now += 1
        time.now += 5
        assert book.snapshot().messages_per_second == pytest.approx(0.5, abs=0.11)

        time.now += 6

        assert book.snapshot().messages_per_second == 0.0

    def test_a_young_feed_is_not_averaged_over_time_it_did_not_have(
        self, book: HealthBook, time: FakeMonotonic
    ) -> None:
        for _ in range(6):
            for _ in range(10):
                book.message(time.now, 1)
            time.now += 0.5

        assert book.snapshot().messages_per_second == pytest.approx(20, rel=0.25)

    def test_in_its_first_second_it_is_what_came_until_now(self, book: HealthBook, time: FakeMonotonic) -> None:
        for _ in range(5):
            book.message(time.now, 1)
        time.now += 0.25

        assert book.snapshot().messages_per_second == 20.0

"""The day's paths: fetched slowly behind the pages, never waited for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from services.day_tracks import (
    PACE_SECONDS,
    PAUSE_SECONDS,
    QUICK_PACE_SECONDS,
    QUICK_REQUESTS,
    REFETCH_SECONDS,
    WANTED_SECONDS,
    DayTracks,
)
from services.domain.errors import BadInstrumentKey, NoAnswer, UpstoxError
from services.domain.quotes import Bar
from tests.support.clocks import FakeClock, FakeMonotonic
from tests.support.quotes import INFY, NOW, RELIANCE, keys, row, wait_until


class FakeBars:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failure: UpstoxError | None = None
        self.closes = [100.0, 101.0, 102.0]
        self.last_start = NOW - timedelta(minutes=1)

    def __call__(self, key: str) -> list[Bar]:
        self.asked.append(key)
        if self.failure is not None:
            raise self.failure
        last = len(self.closes) - 1
        return [
            Bar(self.last_start - timedelta(minutes=5 * (last - n)), close, close, close, close, 10, 0)
            for n, close in enumerate(self.closes)
        ]


@pytest.fixture
def bars() -> FakeBars:
    return FakeBars()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def monotonic() -> FakeMonotonic:
    return FakeMonotonic()


@pytest.fixture
def tracks(bars: FakeBars, clock: FakeClock, monotonic: FakeMonotonic) -> Iterator[DayTracks]:
    made = DayTracks(fetch_bars=bars, clock=clock, monotonic=monotonic, in_background=False)
    yield made
    made.close()


def test_a_path_is_empty_until_it_is_known(tracks: DayTracks, bars: FakeBars) -> None:
    assert tracks.track(RELIANCE) == ()
    assert bars.asked == []
    assert tracks.state().waiting == 1

    tracks.fetch_next()

    assert tracks.track(RELIANCE) == (100.0, 101.0, 102.0)
    assert tracks.state().known == 1


def test_the_last_known_price_continues_the_path(bars: FakeBars, clock: FakeClock, monotonic: FakeMonotonic) -> None:
    latest = row(ltp=105.0, received_at=NOW)
    tracks = DayTracks(
        fetch_bars=bars,
        clock=clock,
        latest=lambda keys: {RELIANCE: latest},
        monotonic=monotonic,
        in_background=False,
    )
    tracks.track(RELIANCE)
    tracks.fetch_next()
    assert tracks.track(RELIANCE) == (100.0, 101.0, 105.0), "within the running bar it takes its place"

    latest = row(ltp=106.0, received_at=NOW + timedelta(minutes=6))
    assert tracks.track(RELIANCE) == (100.0, 101.0, 102.0, 106.0), "after it, it comes behind"

    latest = row(ltp=99.0, received_at=NOW - timedelta(days=1))
    assert tracks.track(RELIANCE) == (100.0, 101.0, 102.0), "yesterday's price is not part of today"


def test_requests_are_paced_quickly_at_first_then_slowly(tracks: DayTracks, bars: FakeBars) -> None:
    for key in keys(QUICK_REQUESTS + 1):
        tracks.track(key)

    pauses = [tracks.fetch_next() for _ in range(QUICK_REQUESTS + 1)]

    assert pauses == [QUICK_PACE_SECONDS] * QUICK_REQUESTS + [PACE_SECONDS]
    assert len(set(bars.asked)) == QUICK_REQUESTS + 1


def test_a_known_path_is_fetched_again_after_a_while_and_only_if_wanted(
    tracks: DayTracks, bars: FakeBars, monotonic: FakeMonotonic
) -> None:
    tracks.track(RELIANCE)
    tracks.fetch_next()
    tracks.fetch_next()
    assert bars.asked == [RELIANCE]

    monotonic.now += REFETCH_SECONDS
    assert tracks.fetch_next() is None, "nobody has asked for a while"
    tracks.track(RELIANCE)
    tracks.fetch_next()

    assert bars.asked == [RELIANCE, RELIANCE]
    monotonic.now += WANTED_SECONDS
    assert tracks.fetch_next() is None


def test_yesterdays_path_is_not_shown_today(tracks: DayTracks, clock: FakeClock, bars: FakeBars) -> None:
    tracks.track(RELIANCE)
    tracks.fetch_next()
    clock.instant = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)

    assert tracks.track(RELIANCE) == ()
    tracks.fetch_next()
    assert bars.asked == [RELIANCE, RELIANCE]


def test_an_instrument_that_fails_after_the_roll_does_not_starve_the_others(
    tracks: DayTracks, clock: FakeClock, bars: FakeBars
) -> None:
    tracks.track(RELIANCE)
    tracks.track(INFY)
    tracks.fetch_next()
    tracks.fetch_next()
    clock.instant = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
    bars.failure = BadInstrumentKey("expired", status=400)
    tracks.fetch_next()
    bars.failure = None

    tracks.fetch_next()

    assert tracks.state().known == 1


def test_a_failure_is_counted_told_and_delays_all(tracks: DayTracks, bars: FakeBars, monotonic: FakeMonotonic) -> None:
    bars.failure = NoAnswer("silence")
    tracks.track(RELIANCE)

    assert tracks.fetch_next() == PAUSE_SECONDS
    assert tracks.track(RELIANCE) == ()
    state = tracks.state()
    assert (state.errors, state.last_error) == (1, f"{RELIANCE}: silence")


def test_a_failure_of_one_instrument_delays_no_other(tracks: DayTracks, bars: FakeBars) -> None:
    tracks.track(RELIANCE)
    tracks.track(INFY)
    bars.failure = BadInstrumentKey("unknown", status=400)
    assert tracks.fetch_next() == PACE_SECONDS

    bars.failure = None
    tracks.fetch_next()

    assert tracks.state().known == 1


def test_an_instrument_without_bars_has_an_empty_path(tracks: DayTracks, bars: FakeBars) -> None:
    bars.closes = []
    tracks.track(RELIANCE)
    tracks.fetch_next()

    assert tracks.track(RELIANCE) == ()
    assert tracks.state().waiting == 0


def test_it_works_behind_the_pages(bars: FakeBars, clock: FakeClock) -> None:
    tracks = DayTracks(fetch_bars=bars, clock=clock)
    tracks.track(RELIANCE)

    wait_until(lambda: tracks.track(RELIANCE) != ())

    tracks.close()


def test_before_its_first_bar_a_day_shows_the_path_of_the_one_before(
    bars: FakeBars, clock: FakeClock, monotonic: FakeMonotonic
) -> None:
    bars.last_start = NOW - timedelta(days=3)
    quote = row(ltp=102.0, received_at=NOW) | {"last_trade_time": NOW - timedelta(days=3)}
    tracks = DayTracks(
        fetch_bars=bars, clock=clock, latest=lambda _: {RELIANCE: quote}, monotonic=monotonic, in_background=False
    )
    tracks.track(RELIANCE)
    tracks.fetch_next()

    assert tracks.track(RELIANCE) == (100.0, 101.0, 102.0)
    assert (tracks.state().known, tracks.state().waiting) == (1, 0)
    assert tracks.fetch_next() == 1.0, "it is not asked for again at once"


@pytest.mark.parametrize("traded", [NOW, NOW - timedelta(days=1), None])
def test_the_path_of_another_day_than_the_last_price_is_not_shown(
    bars: FakeBars, clock: FakeClock, monotonic: FakeMonotonic, traded: datetime | None
) -> None:
    bars.last_start = NOW - timedelta(days=3)
    quote = row(ltp=102.0, received_at=NOW) | {"last_trade_time": traded}
    tracks = DayTracks(
        fetch_bars=bars, clock=clock, latest=lambda _: {RELIANCE: quote}, monotonic=monotonic, in_background=False
    )
    tracks.track(RELIANCE)
    tracks.fetch_next()

    assert tracks.track(RELIANCE) == ()

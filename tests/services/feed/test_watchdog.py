"""Mute feed or quiet market."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.domain.calendar.calendar import BUNDLED, market_of
from services.domain.errors import InvalidRequest
from services.domain.phases import Listing, Phase, PhaseNow
from services.feed.watchdog import DataWatchdog, PhaseOf, prices_expected

UNTIL = datetime(2026, 11, 20, 10, tzinfo=UTC)


def _phases(by_segment: dict[str, Phase], *, auction: Phase | None = None) -> PhaseOf:
    def phase(segment: str, listing: Listing) -> PhaseNow:
        if segment not in by_segment:
            raise InvalidRequest(f"{segment} has no hours")
        found = by_segment[segment]
        if listing is Listing.AUCTION and auction is not None:
            found = auction
        return PhaseNow(found, "", UNTIL)

    return phase


class TestExpectation:
    def test_prices_move_in_continuous_trading(self) -> None:
        assert prices_expected(["NSE_EQ"], _phases({"NSE_EQ": Phase.OPEN}))

    @pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.OPEN])
    def test_silence_proves_nothing_in_any_other_phase(self, phase: Phase) -> None:
        assert not prices_expected(["NSE_EQ", "NSE_FO"], _phases({"NSE_EQ": phase, "NSE_FO": phase}))

    def test_shares_and_indices_are_flat_in_the_closing_auction(self) -> None:
        phase = _phases({"NSE_EQ": Phase.OPEN, "NSE_INDEX": Phase.OPEN}, auction=Phase.CLOSING_AUCTION)

        assert not prices_expected(["NSE_EQ", "NSE_INDEX"], phase)

    def test_derivatives_tick_on_while_shares_are_in_their_auction(self) -> None:
        phase = _phases({"NSE_EQ": Phase.OPEN, "NSE_FO": Phase.OPEN}, auction=Phase.CLOSING_AUCTION)

        assert prices_expected(["NSE_EQ", "NSE_FO"], phase)

    def test_one_open_market_is_enough(self) -> None:
        phase = _phases({"NSE_EQ": Phase.CLOSED, "MCX_FO": Phase.OPEN})

        assert prices_expected(["NSE_EQ", "MCX_FO"], phase)
        assert not prices_expected(["NSE_EQ"], phase)

    def test_a_segment_without_hours_says_nothing(self) -> None:
        assert not prices_expected(["GLOBAL_INDEX"], _phases({}))
        assert not prices_expected([], _phases({}))


def _real(instant: str) -> PhaseOf:
    at = datetime.fromisoformat(instant + "+05:30").astimezone(UTC)
    return lambda segment, listing: BUNDLED.phase(market_of(segment), at, listing=listing)


class TestOnTheRealCalendar:
    @pytest.mark.parametrize(
        ("instant", "segments", "expected"),
        [
            ("2026-11-20T11:00:00", ["NSE_EQ"], True),
            ("2026-11-20T09:10:00", ["NSE_EQ", "NSE_INDEX"], False),
            ("2026-11-20T15:14:59", ["NSE_INDEX"], True),
            ("2026-11-20T15:20:00", ["NSE_EQ", "NSE_INDEX", "BSE_EQ"], False),
            ("2026-11-20T15:20:00", ["NSE_EQ", "NSE_FO"], True),
            ("2026-11-20T15:39:59", ["NSE_FO"], True),
            ("2026-11-20T15:40:00", ["NSE_FO"], False),
            ("2026-11-20T22:00:00", ["NSE_EQ", "NSE_FO"], False),
            ("2026-11-20T22:00:00", ["NSE_EQ", "MCX_FO"], True),
            ("2026-11-21T11:00:00", ["NSE_EQ", "MCX_FO"], False),
            ("2026-12-08T15:20:00", ["NSE_EQ"], True),
            ("2026-12-08T15:35:00", ["NSE_EQ", "NSE_INDEX"], False),
            ("2026-12-08T15:44:00", ["NSE_FO"], True),
            ("2029-06-06T11:00:00", ["NSE_EQ"], False),
        ],
    )
    def test_when_prices_are_expected(self, instant: str, segments: list[str], expected: bool) -> None:
        assert prices_expected(segments, _real(instant)) is expected


def _silent_until(watchdog: DataWatchdog, start: float, end: float, *, expected: bool = True) -> float | None:
    """The second at which it is called mute."""
    now = start
    while now <= end:
        if watchdog.is_mute(now, expected=expected):
            return now
        now += 1.0
    return None


class TestSilence:
    def test_ten_seconds_in_the_session_are_too_long(self) -> None:
        watchdog = DataWatchdog()
        watchdog.begin(100.0)

        assert _silent_until(watchdog, 100.0, 200.0) == 110.0

    def test_a_whole_night_is_not(self) -> None:
        watchdog = DataWatchdog()
        watchdog.begin(100.0)

        assert _silent_until(watchdog, 100.0, 50_000.0, expected=False) is None

    def test_the_night_before_does_not_count_at_the_opening(self) -> None:
        watchdog = DataWatchdog()
        watchdog.begin(0.0)
        _silent_until(watchdog, 0.0, 1000.0, expected=False)

        assert _silent_until(watchdog, 1001.0, 2000.0) == 1011.0

    def test_data_keeps_it_quiet(self) -> None:
        watchdog = DataWatchdog()
        watchdog.begin(0.0)

        for second in range(1000):
            if second % 9 == 0:
                watchdog.data(float(second))
            assert not watchdog.is_mute(float(second), expected=True)

    def test_a_replacement_that_brings_no_cure_doubles_the_patience_up_to_five_minutes(self) -> None:
        watchdog = DataWatchdog()
        now, waits = 0.0, []
        for _ in range(8):
            watchdog.begin(now)
            watchdog.data(now + 0.5)  # the snapshot
            found = _silent_until(watchdog, now + 1, now + 2000)
            assert found is not None
            waits.append(round(found - now - 0.5))
            now = found

        assert waits[:3] == pytest.approx([10, 20, 40], abs=1)
        assert waits[-1] == pytest.approx(300, abs=1)

    def test_calm_minutes_bring_the_patience_back(self) -> None:
        watchdog = DataWatchdog()
        watchdog.begin(0.0)
        watchdog.is_mute(0.0, expected=True)
        for second in (10.0, 30.0, 70.0):
            assert watchdog.is_mute(second, expected=True)
            watchdog.begin(second)
        assert watchdog.patience == 80.0

        for second in range(71, 400):
            watchdog.data(float(second))
            watchdog.is_mute(float(second), expected=True)

        assert watchdog.patience == 10.0

    def test_a_share_that_trades_once_a_minute_keeps_its_patience(self) -> None:
        watchdog = DataWatchdog()
        watchdog.begin(0.0)
        replaced = 0

        for second in range(7200):
            if second % 60 == 0:
                watchdog.data(float(second))
            if watchdog.is_mute(float(second), expected=True):
                replaced += 1
                watchdog.begin(float(second))

        assert replaced <= 4

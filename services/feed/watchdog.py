"""Tells a feed that is open and mute from a market that has nothing to say. Pure: its owner tells it the time."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from services.domain.errors import InvalidRequest
from services.domain.phases import Listing, Phase, PhaseNow

MUTE_SECONDS = 10.0
"""A mute feed is replaced after this long: with the new connection prices are back within 15 s."""
LONGEST_SECONDS = 300.0
_CALM_SECONDS = 60.0

PhaseOf = Callable[[str, Listing], PhaseNow]
"""The phase now of a segment (`NSE_EQ`) for a kind of listing."""

_WITH_AUCTION = frozenset({"NSE_EQ", "NSE_INDEX", "BSE_EQ", "BSE_INDEX"})
"""In the closing auction these are flat for half an hour: shares with derivatives do not trade, indices do not move."""


def prices_expected(segments: Iterable[str], phase: PhaseOf) -> bool:
    """Should prices of at least one of `segments` move now? Only continuous trading counts: in auctions, in the gaps
    around them and where the calendar knows nothing, silence proves nothing."""
    return any(_continuous(segment, phase) for segment in segments)


def _continuous(segment: str, phase: PhaseOf) -> bool:
    try:
        if phase(segment, Listing.ORDINARY).phase is not Phase.OPEN:
            return False
        return segment not in _WITH_AUCTION or phase(segment, Listing.AUCTION).phase is Phase.OPEN
    except InvalidRequest:  # a segment without hours of its own (GLOBAL_INDEX)
        return False


class DataWatchdog:
    """Watches the time since the last prices, while prices are expected. Instants are monotonic seconds.

    A few illiquid shares may be silent for minutes in a living feed. So every replacement that brought no cure doubles
    the patience, and a calm while, in which no gap came near it, halves it again.
    """

    def __init__(self, *, seconds: float = MUTE_SECONDS, longest: float = LONGEST_SECONDS) -> None:
        self._seconds = seconds
        self._longest = longest
        self.patience = seconds
        self._last = 0.0
        self._expected = False
        self._calm_since = 0.0
        self._widest_gap = 0.0

    def begin(self, now: float) -> None:
        """A connection is open, or something new was asked of it: silence counts from now."""
        self._last = self._calm_since = now
        self._widest_gap = 0.0

    def data(self, now: float) -> None:
        """Prices have come."""
        gap = now - self._last
        if gap > self._widest_gap:
            self._widest_gap = gap
        self._last = now

    def is_mute(self, now: float, *, expected: bool) -> bool:
        """Has it been silent for too long? `expected`: should prices move now? To be asked every second or so. After
        True the connection is to be replaced."""
        if not expected:
            self._expected = False
            return False
        if not self._expected:  # the market has just opened: the night before does not count
            self._expected = True
            self.begin(now)
            return False
        silence = now - self._last
        if silence >= self.patience:
            self.patience = min(self._longest, self.patience * 2)
            return True
        if now - self._calm_since >= max(_CALM_SECONDS, self.patience):
            if max(self._widest_gap, silence) < self.patience / 4:
                self.patience = max(self._seconds, self.patience / 2)
            self._calm_since, self._widest_gap = now, 0.0
        return False

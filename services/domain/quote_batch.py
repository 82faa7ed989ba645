"""What a reader of the quote book gets: quotes and problems, and how well the cache does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.domain.errors import NoData, UpstoxError
from services.domain.quote_row import QuoteRow

BAD_SECONDS = 900.0
"""A refused key is not asked for again for so long. Not for the whole day: what is unknown before the open may be
listed at ten."""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Every key that was asked for is in exactly one of the two, in the order asked."""

    quotes: dict[str, QuoteRow]
    problems: dict[str, UpstoxError] = field(default_factory=dict)
    """Why there is no quote: the request's error, `BadInstrumentKey`, `NoData`, or `InvalidRequest` (never sent)."""


@dataclass(frozen=True, slots=True)
class BookStats:
    """How the cache does. The figures of the last hour are counted by key, over all processes on this file."""

    hits_1h: int
    misses_1h: int
    api_calls_1h: int
    errors_1h: int
    avg_fetch_ms: float | None
    memory_entries: int
    db_entries: int
    bad_keys: tuple[str, ...]
    """Keys that the broker refused; they are asked for again a quarter of an hour after that."""

    @property
    def hit_rate(self) -> float | None:
        """Share (0-1) of the keys read in the last hour that needed no request; `None` if none was read."""
        asked = self.hits_1h + self.misses_1h
        return self.hits_1h / asked if asked else None


@dataclass(slots=True)
class ReadCounts:
    """Where keys were found, since the process began. Not locked: its owner's lock guards it."""

    live: int = 0
    """On the board of the live feed."""
    memory: int = 0
    shared: int = 0
    """Another process had been told."""
    store: int = 0
    broker: int = 0
    """Nowhere: the broker was asked."""
    unwritten: int = 0
    """Reads and seconds of reads that could not be written down: `BookStats` tells too little of them."""


class BadKeys:
    """Keys that the broker refused, remembered for a while. Not locked: its owner's lock guards it."""

    def __init__(self, *, seconds: float = BAD_SECONDS) -> None:
        self._seconds = seconds
        self._errors: dict[str, tuple[float, UpstoxError]] = {}

    def add(self, errors: Mapping[str, UpstoxError], now: float) -> None:
        self._errors.update({key: (now, error) for key, error in errors.items()})

    def remove(self, keys: Iterable[str]) -> None:
        """These were answered after all."""
        for key in keys:
            self._errors.pop(key, None)

    def of(self, now: float) -> dict[str, UpstoxError]:
        """Those that are still remembered at `now` (epoch seconds)."""
        if any(not 0 <= now - at < self._seconds for at, _ in self._errors.values()):
            self._errors = {key: told for key, told in self._errors.items() if 0 <= now - told[0] < self._seconds}
        return {key: error for key, (_, error) in self._errors.items()}

    def clear(self) -> None:
        self._errors = {}


def no_data(keys: Iterable[str]) -> dict[str, UpstoxError]:
    """The broker answered, and said nothing of these."""
    return {key: NoData(f"the broker has no data for {key}") for key in keys}

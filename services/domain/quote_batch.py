"""What a reader of the quote book gets: quotes and problems, and how well the cache does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from services.domain.errors import UpstoxError
from services.domain.quote_row import QuoteRow


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
    watchers: int
    watched_keys: int
    bad_keys: tuple[str, ...]
    """Keys that the broker refused today; they are not asked for again before tomorrow."""
    write_failures: int
    """Batches that could not be written to SQLite since this process started."""

    @property
    def hit_rate(self) -> float | None:
        """Share (0-1) of the keys read in the last hour that needed no request; `None` if none was read."""
        asked = self.hits_1h + self.misses_1h
        return self.hits_1h / asked if asked else None


class BadKeys:
    """Keys that the broker refused, remembered for the day. Not locked: its owner's lock guards it."""

    def __init__(self) -> None:
        self._errors: dict[str, UpstoxError] = {}
        self._day: date | None = None

    def add(self, errors: Mapping[str, UpstoxError], day: date) -> None:
        self.of(day)
        self._errors.update(errors)

    def of(self, day: date) -> dict[str, UpstoxError]:
        """Those of `day`. Another day's are forgotten: a contract may be listed by then."""
        if self._day != day:
            self._errors, self._day = {}, day
        return self._errors

    def clear(self) -> None:
        self._errors = {}

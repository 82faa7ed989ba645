"""The first tier of the quote cache: rows in memory, fresh for a few seconds, kept for when the broker is away."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from services.domain.errors import UpstoxError
from services.domain.quote_row import QuoteRow

MOST_ROWS = 20_000
_CLOCK_SLACK = 1.0
"""A host clock may be set back by a little; what came later than that "in the future" is not fresh."""


class MemoryTier:
    """Rows by key with the instant of their coming (epoch seconds). Not locked: the quote book's lock guards it.

    At most `most_rows` rows are kept; the oldest go first.
    """

    def __init__(self, *, ttl: float, most_rows: int = MOST_ROWS) -> None:
        self._ttl = ttl
        self._most_rows = most_rows
        self._rows: dict[str, tuple[float, QuoteRow]] = {}
        self._silent: dict[str, tuple[float, UpstoxError]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def fresh(self, keys: Collection[str], now: float) -> dict[str, QuoteRow]:
        """The rows of `keys` that are younger than the TTL."""
        get = self._rows.get
        oldest, newest = now - self._ttl, now + _CLOCK_SLACK
        return {key: row[1] for key in keys if (row := get(key)) is not None and oldest < row[0] <= newest}

    def silent(self, keys: Iterable[str], now: float) -> dict[str, UpstoxError]:
        """Those of `keys` of which the broker said nothing within the TTL: asking again so soon would bring nothing."""
        oldest, newest = now - self._ttl, now + _CLOCK_SLACK
        return {
            key: found[1]
            for key in keys
            if (found := self._silent.get(key)) is not None and oldest < found[0] <= newest
        }

    def ages(self, keys: Iterable[str], now: float) -> dict[str, float]:
        """Seconds since the broker last told or was silent about each of `keys`; infinite where it never was asked."""
        never = float("-inf")
        told = ((key, self._rows.get(key), self._silent.get(key)) for key in keys)
        return {key: now - max(row[0] if row else never, gone[0] if gone else never) for key, row, gone in told}

    def any_age(self, keys: Iterable[str]) -> dict[str, QuoteRow]:
        return {key: row[1] for key in keys if (row := self._rows.get(key)) is not None}

    def put(self, rows: Mapping[str, QuoteRow], at: float) -> None:
        """Rows that have just come, at `at`. They take the place of whatever is here, for what came last is the truth
        even if the host's clock was set back in between."""
        for key, row in rows.items():
            self._rows[key] = (at, row)
            self._silent.pop(key, None)
        self._shrink()

    def put_stored(self, rows: Mapping[str, QuoteRow], now: float) -> None:
        """Rows out of SQLite, where nothing newer is here. Those from after `now` are of another clock's time and are
        left out: their age could not be told."""
        for key, row in rows.items():
            at = row["received_at"].timestamp()
            if key not in self._rows and at <= now + _CLOCK_SLACK:
                self._rows[key] = (at, row)
        self._shrink()

    def put_told(self, rows: Mapping[str, QuoteRow], now: float) -> None:
        """Rows that another process was told a moment ago, where nothing newer is here. Its clock may differ a little
        from ours: none of them is from after `now`."""
        have, silent = self._rows, self._silent
        at, received = now, None
        for key, row in rows.items():
            if row["received_at"] != received:  # most came with one answer
                received = row["received_at"]
                at = min(now, received.timestamp())
            known = have.get(key)
            if known is None or known[0] < at:
                have[key] = (at, row)
                if silent:
                    silent.pop(key, None)
        self._shrink()

    def _shrink(self) -> None:
        if len(self._rows) > self._most_rows:
            by_age = sorted(self._rows, key=lambda key: self._rows[key][0])
            for key in by_age[: len(self._rows) - self._most_rows]:
                del self._rows[key]

    def put_silent(self, errors: Mapping[str, UpstoxError], at: float) -> None:
        """Keys that an answer did not speak of."""
        self._silent.update({key: (at, error) for key, error in errors.items()})
        if len(self._silent) > self._most_rows:
            self._silent.clear()

    def clear(self) -> None:
        self._rows.clear()
        self._silent.clear()

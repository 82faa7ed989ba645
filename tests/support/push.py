"""A source of prices for tests of the push channel."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from services.domain.quote_row import QuoteRow


class FakePrices:
    """Rows that are set by hand; remembers who holds what."""

    def __init__(self) -> None:
        self.held: dict[str, frozenset[str]] = {}
        self.version = 0
        self.feed: Mapping[str, Any] = {"live": True, "why": ""}
        self._rows: dict[str, tuple[int, QuoteRow]] = {}

    def put(self, *rows: QuoteRow) -> None:
        self.version += 1
        for row in rows:
            self._rows[row["instrument_key"]] = (self.version, row)

    def hold(self, holder: str, keys: Collection[str]) -> None:
        self.held[holder] = frozenset(keys)

    def release(self, holder: str) -> None:
        self.held.pop(holder, None)

    def changed(self, cursor: int, keys: Collection[str]) -> tuple[int, Mapping[str, QuoteRow]]:
        news = {key: row for key, (version, row) in self._rows.items() if key in keys and version > cursor}
        return self.version, news

    def word(self) -> Mapping[str, Any]:
        return self.feed

    def now_ms(self) -> int:
        return 1_795_000_000_000

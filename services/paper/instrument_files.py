"""The instrument files: the day's listings in the master's own fields, packed once a day."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import orjson

from services.domain.clock import ist_date, practice_day
from services.paper.model import Listing, Market

Row = Mapping[str, object]


def _exchange(name: str) -> Callable[[Listing], Row | None]:
    return lambda item: item.row if item.exchange == name else None


def _intraday(segment: str) -> Callable[[Listing], Row | None]:
    """Shares with margin for intraday trading. This broker lends five times, to every share that takes margin."""

    def row(item: Listing) -> Row | None:
        if item.segment != segment or not item.row.get("mtf_enabled"):
            return None
        kept = {name: value for name, value in item.row.items() if not name.startswith("mtf_")}
        return {**kept, "intraday_margin": 20.0, "intraday_leverage": 5.0}

    return row


_FILES: dict[str, Callable[[Listing], Row | None]] = {
    "complete": lambda item: item.row,
    "NSE": _exchange("NSE"),
    "BSE": _exchange("BSE"),
    "MCX": _exchange("MCX"),
    "MTF": lambda item: item.row if item.row.get("mtf_enabled") else None,
    "NSE_MIS": _intraday("NSE_EQ"),
    "BSE_MIS": _intraday("BSE_EQ"),
    # Files that exist at the real place, for things that this market does not list.
    "suspended-instrument": lambda _: None,
    "mf-instruments": lambda _: None,
    "global": lambda _: None,
}


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A gzipped JSON array and its strong ETag."""

    body: bytes
    etag: str


class InstrumentFiles:
    """Packs each file on its first request of a day, off the server's loop, once for all who wait."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._day: tuple[date, date] | None = None
        self._packed: dict[str, asyncio.Future[PackedFile]] = {}

    async def get(self, name: str, now: datetime) -> PackedFile | None:
        """The file called `name` (without `.json.gz`); `None` if there is no such file."""
        if name not in _FILES:
            return None
        # Listings may change at midnight (contracts end) and at 03:30 (a practice day rolls).
        day = (ist_date(now), practice_day(now))
        if day != self._day:
            self._day, self._packed = day, {}
        packing = self._packed.get(name)
        if packing is None:
            listings = self._market.listings(now)
            packing = asyncio.ensure_future(asyncio.to_thread(_pack, listings, _FILES[name]))
            self._packed[name] = packing
        return await asyncio.shield(packing)


def _pack(listings: Mapping[str, Listing], row_of: Callable[[Listing], Row | None]) -> PackedFile:
    rows = [dict(row) for row in map(row_of, listings.values()) if row is not None]
    body = gzip.compress(orjson.dumps(rows), 6, mtime=0)
    return PackedFile(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')

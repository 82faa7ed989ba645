"""What a reader gets of the board: a copy of some rows, all of one moment, by columns.

A snapshot belongs to who took it; nothing that it does touches the board. Depth, greeks and bars are read from the
broker's bytes when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.domain.errors import MalformedPayload
from services.wire.feed.details import FeedGreeks, FeedLevel, add_depth, find_bar, read_depth, read_greeks
from services.wire.options import iv_in_percent

NO_COUNT: Final = -1
"""What stands in a column of whole numbers where the feed has said nothing; where prices stand, NaN does."""
NO_KIND: Final = -1
"""Kind of a row that nothing has come for yet."""

ROW: Final = np.dtype(
    [
        ("version", "<i8"),  # of the board when this row was last written; 0: nothing came yet
        ("received_ns", "<i8"),  # on the clock of whoever receives
        ("at_ms", "<i8"),  # the broker's time of the frame
        ("kind", "<i4"),
        ("mode", "<i4"),
        ("ltp", "<f8"),
        ("ltt_ms", "<i8"),
        ("ltq", "<i8"),
        ("prev_close", "<f8"),
        ("iep", "<f8"),
        ("volume", "<i8"),
        ("oi", "<f8"),
        ("iv", "<f8"),
        ("atp", "<f8"),
        ("buy_quantity", "<f8"),
        ("sell_quantity", "<f8"),
        ("auction_price", "<f8"),
        ("reference_price", "<f8"),
        ("auction_quantity", "<i8"),
        ("imbalance", "<i8"),
        ("market_imbalance", "<i8"),
        ("cas_eligible", "<i8"),  # 1, 0, or NO_COUNT
    ]
)
"""The columns, from `ltp` on as `services.wire.feed.rows` explains them. Signed members that are missing are told by
`kind`: only `MARKET` has them."""

BAR: Final = np.dtype(
    [("open", "<f8"), ("high", "<f8"), ("low", "<f8"), ("close", "<f8"), ("volume", "<i8"), ("start_ms", "<i8")]
)
_NO_BAR = (np.nan, np.nan, np.nan, np.nan, NO_COUNT, NO_COUNT)
_NO_GREEKS = FeedGreeks(np.nan, np.nan, np.nan, np.nan, np.nan)

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class DepthColumns:
    """Order books, arrays of rows x levels, best first. Price 0 and quantity 0: nobody there."""

    bid_price: Floats
    bid_quantity: Counts
    ask_price: Floats
    ask_quantity: Counts
    known: NDArray[np.bool_]
    """One per row: False where the feed has told no book (an index, `ltpc` mode, nothing yet, unreadable)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Rows of the board as they were at `version`."""

    version: int
    """Of the board."""
    keys: list[str]
    rows: NDArray[np.void]
    """One per key, in its order, of dtype `ROW`: `snapshot.rows["ltp"]` is a column."""
    raw_depth: Sequence[bytes | None]
    raw_greeks: Sequence[bytes | None]
    raw_bars: Sequence[bytes | None]

    def __len__(self) -> int:
        return len(self.keys)

    def depth(self, levels: int = 5) -> DepthColumns:
        """The best `levels` of every row; 30 are there in `full_d30` mode. About 3 microseconds a row."""
        prices: list[float] = []
        counts: list[int] = []
        known: list[bool] = []
        for raw in self.raw_depth:
            try:
                add_depth(raw or b"", levels, prices, counts)
                known.append(raw is not None)
            except MalformedPayload:
                add_depth(b"", levels, prices, counts)
                known.append(False)
        shape = (len(self.keys), levels, 2)
        of_prices = np.array(prices, dtype=np.float64).reshape(shape)
        of_counts = np.array(counts, dtype=np.int64).reshape(shape)
        return DepthColumns(
            of_prices[:, :, 0], of_counts[:, :, 0], of_prices[:, :, 1], of_counts[:, :, 1], np.array(known, dtype=bool)
        )

    def book(self, place: int) -> list[FeedLevel] | None:
        """Every level of one row. None: the feed has told no book. Raises `MalformedPayload`."""
        raw = self.raw_depth[place]
        return None if raw is None else read_depth(raw)

    def greeks(self) -> Floats:
        """Delta, theta, gamma, vega, rho: an array of rows x 5, NaN where the feed has told none."""
        told = [None if raw is None else _readable(read_greeks, raw) for raw in self.raw_greeks]
        return np.array([_NO_GREEKS if one is None else one for one in told], dtype=np.float64).reshape(-1, 5)

    def iv_percent(self) -> Floats:
        """Implied volatilities in percent, one per row, NaN where the feed has told none. Its scale is not documented;
        a value that can only be a fraction is taken for one, as in the greeks call."""
        told = [iv_in_percent(iv) if isfinite(iv) else None for iv in self.rows["iv"].tolist()]
        return np.array([np.nan if iv is None else iv for iv in told], dtype=np.float64)

    def bars(self, interval: str = "1d") -> NDArray[np.void]:
        """The bars of `interval` (`1d`, or `I1`: the last FINISHED minute), of dtype `BAR`; NaN where there is none."""
        told = [None if raw is None else _readable(partial(find_bar, interval=interval), raw) for raw in self.raw_bars]
        return np.array([_NO_BAR if bar is None else bar[1:] for bar in told], dtype=BAR)


def _readable(read: Callable[[bytes], Read], raw: bytes) -> Read | None:
    """One row that cannot be read does not take the whole table with it."""
    try:
        return read(raw)
    except MalformedPayload:
        return None

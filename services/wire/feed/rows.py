"""What one frame of the market feed says: a flat row for each instrument, and the state of the segments.

A row is a plain tuple, read by the places named here (`row[LTP]`): there are tens of thousands of them a second, and an
object with named members costs several times as much to make.

    None   the member does not exist in this kind of feed, or its message was absent: the last known value still stands
    0      the broker said 0, or left the member out, which on this wire is the same: never "unchanged"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

LTPC_ONLY: Final = 0
"""Kind: last price, time, quantity, previous close."""
MARKET: Final = 1
"""Kind: shares and derivatives in full mode (5 levels, or 30)."""
INDEX: Final = 2
"""Kind: an index in full mode: price and bars, neither volume nor depth."""
FIRST_LEVEL: Final = 3
"""Kind: option_greeks: the best level, greeks, volume, open interest."""

FeedRow: TypeAlias = tuple[
    str, int, int, float, int, int, float, float | None, int | None, float | None, float | None, float | None,
    float | None, float | None, float | None, float | None, int | None, int | None, int | None, bool | None,
    bytes | None, bytes | None, bytes | None,
]  # fmt: skip

KEY: Final = 0
"""Instrument key as the broker spells it, `NSE_EQ|INE002A01018`."""
KIND: Final = 1
"""Which arm of the union came: `LTPC_ONLY`, `MARKET`, `INDEX`, `FIRST_LEVEL`."""
MODE: Final = 2
"""The broker's number of the mode asked for (place in `MODES`); always 0 in `LTPC_ONLY`. Older frames leave it 0 in the
other kinds too: `KIND` tells what is there."""
LTP: Final = 3
"""Last price, rupees. Finite, as the previous close is; the broker's other floats are as it computed them, and what it
could not compute may be NaN."""
LTT_MS: Final = 4
"""Time of the last trade, epoch milliseconds; what a `datetime` can hold. 0: none yet."""
LTQ: Final = 5
"""Quantity of the last trade, units; 0 for an index."""
PREV_CLOSE: Final = 6
"""Previous close (`cp`), rupees."""
IEP: Final = 7
"""Indicative price of an auction (`ltpc.iep`), rupees; in every kind. None: no auction."""
VOLUME: Final = 8
"""Traded today (`vtt`), units."""
OI: Final = 9
"""Open interest, units."""
IV: Final = 10
"""Implied volatility as a fraction (0.1124)."""
ATP: Final = 11
"""Average traded price, rupees."""
BUY_QUANTITY: Final = 12
"""All bids together (`tbq`), units."""
SELL_QUANTITY: Final = 13
"""All asks together (`tsq`), units."""
AUCTION_PRICE: Final = 14
"""Equilibrium price of the closing auction (`marketFF.iep`), rupees; 0: none."""
REFERENCE_PRICE: Final = 15
"""Reference price of the closing auction (`rp`), rupees; 0: none."""
AUCTION_QUANTITY: Final = 16
"""Quantity matched at the equilibrium price (`ieq`), units."""
IMBALANCE: Final = 17
"""Imbalance of all orders (`iiqTotal`), units, signed."""
MARKET_IMBALANCE: Final = 18
"""Imbalance of market orders (`iiqM`), units, signed."""
CAS_ELIGIBLE: Final = 19
"""True where the share takes part in the closing auction."""
DEPTH: Final = 20
"""The order book as it came, for `details.read_depth`. b"": the book is empty."""
GREEKS: Final = 21
"""Greeks as they came, for `details.read_greeks`. b"": all zero, as for shares."""
BARS: Final = 22
"""Bars of the day and of the last finished minute as they came, for `details.find_bar`."""

MODES: Final = ("ltpc", "full", "option_greeks", "full_d30")
"""Modes as requests name them, in the order of the broker's numbers."""


@dataclass(frozen=True, slots=True)
class SegmentPhase:
    """The broker's word about a session of a segment (open-ended text), and since when (epoch milliseconds)."""

    status: str
    updated_ms: int


@dataclass(frozen=True, slots=True)
class MarketInfo:
    """The state of the segments: the first message of a connection, and again when one changes."""

    segments: Mapping[str, str]
    """`NSE_EQ` -> `NORMAL_OPEN`; a number the desk does not know comes as its digits."""
    closing_auction: Mapping[str, SegmentPhase] = field(default_factory=dict)
    pre_open: Mapping[str, SegmentPhase] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of the feed."""

    at_ms: int
    """The broker's time of sending (`currentTs`), epoch milliseconds; 0: not told."""
    feeds: list[FeedRow]
    """A key is there once, in no particular order."""
    market: MarketInfo | None
    skipped: int = 0
    """Feeds left out: of a kind unknown to the desk, or with a last price, previous close or time that cannot be."""

"""Frames encoded beforehand, for load: round after round the same rows, with new values stamped into their bytes.

What changes has a fixed width on the wire (doubles, and integers whose varints keep their length), so a stamp is a copy
of a few bytes, and a generator costs next to nothing beside the client that it feeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from services.paper.feed.encoding import RowEncoder, frame
from services.paper.feed.requests import Mode
from services.paper.model import Snapshot

FIRST_COUNT = 1 << 28
"""The counter of the snapshot. From here to 2**35 a varint has five bytes: room for any number of rounds."""

# What stands where something is stamped: values that nothing else in a row has.
_COUNT_MARK = FIRST_COUNT + 0x5A5A5A5
_TIME_MARK = 1_795_153_504_010  # until the year 2109 the varint of epoch ms has six bytes, as this one has
_PRICE_MARK = 987_654.321
_SENT_MARK = 123_456_789

_WALK = np.concatenate([np.arange(16), np.arange(16, -16, -1), np.arange(-16, 0)]) / 16_000
"""Prices go up, down and back by a thousandth, a step each round."""


class Reel:
    """One round of a mode: every key once, `per_frame` of them in a frame. In each row

    * `vtt` (`ltq` in ltpc) counts: `FIRST_COUNT` and the number of the round, for every key the same;
    * `ltt` is the instant of sending, as `currentTs` of the frame is;
    * `tbq` (`oi` in option_greeks, `cp` in ltpc) is the sender's `time.monotonic()`, in seconds;
    * the price moves, and nothing else does.
    """

    def __init__(self, snaps: Sequence[Snapshot], mode: Mode, per_frame: int) -> None:
        """`snaps`: what the rows are made of. Their keys are different, and none is an index, which has no counter."""
        encoder = RowEncoder()
        self.keys = [snap.listing.key for snap in snaps]
        self._rows = [encoder.row(_marked(snap, mode), mode) for snap in snaps]
        self._prices = [snap.ltp for snap in snaps]
        self._frames = [
            self._made(range(start, min(start + per_frame, len(snaps)))) for start in range(0, len(snaps), per_frame)
        ]

    def __len__(self) -> int:
        """Frames in a round."""
        return len(self._frames)

    def rows_in(self, place: int) -> int:
        """How many rows the frame at `place` of a round has."""
        return self._frames[place].rows

    def frame(self, place: int, turn: int, at_ms: int, monotonic: float) -> bytes:
        """The frame at `place` of the round number `turn` (from 1)."""
        return self._frames[place].stamped(turn, at_ms, monotonic)

    def snapshot(self, rows: Sequence[int], at_ms: int, monotonic: float) -> bytes:
        """A frame of some rows (their places among `keys`) as they stand before the first round."""
        return self._made(rows).stamped(0, at_ms, monotonic)

    def _made(self, rows: Sequence[int]) -> _Stamped:
        return _Stamped([self._rows[at] for at in rows], [self._prices[at] for at in rows])


class _Stamped:
    """The bytes of one frame, and where they are stamped."""

    def __init__(self, rows: Sequence[bytes], prices: Sequence[float]) -> None:
        whole = frame(rows, _TIME_MARK)
        self.rows = len(rows)
        self._bytes = np.frombuffer(whole, dtype=np.uint8).copy()
        self._counts = _places(whole, _varint(_COUNT_MARK))
        self._times = _places(whole, _varint(_TIME_MARK))
        self._sent = _places(whole, _double(_SENT_MARK))
        self._priced = _places(whole, _double(_PRICE_MARK))
        self._usual = np.repeat(prices, len(self._priced) // max(len(rows), 1))

    def stamped(self, turn: int, at_ms: int, monotonic: float) -> bytes:
        told = self._bytes
        told[self._counts] = np.frombuffer(_varint(FIRST_COUNT + turn), dtype=np.uint8)
        told[self._times] = np.frombuffer(_varint(at_ms), dtype=np.uint8)
        told[self._sent] = np.frombuffer(_double(monotonic), dtype=np.uint8)
        prices = np.round(self._usual * (1 + _WALK[turn % len(_WALK)]), 2)
        told[self._priced] = prices.view(np.uint8).reshape(-1, 8)
        return told.tobytes()


def _marked(snap: Snapshot, mode: Mode) -> Snapshot:
    marked = replace(snap, ltp=_PRICE_MARK, last_trade_ms=_TIME_MARK)
    if mode is Mode.LTPC:
        return replace(marked, last_quantity=_COUNT_MARK, prev_close=_SENT_MARK)
    if mode is Mode.OPTION_GREEKS:
        return replace(marked, volume=_COUNT_MARK, oi=_SENT_MARK)
    return replace(marked, volume=_COUNT_MARK, total_buy_quantity=_SENT_MARK)


def _places(whole: bytes, mark: bytes) -> NDArray[np.int64]:
    """(n, length of the mark): the index of each byte of each occurrence."""
    found, at = [], whole.find(mark)
    while at >= 0:
        found.append(at)
        at = whole.find(mark, at + len(mark))
    return np.array(found, dtype=np.int64).reshape(-1, 1) + np.arange(len(mark))


def _double(value: float) -> bytes:
    return np.float64(value).tobytes()


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)

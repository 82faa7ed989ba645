"""The latest of every subscribed instrument, as numbers in one block of memory.

One thread writes (the feed's), any number read. A row is written by one `struct` call, because setting the members of
an array one by one costs many times as much; readers copy the rows they want in one step, and everything else they do
with them happens to their copy. Depth, greeks and bars are kept as the bytes they came as (see
`services.wire.feed.details`) and are read from a snapshot, a few times a second, instead of from every tick.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterable, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from services.feed.snapshot import NO_COUNT, NO_KIND, ROW, Snapshot
from services.wire.feed.rows import FIRST_LEVEL, IEP, KEY, KIND, LTP, LTPC_ONLY, LTQ, LTT_MS, MARKET, PREV_CLOSE, Frame

_HEAD = struct.Struct("<qqqiidqqdd")
"""The first columns of `ROW`, which every kind of feed has; below, those of `option_greeks` and all of them."""
_WITH_GREEKS = struct.Struct("<qqqiidqqddqdd")
_ALL = struct.Struct("<qqqiidqqddqdddddddqqqq")
_NAN = float("nan")
_BLANK = _ALL.pack(
    0, 0, 0, NO_KIND, 0, _NAN, NO_COUNT, NO_COUNT, _NAN, _NAN, NO_COUNT, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN,
    NO_COUNT, NO_COUNT, NO_COUNT, NO_COUNT,
)  # fmt: skip
_SIZE = len(_BLANK)
_NOBODY = 0
"""The slot of every key that has none: always blank."""


class Board:
    """A slot per subscribed key. `hold` and `release` give and take slots; rows of other keys are not kept.

    Threads: `apply` belongs to one thread; everything may be called from any. One short lock guards the block and the
    slots; it is held for arithmetic and copying only, so a reader sees whole frames, and nobody waits for a network.
    """

    def __init__(self, capacity: int = 512) -> None:
        self._guard = threading.Lock()
        self._slots: dict[str, int] = {}
        self._free: list[int] = []
        self._version = 0
        self._keys: list[str] = []
        self._kinds: list[int] = []
        self._depth: list[bytes | None] = []
        self._greeks: list[bytes | None] = []
        self._bars: list[bytes | None] = []
        self._block = bytearray()
        self._make_room(max(capacity, 1) + 1)

    # -- who has a slot ------------------------------------------------------------------------------------------------

    def hold(self, keys: Iterable[str]) -> None:
        """Give each of `keys` a slot, unless it has one. Its row is blank until the first frame."""
        with self._guard:
            for key in keys:
                if key not in self._slots:
                    self._slots[key] = self._new_slot(key)

    def release(self, keys: Iterable[str]) -> None:
        """Forget `keys`; their slots go to others. A frame that still holds one of them is passed over."""
        with self._guard:
            for key in keys:
                if (slot := self._slots.pop(key, None)) is not None:
                    self._blank(slot, "")
                    self._free.append(slot)

    def keys(self) -> list[str]:
        """Every key that has a slot."""
        with self._guard:
            return list(self._slots)

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, key: object) -> bool:
        return key in self._slots

    # -- writing -------------------------------------------------------------------------------------------------------

    def apply(self, frame: Frame, received_ns: int) -> None:
        """Take over what `frame` says. `received_ns` on any clock, as long as readers know which."""
        get, kinds, at_ms = self._slots.get, self._kinds, frame.at_ms
        head, with_greeks, everything = _HEAD.pack_into, _WITH_GREEKS.pack_into, _ALL.pack_into
        with self._guard:
            block = self._block
            version = self._version + 1
            for row in frame.feeds:
                slot = get(row[KEY])
                if slot is None:  # a few after every release
                    continue
                if kinds[slot] != (kind := row[KIND]):  # what only the other mode told would grow old unseen
                    self._blank(slot, row[KEY])
                    kinds[slot] = kind
                iep = row[IEP]
                if iep is None:
                    iep = _NAN  # absent: no auction now
                if kind == LTPC_ONLY:
                    head(
                        block, slot * _SIZE, version, received_ns, at_ms, LTPC_ONLY, 0, row[LTP], row[LTT_MS],
                        row[LTQ], row[PREV_CLOSE], iep,
                    )  # fmt: skip
                    continue
                (
                    _, _, mode, ltp, ltt_ms, ltq, prev_close, _, volume, oi, iv, atp, buys, sells,
                    auction_price, reference_price, auction_quantity, imbalance, market_imbalance, cas_eligible,
                    depth, greeks, bars,
                ) = row  # fmt: skip
                if kind == MARKET:
                    everything(
                        block, slot * _SIZE, version, received_ns, at_ms, MARKET, mode, ltp, ltt_ms, ltq, prev_close,
                        iep, volume, oi, iv, atp, buys, sells, auction_price, reference_price, auction_quantity,
                        imbalance, market_imbalance, cas_eligible,
                    )  # fmt: skip
                elif kind == FIRST_LEVEL:
                    with_greeks(
                        block, slot * _SIZE, version, received_ns, at_ms, FIRST_LEVEL, mode, ltp, ltt_ms, ltq,
                        prev_close, iep, volume, oi, iv,
                    )  # fmt: skip
                else:
                    head(
                        block, slot * _SIZE, version, received_ns, at_ms, kind, mode, ltp, ltt_ms, ltq, prev_close, iep
                    )
                if depth is not None:
                    self._depth[slot] = depth
                if greeks is not None:
                    self._greeks[slot] = greeks
                if bars is not None:
                    self._bars[slot] = bars
            self._version = version

    # -- reading -------------------------------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """Counts the frames applied. Rows carry the version that wrote them."""
        return self._version

    def snapshot(self, keys: Sequence[str]) -> Snapshot:
        """The rows of `keys` in that order, of one moment. Keys without a slot, or without a frame, are blank."""
        with self._guard:
            return self._taken(list(map(self._slots.get, keys, repeat(_NOBODY))), list(keys))

    def changed_since(self, version: int) -> tuple[int, list[str]]:
        """The keys whose rows were written after `version`, and the version to ask with next time."""
        with self._guard:
            slots: list[int] = np.flatnonzero(self._rows["version"] > version).tolist()
            return self._version, [self._keys[slot] for slot in slots]

    # -- behind the lock -----------------------------------------------------------------------------------------------

    def _taken(self, slots: list[int], keys: list[str]) -> Snapshot:
        depth, greeks, bars = self._depth, self._greeks, self._bars
        return Snapshot(
            version=self._version,
            keys=keys,
            rows=self._rows.take(np.array(slots, dtype=np.intp)),  # a thirtieth of the time that [slots] takes here
            raw_depth=[depth[slot] for slot in slots],
            raw_greeks=[greeks[slot] for slot in slots],
            raw_bars=[bars[slot] for slot in slots],
        )

    def _new_slot(self, key: str) -> int:
        if not self._free:
            self._make_room(len(self._keys))
        slot = self._free.pop()
        self._keys[slot] = key
        return slot

    def _blank(self, slot: int, key: str) -> None:
        self._block[slot * _SIZE : (slot + 1) * _SIZE] = _BLANK
        self._keys[slot] = key
        self._kinds[slot] = NO_KIND
        self._depth[slot] = self._greeks[slot] = self._bars[slot] = None

    def _make_room(self, more: int) -> None:
        """Blank slots behind the others. The block moves: a view of memory cannot grow."""
        used = len(self._keys)
        self._block = self._block + _BLANK * more
        self._rows: NDArray[np.void] = np.frombuffer(self._block, dtype=ROW)
        self._keys += [""] * more
        self._kinds += [NO_KIND] * more
        for details in (self._depth, self._greeks, self._bars):
            details += [None] * more
        self._free += range(used + more - 1, max(used, _NOBODY + 1) - 1, -1)  # the lowest is taken first

"""The minute grid of one session: instruments as rows of arrays, and prices at any second worked out from them.

Rows are added when they are first asked for. Only what cannot be had faster anew is kept: minute edges, the high and
low of finished minutes, volumes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from services.paper.hours import Session
from services.paper.simulator.rows import FAR, OI_MINUTES, Row, Track
from services.paper.simulator.texture import SECONDS, SHAPES, Texture

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_CELLS = 3_200_000
"""Rows times minutes that a board can hold, some 70 MB when all of it is used."""
_BLOCK = 30
"""Minutes whose highs and lows are worked out at once while a day runs."""
_BATCH = 64
"""Rows that are taken in and worked out at once: what one core's cache holds."""


@dataclass(frozen=True, slots=True)
class Moment:
    """`n` rows at one second. Prices in ticks."""

    rows: Ints
    lot: Ints
    walls: Ints
    """(n, 2): circuit limits."""
    minute: Ints
    """The running minute of each row (its last one after the close)."""
    second: Ints
    opened: Ints
    high: Ints
    low: Ints
    last: Ints
    minute_open: Ints
    minute_high: Ints
    minute_low: Ints
    minute_volume: Ints
    volume: Ints
    turnover: Floats
    """Ticks times quantity, so far."""
    traded_second: Ints
    interest: Floats
    interest_high: Floats
    interest_low: Floats
    before: tuple[Ints, Ints, Ints, Ints, Ints, Floats]
    """Open, high, low, close, volume and open interest of the minute before; meaningless where `minute` is 0."""


class Board:
    """One session's rows. Not safe for several threads by itself: the market holds a lock around every use."""

    def __init__(self, session: Session, texture: Texture, *, room: int | None = None, block: int = _BLOCK) -> None:
        """`room`: how many rows at most; `block`: minutes whose highs and lows are worked out at once."""
        self.session = session
        self.rows: list[Row] = []
        self._texture = texture
        self._index: dict[str, int] = {}
        self._filled = 0
        self._tail: tuple[int, Floats] | None = None
        # pages of a fresh array cost nothing until they are written, so there is no need to grow
        minutes = session.minutes
        room = MOST_CELLS // minutes if room is None else room
        self.room = room
        self._block = block
        self._grid = np.zeros((room, minutes + 1), dtype=np.float32)
        self._noise = np.zeros((room, minutes), dtype=np.float16)
        self._shape = np.zeros((room, minutes), dtype=np.uint16)
        self._high = np.zeros((room, minutes), dtype=np.int32)
        self._low = np.zeros((room, minutes), dtype=np.int32)
        self._volume = np.zeros((room, minutes), dtype=np.int32)
        self._interest = np.zeros((room, (minutes - 1) // OI_MINUTES + 1))
        self._hold = np.zeros(room, dtype=np.int64)
        self._lot = np.zeros(room, dtype=np.int64)
        self._mark = np.zeros(room, dtype=np.int64)
        self._limits = np.zeros((room, 2), dtype=np.int64)
        self._walls = np.zeros((room, 2), dtype=np.int64)
        self._ends = np.zeros(room, dtype=np.int64)
        self._rest = np.full((room, 2), FAR)
        self._last_second = np.full(room, FAR)
        self._knot_slot = np.full(room, -1)
        self._knots = np.zeros((0, minutes, 4), dtype=np.float32)

    def __contains__(self, key: str) -> bool:
        return key in self._index

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, rows: Iterable[tuple[Row, Track]]) -> None:
        """Take in new rows."""
        first = len(self.rows)
        for part in _batched(rows, _BATCH):
            self._take_in(part)
        fresh = np.arange(first, len(self.rows))
        for start in range(0, self._filled, self._block):
            self._fill(fresh, start)
        self._tail = None

    def _take_in(self, rows: Sequence[tuple[Row, Track]]) -> None:
        first = len(self.rows)
        for at, (row, track) in enumerate(rows, first):
            self._index[row.spec.key] = at
            self._grid[at] = track.grid
            self._noise[at] = track.noise
            self._shape[at] = track.shape
            self._volume[at] = track.volume
            self._interest[at] = track.interest
            self._hold[at] = row.hold
            self._lot[at] = row.spec.lot
            self._mark[at] = row.mark
            self._limits[at] = row.limits
            self._walls[at] = row.walls
            self._ends[at] = row.end_minute
            self._rest[at] = row.rest
            self._last_second[at] = row.last_second
            self.rows.append(row)
        knots = [(at, track.knots) for at, (_, track) in enumerate(rows, first) if track.knots is not None]
        if knots:
            self._knot_slot[[at for at, _ in knots]] = np.arange(len(knots)) + len(self._knots)
            self._knots = np.concatenate([self._knots, np.array([k for _, k in knots], dtype=np.float32)])

    def moment(self, keys: Sequence[str], second: int) -> Moment:
        """The rows of `keys` (all known) at `second` of the session."""
        rows = np.array([self._index[key] for key in keys], dtype=np.int64)
        now = np.minimum(second, self._ends[rows] * SECONDS - 1)
        minute, second_of = now // SECONDS, now % SECONDS
        self._fill_to(int(minute.max(initial=0)) + 1)
        tail = self._tail_at(second // SECONDS)[:, rows]
        path = self._whole(rows, self._path(rows, minute[:, None])[:, 0])
        every = np.arange(rows.size)
        passed = np.arange(SECONDS) <= second_of[:, None]
        minute_high = np.where(passed, path, -1).max(axis=1)
        minute_low = np.where(passed, path, np.iinfo(np.int32).max).min(axis=1)
        last = path[every, second_of]
        share = self._texture.volume_share[(self._shape[rows, minute] + self._mark[rows]) % SHAPES, second_of]
        printed = self._last_second[rows]
        share = np.where(minute == printed // SECONDS, now >= printed, share)
        lot = self._lot[rows]
        minute_volume = np.floor(share * self._volume[rows, minute] / lot).astype(np.int64) * lot
        interest = self._interest[rows]
        step = minute // OI_MINUTES
        so_far = np.arange(interest.shape[1]) <= step[:, None]
        before = np.maximum(minute - 1, 0)
        return Moment(
            rows=rows,
            lot=lot,
            walls=self._walls[rows],
            minute=minute,
            second=second_of,
            opened=np.rint(self._grid[rows, 0]).astype(np.int64),
            high=np.maximum(tail[0].astype(np.int64), minute_high),
            low=np.minimum(tail[1].astype(np.int64), minute_low),
            last=last,
            minute_open=path[:, 0],
            minute_high=minute_high,
            minute_low=minute_low,
            minute_volume=minute_volume,
            volume=tail[2].astype(np.int64) + minute_volume,
            turnover=tail[3] + minute_volume * (minute_high + minute_low) / 2,
            traded_second=self._traded_second(rows, now),
            interest=interest[every, step],
            interest_high=np.where(so_far, interest, 0.0).max(axis=1),
            interest_low=np.where(so_far, interest, np.inf).min(axis=1),
            before=(
                np.rint(self._edge(rows, before, 0)).astype(np.int64),
                self._high[rows, before].astype(np.int64),
                self._low[rows, before].astype(np.int64),
                np.rint(self._edge(rows, before, -1)).astype(np.int64),
                self._volume[rows, before].astype(np.int64),
                interest[every, before // OI_MINUTES],
            ),
        )

    def minutes(self, key: str, second: int) -> tuple[Row, Moment, NDArray[np.int64]]:
        """The row of `key`, its moment, and its finished minutes as an array (n, 6): open, high, low, close (ticks),
        volume, open interest."""
        moment = self.moment([key], second)
        row = int(moment.rows[0])
        return self.rows[row], moment, self._finished(row, int(moment.minute[0]))

    def whole_day(self, key: str) -> tuple[Row, NDArray[np.int64]]:
        """The row of `key`, and all its minutes as in `minutes`."""
        row = self._index[key]
        self._fill_to(self.session.minutes)
        return self.rows[row], self._finished(row, self.rows[row].end_minute)

    def _finished(self, row: int, count: int) -> NDArray[np.int64]:
        at = np.full(count, row), np.arange(count)
        columns = (
            np.rint(self._edge(*at, 0)),
            self._high[row, :count],
            self._low[row, :count],
            np.rint(self._edge(*at, -1)),
            self._volume[row, :count],
            self._interest[row, np.arange(count) // OI_MINUTES],
        )
        return np.column_stack(columns).astype(np.int64)

    def _traded_second(self, rows: Ints, now: Ints) -> Ints:
        """The second of the last trade at the second `now` of each row."""
        usual = now // SECONDS * SECONDS + self._texture.traded_second[self._hold[rows], now % SECONDS]
        stops, resumes = self._rest[rows].T
        usual = np.where((usual >= stops) & (usual < resumes), stops - 1, usual)
        printed = self._last_second[rows]
        found: Ints = np.where(now >= printed, printed, usual)
        return found

    def _edge(self, rows: Ints, minutes: Ints, end: int) -> NDArray[np.float32]:
        """First or last price (ticks, before rounding) of each minute."""
        found = self._grid[rows, minutes - end]
        knotted = self._knot_slot[rows] >= 0
        if knotted.any():
            found[knotted] = self._knots[self._knot_slot[rows[knotted]], minutes[knotted], end]
        return found

    def _path(self, rows: Ints, minutes: Ints) -> NDArray[np.float32]:
        """Prices in ticks, before rounding, (rows, minutes, 60), second by second; `minutes` is (rows, m) or (1, m)."""
        at = rows[:, None]
        shape = self._hold[at] * SHAPES + self._shape[at, minutes]
        start = self._grid[at, minutes]
        path: NDArray[np.float32] = self._texture.wave[shape]
        path *= self._noise[at, minutes].astype(np.float32)[..., None]
        path += self._texture.bounce[shape]
        path += (self._grid[at, minutes + 1] - start)[..., None] * self._texture.progress[self._hold[rows]][:, None, :]
        path += start[..., None]
        slots = self._knot_slot[rows]
        knotted = np.flatnonzero(slots >= 0)
        if knotted.size:
            wanted = np.broadcast_to(minutes, (rows.size, minutes.shape[1]))[knotted]
            knots = self._knots[slots[knotted][:, None], wanted]
            legs = self._texture.knots[self._shape[rows[knotted][:, None], wanted]]
            path[knotted] = np.einsum("rmk,rmks->rms", knots, legs)
        self._print(path, rows, np.broadcast_to(minutes, path.shape[:2]))
        return path

    def _print(self, path: NDArray[np.float32], rows: Ints, minutes: Ints) -> None:
        """Let the minute in which an auction's result is out jump, instead of going from one price to the other."""
        printed = self._last_second[rows]
        row, at = np.nonzero(minutes == (printed // SECONDS)[:, None])
        if row.size:
            grid, minute = self._grid[rows[row]], minutes[row, at]
            every = np.arange(row.size)
            out = np.arange(SECONDS) >= (printed[row] % SECONDS)[:, None]
            path[row, at] = np.where(out, grid[every, minute + 1][:, None], grid[every, minute][:, None])

    def _whole(self, rows: Ints, prices: NDArray[np.float32]) -> Ints:
        """Prices (rows, ...) in whole ticks within their limits. Monotone, so it may come before or after a maximum."""
        limits = self._limits[rows]
        ends = (slice(None), *(None,) * (prices.ndim - 1))
        ticks: Ints = np.clip(np.rint(prices).astype(np.int64), limits[:, 0][ends], limits[:, 1][ends])
        return ticks

    def _fill_to(self, minute: int) -> None:
        every = np.arange(len(self.rows))
        while self._filled < minute:
            self._fill(every, self._filled)
            self._filled += self._block

    def _fill(self, rows: Ints, start: int) -> None:
        stop = min(start + self._block, self.session.minutes)
        if not rows.size or start >= stop:
            return
        for part in np.array_split(rows, rows.size // _BATCH + 1):
            path = self._path(part, np.arange(start, stop)[None, :])
            self._high[part, start:stop] = self._whole(part, path.max(axis=2))
            self._low[part, start:stop] = self._whole(part, path.min(axis=2))

    def _tail_at(self, minute: int) -> Floats:
        """High, low, volume and turnover (4, rows) of all minutes before `minute`, but for each row's last one: that
        one always counts as running."""
        known = self._tail
        if known is not None and known[0] == minute:
            return known[1]
        if known is not None and known[0] < minute:
            start, tail = known[0], known[1].copy()
        else:
            start, tail = 0, np.zeros((4, len(self.rows)))
            tail[0], tail[1] = -1, np.iinfo(np.int32).max
        count = len(self.rows)
        for first in range(start, min(minute, self.session.minutes), 60):
            part = slice(first, min(first + 60, minute, self.session.minutes))
            over = np.arange(part.start, part.stop)[None, :] >= self._ends[:count, None] - 1
            high, low = self._high[:count, part], self._low[:count, part]
            volume = np.where(over, 0, self._volume[:count, part])
            tail[0] = np.maximum(tail[0], np.where(over, -1, high).max(axis=1))
            tail[1] = np.minimum(tail[1], np.where(over, np.iinfo(np.int32).max, low).min(axis=1))
            tail[2] += volume.sum(axis=1)
            tail[3] += (volume * ((high.astype(np.float64) + low) / 2)).sum(axis=1)
        self._tail = minute, tail
        return tail


def _batched(items: Iterable[tuple[Row, Track]], size: int) -> Iterator[list[tuple[Row, Track]]]:
    """`items` in lists of `size`."""
    remaining = iter(items)
    while part := list(islice(remaining, size)):
        yield part

"""Candles: arrays of arrays, newest first on the wire, oldest first here.

`decode_candles` reads an answer as the API documents it, straight into columns: typed on the way, 7,500 bars in 3 ms.
Whatever else comes is read by `parse_candles`, which says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from services.domain.clock import epoch_ms
from services.domain.errors import MalformedPayload
from services.wire.candle_columns import CandleColumns, Counts, columns_of, in_order, no_candles
from services.wire.fields import as_list, as_map, is_number, iso_instant, malformed

_OFFSET = np.frombuffer(b"+05:30", np.uint8)
_OFFSET_MS = 19_800_000
_STAMP = 25
"""Length of `2026-11-20T09:15:00+05:30`."""
_LARGEST = 2**53
"""Beyond it JSON numbers are not exact."""


class _Data(msgspec.Struct, gc=False):
    candles: list[tuple[str, float, float, float, float, int, int]]


class _Answer(msgspec.Struct, gc=False):
    status: str
    data: _Data


_DECODER = msgspec.json.Decoder(_Answer)


def decode_candles(body: bytes) -> CandleColumns:
    """The bars of a successful answer, as `parse_candles` would give them. Raises `MalformedPayload` without details
    for anything that is not exactly as documented."""
    try:
        answer = _DECODER.decode(body)
        if answer.status != "success":
            raise MalformedPayload("not a plain success", field="status")
        return _columns(answer.data.candles)
    except (msgspec.DecodeError, ValueError, OverflowError) as error:
        raise MalformedPayload("not a candle answer as the API documents it", field="data.candles") from error


def parse_candles(data: object) -> CandleColumns:
    """Bars oldest first, one per start; of two statements about one start the first, that is the newer, counts.

    `{"candles": []}` is an answer: nothing traded, or nothing yet. Bars that contradict themselves (high below low) are
    kept as they came: to judge them is the audit's matter. Raises `MalformedPayload`, which names the first wrong cell.
    """
    found = as_list(as_map(data, "data").get("candles"), "data.candles")
    rows = [_row(as_list(item, f"data.candles[{place}]"), f"data.candles[{place}]") for place, item in enumerate(found)]
    if not rows:
        return no_candles()
    return in_order(columns_of(list(zip(*rows, strict=True))))


def _columns(rows: Sequence[tuple[str, float, float, float, float, int, int]]) -> CandleColumns:
    if not rows:
        return no_candles()
    stamps, *others = zip(*reversed(rows), strict=True)
    columns = columns_of([_starts(stamps), *others])
    if not all(np.abs(cells).max() <= _LARGEST for cells in columns.as_tuple()[1:]):
        raise ValueError("a figure that is none")
    if (columns.start_ms[1:] > columns.start_ms[:-1]).all():
        return columns
    return in_order(columns.take(slice(None, None, -1)))  # as they came: the first statement about a start counts


def _starts(stamps: Sequence[str]) -> Counts:
    """Epoch milliseconds of `2026-11-20T09:15:00+05:30`, thousands of them in one step."""
    cells = np.frombuffer("".join(stamps).encode("ascii"), np.uint8)
    if cells.size != _STAMP * len(stamps):
        raise ValueError("a time stamp of another length")
    cells = cells.reshape(-1, _STAMP)
    if not (cells[:, 19:] == _OFFSET).all():
        raise ValueError("a time stamp of another zone")
    local = np.ascontiguousarray(cells[:, :19]).view("S19").reshape(-1).astype("M8[s]").astype(np.int64)
    if (local == np.iinfo(np.int64).min).any():
        raise ValueError("a time stamp that is none")
    return local * 1000 - _OFFSET_MS


def _row(row: list[object], where: str) -> tuple[int, float, float, float, float, int, int]:
    if len(row) < 6:
        malformed(where, "[time, open, high, low, close, volume, open interest]", row)
    start = epoch_ms(iso_instant(row[0], f"{where}[0]"))
    opened, high, low, close = (_number(row, place, where) for place in range(1, 5))
    oi = _whole(row, 6, where) if len(row) > 6 else 0
    return start, opened, high, low, close, _whole(row, 5, where), oi


def _number(row: list[object], place: int, where: str) -> float:
    value = row[place]
    if not is_number(value) or not isinstance(value, (int, float)) or not abs(value) <= _LARGEST:
        malformed(f"{where}[{place}]", "a number", value)
    return float(value)


def _whole(row: list[object], place: int, where: str) -> int:
    """Units. The broker leaves out, or sends null for, what an instrument does not have."""
    return 0 if row[place] is None else int(_number(row, place, where))

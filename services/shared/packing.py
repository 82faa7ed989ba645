"""A quote row as it travels between processes: its values in one fixed order, as MessagePack; a third of its JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from services.domain.errors import MalformedPayload
from services.domain.quote_row import Depth, QuoteRow
from services.domain.quotes import DepthLevel, DepthSide

SHAPE = "1"
"""Stands in the keys, so that a process of another version does not find rows that it would not understand."""


class _Side(msgspec.Struct, array_like=True, gc=False):
    """The levels of one side, read when somebody looks: 500 quotes hold 5,000 of them."""

    levels: msgspec.Raw

    def __iter__(self) -> Iterator[DepthLevel]:
        try:
            return iter([DepthLevel(*level) for level in _LEVELS.decode(self.levels)])
        except msgspec.DecodeError as error:
            raise MalformedPayload("a level of the depth cannot be read", field="depth") from error


class _Packed(msgspec.Struct, array_like=True, gc=False):
    """A `QuoteRow`, member by member."""

    instrument_key: str
    symbol: str
    ltp: float
    open: float | None
    high: float | None
    low: float | None
    prev_close: float | None
    change: float | None
    change_percent: float | None
    volume: int | None
    average_price: float | None
    oi: float | None
    oi_day_high: float | None
    oi_day_low: float | None
    previous_oi: float | None
    lower_circuit: float | None
    upper_circuit: float | None
    year_high: float | None
    year_low: float | None
    total_buy_quantity: int | None
    total_sell_quantity: int | None
    depth: tuple[_Side, _Side]
    last_trade_time: datetime | None
    exchange_time: datetime | None
    received_at: datetime
    source: str
    api_version: str


_NAMES = _Packed.__struct_fields__
_LEVELS = msgspec.msgpack.Decoder(list[tuple[float, int, int | None]])
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Packed)
_members = msgspec.structs.asdict


def pack(row: QuoteRow) -> bytes:
    """The row, whole. Raises `MalformedPayload` for a level of the depth that is none."""
    members: list[Any] = [row[name] if name != "depth" else _sides(row["depth"]) for name in _NAMES]  # Any: as in it
    return _ENCODER.encode(members)


def unpack(packed: bytes) -> QuoteRow:
    """The row as it was. Raises `msgspec.DecodeError` if it is none of ours."""
    one = _DECODER.decode(packed)
    buy, sell = one.depth
    one.depth = Depth({"buy": buy, "sell": sell})  # type: ignore[assignment]  # the quickest way to a dict of them all
    return QuoteRow(_members(one))


def _sides(depth: Depth) -> tuple[list[Any], ...]:
    """Levels are read here once, instead of by every process that looks."""
    return tuple([_levels(dict.__getitem__(depth, side))] for side in ("buy", "sell"))


def _levels(rows: Sequence[Any]) -> list[tuple[Any, ...]]:  # Any: levels as the wire made them, or as they were stored
    if rows and isinstance(rows[0], msgspec.Struct):  # checked when they were decoded, price, quantity and orders
        return [level for level in map(msgspec.structs.astuple, rows) if level[0] and level[1]]
    return [(level.price, level.quantity, level.orders) for level in DepthSide(rows)]

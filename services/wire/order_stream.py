"""What the portfolio stream tells, as the same values that REST is read into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.domain.gtt import GttOrder
from services.domain.orders import BookOrder
from services.domain.positions import Holding, Position
from services.wire.fields import text
from services.wire.gtt import parse_gtt
from services.wire.orders import parse_order
from services.wire.positions import parse_holding, parse_position


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    order: BookOrder


@dataclass(frozen=True, slots=True)
class PositionUpdate:
    """Without symbol and prices of the market, and with a segment where REST has an exchange."""

    position: Position


@dataclass(frozen=True, slots=True)
class HoldingUpdate:
    """Without prices."""

    holding: Holding


@dataclass(frozen=True, slots=True)
class GttUpdate:
    gtt: GttOrder


@dataclass(frozen=True, slots=True)
class OtherUpdate:
    """A kind that this desk does not know; to be ignored."""

    kind: str


StreamUpdate = OrderUpdate | PositionUpdate | HoldingUpdate | GttUpdate | OtherUpdate


def parse_update(update: Mapping[str, object]) -> StreamUpdate:
    """One update, told apart by its `update_type`. Raises `MalformedPayload` naming the member."""
    kind = text(update, "update_type", "update")
    if kind == "order":
        return OrderUpdate(parse_order(update, "order"))
    if kind == "position":
        return PositionUpdate(parse_position(update, "position"))
    if kind == "holding":
        return HoldingUpdate(parse_holding(update, "holding"))
    if kind == "gtt_order":
        return GttUpdate(parse_gtt(update, "gtt_order"))
    return OtherUpdate(kind)

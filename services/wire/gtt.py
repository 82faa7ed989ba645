"""Waiting orders: what is asked for, and what the broker tells of them."""

from __future__ import annotations

from services.domain.errors import MalformedPayload
from services.domain.gtt import GttLegState, GttOrder
from services.domain.orders import ZERO
from services.wire.fields import (
    Row,
    any_epoch_or_none,
    as_list,
    as_map,
    decimal_or_blank,
    id_or_none,
    id_text,
    rows_of,
    text,
    text_or_none,
)
from services.wire.orders import key_of, side_of, symbol_of, whole


def parse_gtt_ids(data: object) -> tuple[str, ...]:
    """The ids that a placement, modification or cancellation names."""
    listed = as_list(as_map(data, "data").get("gtt_order_ids"), "data.gtt_order_ids")
    ids = tuple(id_text({"gtt_order_ids": one}, "gtt_order_ids", "data") for one in listed)
    if not ids:
        raise MalformedPayload("the broker accepts the waiting order and names no id", field="data.gtt_order_ids")
    return ids


def parse_gtts(data: object) -> list[GttOrder]:
    """All waiting orders, or the one that was asked for."""
    return [parse_gtt(row, where) for row, where in rows_of(data)]


def parse_gtt(row: Row, where: str = "data") -> GttOrder:
    """One waiting order. Its `exchange` is a segment."""
    rules = as_list(row.get("rules"), f"{where}.rules")
    return GttOrder(
        gtt_id=id_text(row, "gtt_order_id", where),
        kind=text_or_none(row, "type", where) or "",
        key=key_of(row, where),
        quantity=whole(row, "quantity", where),
        product=text_or_none(row, "product", where) or "",
        legs=tuple(
            _leg(as_map(rule, f"{where}.rules[{place}]"), f"{where}.rules[{place}]") for place, rule in enumerate(rules)
        ),
        symbol=symbol_of(row, where),
        segment=text_or_none(row, "exchange", where) or "",
        created_at=any_epoch_or_none(row, "created_at", where),
        expires_at=any_epoch_or_none(row, "expires_at", where),
    )


def _leg(row: Row, where: str) -> GttLegState:
    return GttLegState(
        strategy=text(row, "strategy", where).upper(),
        status=text(row, "status", where).upper(),
        trigger_type=(text_or_none(row, "trigger_type", where) or "").upper(),
        trigger_price=decimal_or_blank(row, "trigger_price", where) or ZERO,
        side=side_of(row, where) if row.get("transaction_type") else None,
        message=text_or_none(row, "message", where) or "",
        order_id=id_or_none(row, "order_id", where),
        trailing_gap=decimal_or_blank(row, "trailing_gap", where) or None,
    )

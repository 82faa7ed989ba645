"""The bodies of everything that is sent about orders, in the broker's spelling. Prices become numbers here, not before.

A MARKET or SL-M order has the price 0 and always says its market protection (0 or nothing is refused); the trigger is 0
where there is none. v2 knows neither protection nor slicing when an order is placed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from services.domain.errors import InvalidRequest
from services.domain.gtt import GttLeg, GttRequest
from services.domain.margins import MAX_MARGIN_LINES, MarginLine
from services.domain.orders import MAX_TAG, PLACEABLE, OrderRequest, Product, Side

MAX_CORRELATION_ID = 20
MAX_MULTI_PLACE = 10
_ORDER_ID = re.compile(r"[-A-Za-z0-9]{1,64}")
_GTT_ID = re.compile(r"GTT-[-A-Za-z0-9]{1,64}")

Body = dict[str, object]


def place_body(request: OrderRequest, tag: str, *, version: str = "v3") -> Body:
    """One order, with the tag by which it is found again."""
    body: Body = {
        "quantity": request.quantity,
        "product": request.product.value,
        "validity": request.validity.value,
        "price": _number(request.price),
        "tag": checked_tag(tag),
        "instrument_token": request.key,
        "order_type": request.order_type.value,
        "transaction_type": request.side.value,
        "disclosed_quantity": request.disclosed_quantity,
        "trigger_price": _number(request.trigger_price),
        "is_amo": request.amo,
    }
    if version != "v2":
        body["slice"] = request.slice
        if request.market_protection is not None:
            body["market_protection"] = _number(request.market_protection)
    return body


def modify_body(order_id: str, whole: OrderRequest) -> Body:
    """All of the order as it shall be; `quantity` is the new total. Both versions take the same."""
    body: Body = {
        "order_id": checked_order_id(order_id),
        "quantity": whole.quantity,
        "validity": whole.validity.value,
        "price": _number(whole.price),
        "order_type": whole.order_type.value,
        "disclosed_quantity": whole.disclosed_quantity,
        "trigger_price": _number(whole.trigger_price),
    }
    if whole.market_protection is not None:
        body["market_protection"] = _number(whole.market_protection)
    return body


def multi_place_body(lines: Sequence[tuple[str, OrderRequest, str]]) -> list[Body]:
    """At most ten orders at once, each `(correlation id, order, tag)`."""
    if not 1 <= len(lines) <= MAX_MULTI_PLACE:
        raise InvalidRequest(f"{len(lines)} orders in one call: 1 to {MAX_MULTI_PLACE}")
    names = [name for name, _, _ in lines]
    if len(set(names)) != len(names):
        raise InvalidRequest("two lines of one call have the same correlation id")
    for name in names:
        if not name or len(name) > MAX_CORRELATION_ID or not name.isascii() or not name.isprintable():
            raise InvalidRequest(f"a correlation id has 1 to {MAX_CORRELATION_ID} characters")
    return [{**place_body(request, tag), "correlation_id": name} for name, request, tag in lines]


def convert_body(key: str, side: Side, quantity: int, old: Product, new: Product) -> Body:
    """`side` is that of the position."""
    if old is new:
        raise InvalidRequest("the position has that product already")
    if old not in PLACEABLE or new not in PLACEABLE:
        raise InvalidRequest("a position is converted between I (intraday), D (delivery, carry forward) and MTF")
    if quantity < 1:
        raise InvalidRequest("the quantity is a whole number of at least 1")
    return {
        "instrument_token": key,
        "new_product": new.value,
        "old_product": old.value,
        "transaction_type": side.value,
        "quantity": quantity,
    }


def gtt_place_body(request: GttRequest) -> Body:
    return {
        "type": request.kind,
        "quantity": request.quantity,
        "product": request.product.value,
        "instrument_token": request.key,
        "transaction_type": request.side.value,
        "rules": _rules(request.legs),
    }


def gtt_modify_body(gtt_id: str, request: GttRequest) -> Body:
    """Instrument, side and product stay what they are: they are not sent."""
    return {
        "type": request.kind,
        "quantity": request.quantity,
        "gtt_order_id": checked_gtt_id(gtt_id),
        "rules": _rules(request.legs),
    }


def gtt_cancel_body(gtt_id: str) -> Body:
    return {"gtt_order_id": checked_gtt_id(gtt_id)}


def margin_body(lines: Sequence[MarginLine]) -> Body:
    """At most twenty lines. Without a price the broker takes the market's."""
    if not 1 <= len(lines) <= MAX_MARGIN_LINES:
        raise InvalidRequest(f"margin of {len(lines)} orders: 1 to {MAX_MARGIN_LINES} in one call")
    return {"instruments": [_margin_line(line) for line in lines]}


def checked_tag(tag: str) -> str:
    if not tag or len(tag) > MAX_TAG or not tag.isascii() or not tag.isprintable():
        raise InvalidRequest(f"a tag has 1 to {MAX_TAG} characters")
    return tag


def checked_order_id(order_id: str) -> str:
    if not _ORDER_ID.fullmatch(order_id):
        raise InvalidRequest(f"{order_id[:40]!r} is not the number of an order")
    return order_id


def checked_gtt_id(gtt_id: str) -> str:
    if not _GTT_ID.fullmatch(gtt_id):
        raise InvalidRequest(f"{gtt_id[:40]!r} is not the number of a waiting order (GTT-…)")
    return gtt_id


def _rules(legs: Iterable[GttLeg]) -> list[Body]:
    return [_rule(leg) for leg in legs]


def _rule(leg: GttLeg) -> Body:
    rule: Body = {
        "strategy": leg.strategy.value,
        "trigger_type": leg.trigger_type.value,
        "trigger_price": _number(leg.trigger_price),
    }
    if leg.trailing_gap is not None:
        rule["trailing_gap"] = _number(leg.trailing_gap)
    if leg.market_protection is not None:
        rule["market_protection"] = _number(leg.market_protection)
    return rule


def _margin_line(line: MarginLine) -> Body:
    body: Body = {
        "instrument_key": line.key,
        "quantity": line.quantity,
        "transaction_type": line.side.value,
        "product": line.product,
    }
    if line.price is not None:
        body["price"] = _number(line.price)
    return body


def _number(value: Decimal | None) -> float | int:
    """As JSON prints it: the shortest number that reads back as the same price; none is 0."""
    if value is None:
        return 0.0
    return int(value) if value == -1 else float(value)

"""Calls over many orders: what becomes of each line is told line by line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.domain.errors import BrokerError
from services.domain.orders import OrderType, Product
from services.paper.envelope import refusal
from services.paper.trading.order_values import Order, Wanted
from services.paper.trading.position_values import Position
from services.paper.trading.switches import check_segment
from services.paper.trading.values import LineResult
from services.paper.trading.work import Work

MOST_LINES = 10
"""Orders cancelled, or positions closed, by one call."""
Place = Callable[[Wanted], list[Order]]


def place_many(place: Place, lines: Sequence[tuple[str, Wanted | BrokerError]]) -> list[LineResult]:
    """Answered in the order given; what buys is placed before what sells."""
    found: dict[int, LineResult] = {}
    for at, (correlation_id, wanted) in sorted(enumerate(lines), key=lambda line: _sells(line[1][1])):
        if isinstance(wanted, BrokerError):
            found[at] = LineResult(error=wanted, correlation_id=correlation_id)
        else:
            found[at] = _placed(place, wanted, correlation_id)
    return [found[at] for at in range(len(lines))]


def cancel_many(work: Work, cancel: Callable[[Order], Order], segment: str, tag: str) -> list[LineResult]:
    """Cancel living orders; no segment or tag means any."""
    check_segment(segment)
    chosen = [order for order in work.live() if segment in {"", order.segment} and tag in {"", order.tag}]
    if not chosen:
        raise refusal("UDAPI1109")
    if len(chosen) > MOST_LINES:
        raise refusal("UDAPI1110")
    found = []
    for order in chosen:
        if cancel(order).alive:
            error = refusal("UDAPI100040", message="The exchange is matching: no order can be cancelled")
            found.append(LineResult(error=error, key=order.key, order_id=order.order_id))
        else:
            found.append(LineResult((order.order_id,), key=order.key, order_id=order.order_id))
    return found


def exit_all(
    work: Work, place: Place, in_hours: Callable[[Position], bool], segment: str, tag: str
) -> list[LineResult]:
    """Close positions at the market, short ones first."""
    check_segment(segment)
    chosen = [
        position
        for (_, product), position in work.positions.items()
        if position.quantity
        and not (position.segment.endswith("_EQ") and product == Product.DELIVERY)
        and segment in {"", position.segment}
        and (not tag or (position.tag == tag and product == Product.INTRADAY))
    ]
    if not chosen:
        raise refusal("UDAPI1111")
    if len(chosen) > MOST_LINES:
        raise refusal("UDAPI1112")
    if not any(in_hours(position) for position in chosen):
        raise refusal("UDAPI1113")
    found = []
    for position in sorted(chosen, key=lambda one: one.quantity > 0):
        if in_hours(position):
            found.append(_placed(place, closing(position, tag=tag)))
        else:
            found.append(LineResult(error=refusal("UDAPI1113"), key=position.key))
    return found


def closing(position: Position, *, tag: str = "", slices: bool = True) -> Wanted:
    """The market order that closes `position`."""
    return Wanted(
        key=position.key,
        buys=position.quantity < 0,
        quantity=abs(position.quantity),
        product=position.product,
        order_type=OrderType.MARKET.value,
        tag=tag,
        slices=slices,
    )


def _placed(place: Place, wanted: Wanted, correlation_id: str = "") -> LineResult:
    try:
        orders = place(wanted)
    except BrokerError as refused:
        return LineResult(error=refused, correlation_id=correlation_id, key=wanted.key)
    return LineResult(tuple(order.order_id for order in orders), correlation_id=correlation_id, key=wanted.key)


def _sells(wanted: Wanted | BrokerError) -> bool:
    return isinstance(wanted, Wanted) and not wanted.buys

"""Which step may follow which in the life of an order. Source: the meanings of the documented states and the published
sample of an order's history; a table of transitions was never published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from services.domain.orders import Status
from services.paper.trading.order_values import AFTER_HOURS, Order

_IN_THE_BOOK = frozenset({Status.OPEN, Status.TRIGGER_PENDING})
_LEAVING = frozenset({Status.CANCELLED, Status.CANCELLING, Status.MODIFY_VALIDATING})

FOLLOWS: Mapping[str, frozenset[Status]] = {
    Status.RECEIVED: frozenset({Status.VALIDATING}),
    Status.VALIDATING: frozenset({Status.OPENING, Status.REJECTED}),
    Status.OPENING: _IN_THE_BOOK | {Status.REJECTED},
    # An open order that stays open was filled in part.
    Status.OPEN: _LEAVING | {Status.OPEN, Status.COMPLETE},
    Status.TRIGGER_PENDING: _LEAVING | {Status.OPEN},
    Status.CANCELLING: frozenset({Status.CANCELLED, Status.NOT_CANCELLED}),
    Status.NOT_CANCELLED: _IN_THE_BOOK,
    Status.MODIFY_VALIDATING: frozenset({Status.MODIFYING, Status.NOT_MODIFIED}),
    Status.MODIFYING: frozenset({Status.MODIFIED, Status.NOT_MODIFIED}),
    Status.MODIFIED: _IN_THE_BOOK,
    Status.NOT_MODIFIED: _IN_THE_BOOK,
    Status.AMO_RECEIVED: frozenset({Status.AMO_MODIFIED, Status.AMO_CANCELLED, Status.RECEIVED}),
    Status.AMO_MODIFIED: frozenset({Status.AMO_MODIFIED, Status.AMO_CANCELLED, Status.RECEIVED}),
    Status.COMPLETE: frozenset(),
    Status.REJECTED: frozenset(),
    Status.CANCELLED: frozenset(),
    Status.AMO_CANCELLED: frozenset(),
}


def step(order: Order, status: Status, at_ms: int, **changed: object) -> Order:
    """`order` after its next step. A step that no order takes is a fault of ours."""
    assert status in FOLLOWS[order.status], f"{order.order_id}: {order.status} -> {status}"
    return replace(order, status=status.value, changed_ms=at_ms, **changed)  # type: ignore[arg-type]


def cancelled(order: Order, at_ms: int, why: str) -> Order:
    """`order` taken out by the exchange or the broker, without being asked to."""
    if order.status in AFTER_HOURS:
        return step(order, Status.AMO_CANCELLED, at_ms, message=why)
    return step(order, Status.CANCELLED, at_ms, message=why, exchange_ms=at_ms)

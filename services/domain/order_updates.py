"""What becomes of an order when something more is told of it: the one place where that is decided.

Book, details, history and stream tell the same order at different times; what they tell can repeat, arrive late or be
lost. Of what was true once, fills and modifications only ever rise, the exchange's time only moves on, and the steps
before the exchange are never taken twice; nothing else tells which of two messages is the newer one. So each of these
is kept at its highest, the rest goes with the newer message, and where nothing proves age the later arrival is right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from services.domain.orders import BookOrder, OrderType, Status, is_terminal

T = TypeVar("T")

_EARLY = {
    Status.AMO_RECEIVED: 0,
    Status.AMO_MODIFIED: 1,
    Status.RECEIVED: 2,
    Status.VALIDATING: 3,
    Status.OPENING: 4,
}
_LIVE, _ENDED = 5, 6


@dataclass(frozen=True, slots=True)
class Applied:
    """The order as it is known now. `ignored` says in words why what was told changed nothing, or not all."""

    order: BookOrder
    changed: bool
    ignored: str = ""


def rank(status: str) -> int | None:
    """How far along its way an order is: the five steps before the exchange, then everything alive, then the end.
    `None` for a word that the documents do not know: it may stand anywhere."""
    try:
        known = Status(status)
    except ValueError:
        return None
    return _EARLY.get(known, _ENDED if is_terminal(known) else _LIVE)


def apply_update(known: BookOrder | None, told: BookOrder) -> Applied:
    """`known` with what `told` adds to it. Never backwards: an order that has ended does not move, what is filled does
    not fall, an older modification, time or step does not overwrite. The same told again changes nothing."""
    if known is None:
        return Applied(told, True)
    if known.order_id != told.order_id:
        raise ValueError(f"order {told.order_id} tells nothing of order {known.order_id}")
    if known.status == Status.UNTOLD != told.status and told.terminal:  # how it ended, told after all
        return Applied(_joined(known, told, state=told, terms=told), True)
    if known.terminal:
        return _after_the_end(known, told)
    state, why = _newer(known, told)
    of_terms = _later(known.exchange_at, told.exchange_at) or _modified(known, told)
    terms = (told if of_terms > 0 else known) if of_terms else state
    order = _joined(known, told, state=state, terms=terms)
    if order == known:
        return Applied(known, False, why or "told before")
    return Applied(order, True, why)


def _newer(known: BookOrder, told: BookOrder) -> tuple[BookOrder, str]:
    """Whose status stands, and, if it is not the told one's, why."""
    if told.terminal:  # the end is the end, whatever else the message got wrong
        return told, ""
    for age, why in (
        (_later(known.exchange_at, told.exchange_at), "it is older than what is known"),
        (_modified(known, told), "it tells of the order before its last modification"),
        (told.filled_quantity - known.filled_quantity, "it tells of the order before its last fill"),
        (_later(known.placed_at, told.placed_at), "it is older than what is known"),
        (-1 if _is_step_back(known, told) else 0, f"the order was further along than {told.status!r}"),
    ):
        if age:
            return (told, "") if age > 0 else (known, why)
    return told, ""


def _is_step_back(known: BookOrder, told: BookOrder) -> bool:
    before, now = rank(known.status), rank(told.status)
    if before is None or now is None:
        return False
    if now < before:
        return True
    # A stop that has fired does not wait for its trigger again, unless it was made another order.
    fired = known.status == Status.OPEN and told.status == Status.TRIGGER_PENDING
    return (
        fired
        and known.order_type == told.order_type
        and told.order_type in (OrderType.STOP_LIMIT, OrderType.STOP_MARKET)
    )


def _modified(known: BookOrder, told: BookOrder) -> int:
    """Above 0: `told` is of a later modification; below 0: of an earlier one; 0: of the same, or nobody knows."""
    if not (known.request_id.isdecimal() and told.request_id.isdecimal()):
        return 0
    return int(told.request_id) - int(known.request_id)


def _later(before: datetime | None, now: datetime | None) -> int:
    if before is None or now is None or before == now:
        return 0
    return 1 if now > before else -1


def _joined(known: BookOrder, told: BookOrder, *, state: BookOrder, terms: BookOrder) -> BookOrder:
    """Each part from the message that knows it better."""
    fills = told if told.filled_quantity > known.filled_quantity else known
    average = fills.average_price
    if not average and told.filled_quantity == known.filled_quantity:
        average = told.average_price
    filled = fills.filled_quantity
    if state.filled_quantity == filled and state.quantity == terms.quantity:
        pending = state.pending_quantity
    else:
        pending = 0 if state.terminal else max(0, terms.quantity - filled)
    same = state.status == known.status
    return replace(
        state,
        # what a modification changes
        quantity=terms.quantity,
        order_type=terms.order_type,
        validity=terms.validity,
        price=terms.price,
        trigger_price=terms.trigger_price,
        disclosed_quantity=terms.disclosed_quantity,
        request_id=terms.request_id or known.request_id,
        market_protection=_given(terms.market_protection, known.market_protection),
        # what fills change
        filled_quantity=filled,
        pending_quantity=pending,
        average_price=average,
        # what one message knows and another leaves out
        message=state.message or (known.message if same else None),
        raw_message=state.raw_message or (known.raw_message if same else None),
        symbol=known.symbol or told.symbol,
        exchange=known.exchange or told.exchange,
        tag=known.tag or told.tag,
        exchange_order_id=told.exchange_order_id or known.exchange_order_id,
        parent_order_id=known.parent_order_id or told.parent_order_id,
        reference_id=known.reference_id or told.reference_id,
        variety=state.variety or known.variety,
        placed_at=_latest(known.placed_at, told.placed_at),
        exchange_at=_latest(known.exchange_at, told.exchange_at),
    )


def _after_the_end(known: BookOrder, told: BookOrder) -> Applied:
    """An order that has ended keeps its status. Only the same end, told more fully, is listened to: the stream's
    message may lack the reason, or the last fill."""
    if told.status != known.status:
        return Applied(known, False, f"the order has ended: {known.status}")
    if _modified(known, told) < 0 or told.filled_quantity < known.filled_quantity:
        return Applied(known, False, "it is older than what is known")
    order = _joined(known, told, state=known, terms=known)
    order = replace(order, message=known.message or told.message, raw_message=known.raw_message or told.raw_message)
    return Applied(order, order != known, "" if order != known else "told before")


def _given(first: T | None, second: T | None) -> T | None:
    return second if first is None else first


def _latest(first: datetime | None, second: datetime | None) -> datetime | None:
    if first is None or second is None:
        return first or second
    return max(first, second)

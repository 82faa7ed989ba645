"""Writes about all open orders, or all positions. Each line's fate is told for itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.domain.actors import Actor, require_trader
from services.domain.errors import InvalidRequest, UpstoxError
from services.domain.intents import Intent, IntentKind, NewIntent
from services.domain.orders import PLACEABLE, BookOrder, BulkResult, OrderRequest, OrderType, Product, Side
from services.domain.positions import Position
from services.ledger.intents import Standing
from services.orders.baskets import MOST_AT_ONCE, OTHERWISE, Baskets
from services.orders.bodies import before_of
from services.orders.bulk_outcomes import bulk_outcome, each_outcome, fate_of_many, together
from services.orders.checking import refuse_exit_twice, refuse_repeat
from services.orders.exits import refuse_carried_out, refuse_into_closing, refuse_on_its_way
from services.orders.kit import Kit
from services.orders.views import BasketOutcome, BulkLine, BulkOutcome

_EACH = {IntentKind.CANCEL_ALL: IntentKind.CANCEL, IntentKind.EXIT_ALL: IntentKind.PLACE}
"""What each line is where more than one call takes are carried out one by one."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A call about many lines."""

    kind: IntentKind
    segment: str | None
    tag: str | None
    lines: tuple[str, ...]
    """Order ids or instrument keys that it is about, as they are known here."""
    before: dict[str, Any]  # Any: JSON values
    send: Callable[[], BulkResult]
    check: Callable[[Standing], None] = lambda standing: None
    """What else may stand against it."""


class Bulk:
    """Many things at once."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._baskets = Baskets(kit)

    def place_basket(self, requests: Sequence[OrderRequest], *, intent_id: str, actor: Actor) -> BasketOutcome:
        return self._baskets.place(requests, intent_id=intent_id, actor=actor)

    # -- all open orders ---------------------------------------------------------------------------------------

    def cancel_all(
        self, segment: str | None = None, tag: str | None = None, *, intent_id: str, actor: Actor
    ) -> BulkOutcome:
        kit = self._kit
        require_trader(actor)
        if (known := self._known(intent_id, IntentKind.CANCEL_ALL, segment, tag)) is not None:
            return known
        kit.admit(actor)
        fresh = kit.stream_up()
        if not fresh:
            try:
                kit.keeper.read_book()
                fresh = True
            except UpstoxError:
                fresh = False  # what is known may be old: the broker is asked to cancel whatever is open
        orders = [
            order
            for order in kit.book.alive()
            if (segment is None or order.key.startswith(f"{segment}|")) and (tag is None or order.tag == tag)
        ]
        if fresh and not orders:
            raise InvalidRequest("there is no open order to cancel")
        if len(orders) > MOST_AT_ONCE:
            return self._cancel_each(orders, intent_id=intent_id, actor=actor)
        ids = tuple(order.order_id for order in orders)
        call = _Call(
            IntentKind.CANCEL_ALL,
            segment,
            tag,
            ids,
            {"order_ids": list(ids)},
            lambda: kit.broker.cancel_many(segment, tag),
        )
        return self._call(call, intent_id=intent_id, actor=actor)

    def _cancel_each(self, orders: Sequence[BookOrder], *, intent_id: str, actor: Actor) -> BulkOutcome:
        """More than one call takes: each order is cancelled for itself, and is a decision of its own."""
        kit = self._kit
        news = [
            NewIntent(
                f"{intent_id}/{order.order_id}",
                IntentKind.CANCEL,
                order.order_id,
                {},
                actor,
                before=before_of(order),
                basket=intent_id,
            )
            for order in orders
        ]

        def fly(intents: Sequence[Intent]) -> None:
            for intent in intents:
                kit.sender.fly(intent, self._cancelling(intent.target))

        intents, repeated = kit.sender.send_many(intent_id, news, lambda _, standing: kit.may_reduce(standing), fly)
        return each_outcome(IntentKind.CANCEL_ALL, intent_id, intents, repeated=repeated)

    def _cancelling(self, order_id: str) -> Callable[[], Sequence[str]]:
        def cancel() -> Sequence[str]:
            self._kit.broker.cancel(order_id)
            return (order_id,)

        return cancel

    # -- all positions -----------------------------------------------------------------------------------------

    def exit_all(
        self, segment: str | None = None, tag: str | None = None, *, intent_id: str, actor: Actor
    ) -> BulkOutcome:
        kit = self._kit
        require_trader(actor)
        looked = kit.clock.now()
        if (known := self._known(intent_id, IntentKind.EXIT_ALL, segment, tag)) is not None:
            return known
        kit.admit(actor)
        try:
            return self._exit(segment, tag, looked, intent_id=intent_id, actor=actor)
        except InvalidRequest:
            # pressed twice at once: it was carried out meanwhile, perhaps the other way
            if (known := self._known(intent_id, IntentKind.EXIT_ALL, segment, tag)) is None:
                raise
            return known

    def _exit(
        self, segment: str | None, tag: str | None, looked: datetime, *, intent_id: str, actor: Actor
    ) -> BulkOutcome:
        """With one call, or with an order for each position. `looked`: just before it was found to be new."""
        kit = self._kit
        at = kit.clock.now()
        held = [
            one
            for one in kit.broker.positions()
            if one.is_open and (segment is None or one.key.startswith(f"{segment}|"))
        ]
        if not held:
            raise InvalidRequest("there is no open position to exit")
        if len(held) > MOST_AT_ONCE and tag is None:
            return self._exit_each(held, segment, looked, at, intent_id=intent_id, actor=actor)
        keys = {one.key for one in held}
        before = {
            "positions": [{"key": one.key, "product": one.product, "quantity": one.quantity} for one in held],
            "order_ids": [order.order_id for order in kit.book.all()[0] if order.key in keys],
        }

        def check(standing: Standing) -> None:
            refuse_carried_out(standing, intent_id, looked)
            refuse_exit_twice(standing, segment)
            refuse_into_closing(standing, held)

        call = _Call(
            IntentKind.EXIT_ALL,
            segment,
            tag,
            tuple(one.key for one in held),
            before,
            lambda: kit.broker.exit_positions(segment, tag),
            check,
        )
        return self._call(call, intent_id=intent_id, actor=actor)

    def _exit_each(
        self,
        held: Sequence[Position],
        segment: str | None,
        looked: datetime,
        at: datetime,
        *,
        intent_id: str,
        actor: Actor,
    ) -> BulkOutcome:
        """More than one call takes: each position is closed by an order of its own, buys first. `at`: before the
        positions were asked."""
        requests = [_closing(one) for one in sorted(held, key=lambda one: one.quantity)]

        def check(place: int, standing: Standing) -> None:
            self._kit.may_reduce(standing)
            if place == 0:
                refuse_carried_out(standing, intent_id, looked)
            refuse_exit_twice(standing, segment)
            refuse_repeat(standing, IntentKind.PLACE, {"side": str(requests[place].side)}, basket=intent_id)
            refuse_on_its_way(standing, requests[place], at, basket=intent_id)

        told = self._baskets.send(requests, check, intent_id=intent_id, actor=actor)
        lines = tuple(
            BulkLine(leg.request.key, leg.outcome.state, leg.outcome.code, leg.outcome.reason) for leg in told.legs
        )
        return BulkOutcome(together(lines), intent_id, IntentKind.EXIT_ALL, lines, repeated=told.repeated)

    # -- one call about many -----------------------------------------------------------------------------------

    def _call(self, call: _Call, *, intent_id: str, actor: Actor) -> BulkOutcome:
        kit = self._kit
        body = {"segment": call.segment, "tag": call.tag}
        target = call.segment or call.tag or "all"

        def allow(standing: Standing) -> None:
            kit.may_reduce(standing)
            refuse_repeat(standing, call.kind, body)
            call.check(standing)

        new = NewIntent(
            intent_id, call.kind, target, body, actor, before=call.before, lines=min(MOST_AT_ONCE, len(call.lines)) or 1
        )
        intent, repeated = kit.sender.send(new, allow, lambda: fate_of_many(call.send(), call.lines))
        kit.reconciliation.soon()
        return bulk_outcome(intent, repeated=repeated)

    def outcome(self, intent_id: str) -> BasketOutcome | BulkOutcome | None:
        """What came of several decisions that were confirmed together under that id; `None`: never heard of."""
        intents = self._kit.intents.of_basket(intent_id)
        if not intents:
            return None
        if intents[0].kind is IntentKind.CANCEL:
            return each_outcome(IntentKind.CANCEL_ALL, intent_id, intents, repeated=True)
        return self._baskets.outcome(intent_id, intents, repeated=True)

    def _known(self, intent_id: str, kind: IntentKind, segment: str | None, tag: str | None) -> BulkOutcome | None:
        """What came of this decision, if it was taken before. `InvalidRequest` if the id is that of another one."""
        kit = self._kit
        known = kit.intents.get(intent_id)
        if known is not None:
            if known.kind is not kind or known.body != {"segment": segment, "tag": tag}:
                raise InvalidRequest(OTHERWISE)
            return bulk_outcome(kit.sender.awaited(known), repeated=True)
        together = [kit.sender.awaited(one) for one in kit.intents.of_basket(intent_id)]
        if not together:
            return None
        if {one.kind for one in together} != {_EACH[kind]}:
            raise InvalidRequest(OTHERWISE)
        return each_outcome(kind, intent_id, together, repeated=True)


def _closing(position: Position) -> OrderRequest:
    """The order that closes `position` at the market."""
    product = next((one for one in PLACEABLE if one == position.product), None)
    if product is None:
        raise InvalidRequest(
            f"a position in {position.product} ({position.symbol or position.key}) is closed at the broker"
        )
    return OrderRequest(
        key=position.key,
        side=Side.SELL if position.quantity > 0 else Side.BUY,
        quantity=abs(position.quantity),
        order_type=OrderType.MARKET,
        product=Product(product),
        slice=True,
    )

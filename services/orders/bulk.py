"""Writes about many things at once: a basket, all open orders, all positions. Each line's fate is told for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.domain.actors import Actor, require_trader
from services.domain.errors import InvalidRequest, UpstoxError
from services.domain.intents import Intent, IntentKind, IntentState, NewIntent, Witness
from services.domain.order_checks import check_order
from services.domain.order_words import reason_in_words
from services.domain.orders import (
    PLACEABLE,
    BookOrder,
    BulkResult,
    LineError,
    OrderRequest,
    OrderType,
    Product,
    Side,
)
from services.domain.positions import Position
from services.ledger.intents import Standing
from services.orders.bodies import before_of, body_of, read_request
from services.orders.checking import refuse_blocking, refuse_exit_twice, refuse_repeat, with_standing
from services.orders.kit import Kit, outcome_of
from services.orders.sending import LOOKING, Fate, fate_of
from services.orders.views import BasketLeg, BasketOutcome, BulkLine, BulkOutcome

MOST_AT_ONCE = 10
"""Lines in one bulk call."""
PACE_SECONDS = 1.05
"""Between two calls with as many orders as may leave in a second."""
OTHERWISE = "this decision was carried out before, with other particulars; make a new one"
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


class Bulk:
    """Many things at once."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    # -- baskets -----------------------------------------------------------------------------------------------

    def place_basket(self, requests: Sequence[OrderRequest], *, intent_id: str, actor: Actor) -> BasketOutcome:
        if not 1 <= len(requests) <= MOST_AT_ONCE:
            raise InvalidRequest(f"a basket holds 1 to {MOST_AT_ONCE} orders, this one {len(requests)}")
        kit = self._kit
        require_trader(actor)
        if known := kit.intents.of_basket(intent_id):
            if {one.kind for one in known} != {IntentKind.PLACE} or list(map(_wish, known)) != list(requests):
                raise InvalidRequest(OTHERWISE)
            return self._basket(intent_id, [kit.sender.awaited(one) for one in known], repeated=True)
        kit.admit(actor)
        required, available = kit.previews.known_money(requests)
        facts = [kit.checker.facts(one.key, one.product, wait=True)[0] for one in requests]
        # the margin is of all legs together: it is held against what is available once
        facts[0] = replace(facts[0], margin_required=required, margin_available=available)

        def check(place: int, standing: Standing) -> None:
            known = with_standing(kit.checker.aged(facts[place]), standing, ahead=place)
            refuse_blocking(check_order(requests[place], known, standing.limits))
            refuse_repeat(standing, IntentKind.PLACE, {"side": str(requests[place].side)}, basket=intent_id)

        return self._place(requests, check, intent_id=intent_id, actor=actor)

    def _place(
        self,
        requests: Sequence[OrderRequest],
        check: Callable[[int, Standing], None],
        *,
        intent_id: str,
        actor: Actor,
    ) -> BasketOutcome:
        """All legs are written down in one transaction, each with a tag of its own, then sent in chunks."""
        kit = self._kit
        size = MOST_AT_ONCE
        places = {f"{intent_id}/{place + 1}": place for place in range(len(requests))}
        news = [
            NewIntent(
                name, IntentKind.PLACE, requests[at].key, body_of(requests[at]), actor, kit.new_tag(), basket=intent_id
            )
            for name, at in places.items()
        ]

        def allow(new: NewIntent, standing: Standing) -> None:
            nonlocal size
            size = min(size, standing.limits.max_orders_per_second)
            place = places[new.intent_id]
            try:
                check(place, standing)
            except InvalidRequest as error:
                raise InvalidRequest(f"order {place + 1} of {len(requests)}: {error}") from error

        def fly(intents: Sequence[Intent]) -> None:
            for first in range(0, len(intents), size):
                if first:
                    kit.pause(PACE_SECONDS)
                self._fly_chunk(intents[first : first + size])

        intents, repeated = kit.sender.send_many(intent_id, news, allow, fly)
        return self._basket(intent_id, intents, repeated=repeated)

    def _fly_chunk(self, chunk: Sequence[Intent]) -> None:
        kit = self._kit
        intents = kit.sender.still_wanted(chunk)
        if not intents:
            return
        lines = [(f"leg-{at + 1}", read_request(one.body), one.tag) for at, one in enumerate(intents)]
        try:
            with kit.sender.in_time(intents):
                told = kit.broker.place_many(lines)
        except UpstoxError as error:
            for intent in intents:
                kit.sender.settle(intent, fate_of(error))
            return
        except BaseException:
            for intent in intents:
                kit.sender.settle(
                    intent, Fate(IntentState.UNKNOWN, reason=f"interrupted on its way; {LOOKING}", by=Witness.DESK)
                )
            raise
        errors = {error.correlation_id: error for error in told.errors}
        for (name, _, _), intent in zip(lines, intents, strict=True):
            kit.sender.settle(intent, _fate_of_line(told.placed.get(name, ()), errors.get(name)))

    def _basket(self, intent_id: str, intents: Sequence[Intent], *, repeated: bool) -> BasketOutcome:
        legs = tuple(BasketLeg(read_request(one.body), outcome_of(one, repeated=repeated)) for one in intents)
        return BasketOutcome(intent_id, legs, repeated)

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
        return _of_each(IntentKind.CANCEL_ALL, intent_id, intents, repeated=repeated)

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
        if (known := self._known(intent_id, IntentKind.EXIT_ALL, segment, tag)) is not None:
            return known
        kit.admit(actor)
        held = [
            one
            for one in kit.broker.positions()
            if one.is_open and (segment is None or one.key.startswith(f"{segment}|"))
        ]
        if not held:
            raise InvalidRequest("there is no open position to exit")
        if len(held) > MOST_AT_ONCE and tag is None:
            return self._exit_each(held, segment, intent_id=intent_id, actor=actor)
        keys = {one.key for one in held}
        before = {
            "positions": [{"key": one.key, "product": one.product, "quantity": one.quantity} for one in held],
            "order_ids": [order.order_id for order in kit.book.all()[0] if order.key in keys],
        }
        call = _Call(
            IntentKind.EXIT_ALL,
            segment,
            tag,
            tuple(one.key for one in held),
            before,
            lambda: kit.broker.exit_positions(segment, tag),
        )
        return self._call(call, intent_id=intent_id, actor=actor)

    def _exit_each(self, held: Sequence[Position], segment: str | None, *, intent_id: str, actor: Actor) -> BulkOutcome:
        """More than one call takes: each position is closed by an order of its own, buys first."""
        requests = [_closing(one) for one in sorted(held, key=lambda one: one.quantity)]

        def check(place: int, standing: Standing) -> None:
            self._kit.may_reduce(standing)
            refuse_exit_twice(standing, segment)
            refuse_repeat(standing, IntentKind.PLACE, {"side": str(requests[place].side)}, basket=intent_id)

        told = self._place(requests, check, intent_id=intent_id, actor=actor)
        lines = tuple(
            BulkLine(leg.request.key, leg.outcome.state, leg.outcome.code, leg.outcome.reason) for leg in told.legs
        )
        return BulkOutcome(_together(lines), intent_id, IntentKind.EXIT_ALL, lines, repeated=told.repeated)

    # -- one call about many -----------------------------------------------------------------------------------

    def _call(self, call: _Call, *, intent_id: str, actor: Actor) -> BulkOutcome:
        kit = self._kit
        body = {"segment": call.segment, "tag": call.tag}
        target = call.segment or call.tag or "all"

        def allow(standing: Standing) -> None:
            kit.may_reduce(standing)
            refuse_repeat(standing, call.kind, body)
            if call.kind is IntentKind.EXIT_ALL:
                refuse_exit_twice(standing, call.segment)

        new = NewIntent(
            intent_id, call.kind, target, body, actor, before=call.before, lines=min(MOST_AT_ONCE, len(call.lines)) or 1
        )
        intent, repeated = kit.sender.send(new, allow, lambda: _fate_of_many(call.send(), call.lines))
        kit.reconciliation.soon()
        return _of_one(intent, repeated=repeated)

    def outcome(self, intent_id: str) -> BasketOutcome | BulkOutcome | None:
        """What came of several decisions that were confirmed together under that id; `None`: never heard of."""
        intents = self._kit.intents.of_basket(intent_id)
        if not intents:
            return None
        if intents[0].kind is IntentKind.CANCEL:
            return _of_each(IntentKind.CANCEL_ALL, intent_id, intents, repeated=True)
        return self._basket(intent_id, intents, repeated=True)

    def _known(self, intent_id: str, kind: IntentKind, segment: str | None, tag: str | None) -> BulkOutcome | None:
        """What came of this decision, if it was taken before. `InvalidRequest` if the id is that of another one."""
        kit = self._kit
        known = kit.intents.get(intent_id)
        if known is not None:
            if known.kind is not kind or known.body != {"segment": segment, "tag": tag}:
                raise InvalidRequest(OTHERWISE)
            return _of_one(kit.sender.awaited(known), repeated=True)
        together = [kit.sender.awaited(one) for one in kit.intents.of_basket(intent_id)]
        if not together:
            return None
        if {one.kind for one in together} != {_EACH[kind]}:
            raise InvalidRequest(OTHERWISE)
        return _of_each(kind, intent_id, together, repeated=True)


def _wish(intent: Intent) -> OrderRequest:
    return read_request(intent.body)


def bulk_outcome(intent: Intent, *, repeated: bool) -> BulkOutcome:
    """What came of one call about many."""
    return _of_one(intent, repeated=repeated)


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


def _fate_of_line(ids: Sequence[str], error: LineError | None) -> Fate:
    """What a bulk answer says of one line. A line that it does not name is unknown."""
    if ids:
        return Fate(IntentState.ACCEPTED, tuple(ids))
    if error is not None and not error.outcome_unknown:
        return Fate(IntentState.REFUSED, code=error.code, reason=reason_in_words(error.code, error.message))
    told = "the broker's answer does not say what became of it" if error is None else error.message
    return Fate(IntentState.UNKNOWN, code="" if error is None else error.code, reason=f"{told}; {LOOKING}")


def _fate_of_many(told: BulkResult, asked: Sequence[str]) -> Fate:
    """What a bulk answer says of all its lines. Never "all" where a line failed, whatever the status said."""
    lines = [{"name": one, "state": str(IntentState.ACCEPTED)} for one in told.order_ids]
    for error in told.errors:
        state = IntentState.UNKNOWN if error.outcome_unknown else IntentState.REFUSED
        lines.append(
            {
                "name": error.order_id or error.key or "",
                "state": str(state),
                "code": error.code,
                "reason": reason_in_words(error.code, error.message),
            }
        )
    failed = [line for line in lines if line["state"] != IntentState.ACCEPTED]
    result = {"lines": lines, "total": max(told.total, len(lines)), "asked": list(asked)}
    if any(line["state"] == IntentState.UNKNOWN for line in lines):
        return Fate(
            IntentState.UNKNOWN, told.order_ids, reason=f"of some lines it is not known; {LOOKING}", result=result
        )
    if not told.order_ids and failed:
        return Fate(IntentState.REFUSED, code=failed[0]["code"], reason=failed[0]["reason"], result=result)
    reason = ""
    if failed or told.failed:
        reason = f"{len(told.order_ids)} of {result['total']} went through"
    return Fate(IntentState.ACCEPTED, told.order_ids, reason=reason, result=result)


def _of_one(intent: Intent, *, repeated: bool) -> BulkOutcome:
    rows = (intent.result or {}).get("lines") or ()
    lines = tuple(
        BulkLine(row["name"], IntentState(row["state"]), row.get("code", ""), row.get("reason", "")) for row in rows
    )
    if not lines and intent.order_ids:
        lines = tuple(BulkLine(one, intent.state) for one in intent.order_ids)
    return BulkOutcome(intent.state, intent.intent_id, intent.kind, lines, intent.code, intent.reason, repeated)


def _of_each(kind: IntentKind, intent_id: str, intents: Iterable[Intent], *, repeated: bool) -> BulkOutcome:
    lines = tuple(BulkLine(one.target, one.state, one.code, one.reason) for one in intents)
    return BulkOutcome(_together(lines), intent_id, kind, lines, repeated=repeated)


def _together(lines: Sequence[BulkLine]) -> IntentState:
    """The state of a whole: unknown while any line is, accepted if any line was."""
    states = {line.state for line in lines}
    for state in (IntentState.PREPARED, IntentState.UNKNOWN, IntentState.ACCEPTED, IntentState.REFUSED):
        if state in states:
            return IntentState.UNKNOWN if state is IntentState.PREPARED else state
    return next(iter(states), IntentState.NOT_SENT)

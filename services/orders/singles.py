"""Writes about one thing: an order, a waiting order, a position, the broker's kill switch. Each is one decision."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace

from services.domain.actors import Actor, require_operator, require_trader
from services.domain.errors import InvalidRequest, UpstoxError
from services.domain.gtt import GttOrder, GttRequest
from services.domain.intents import IntentKind, IntentState, NewIntent, Witness
from services.domain.margins import SegmentSwitch
from services.domain.order_changes import changed
from services.domain.order_checks import check_gtt, check_order
from services.domain.order_words import reason_in_words
from services.domain.orders import BookOrder, OrderChange, OrderRequest, Side, read_product
from services.ledger.intents import Allow, Standing
from services.orders.bodies import before_of, body_of
from services.orders.checking import refuse_blocking, refuse_repeat, with_standing
from services.orders.exits import refuse_on_its_way
from services.orders.kit import Kit, outcome_of
from services.orders.sending import Fate
from services.orders.told import Told
from services.orders.views import Outcome

TOO_LATE_TO_CHANGE = "UDAPI100041"

log = logging.getLogger(__name__)


class Singles:
    """One thing at a time."""

    def __init__(self, kit: Kit, gtts: Told[tuple[GttOrder, ...]], switches: Told[tuple[SegmentSwitch, ...]]) -> None:
        self._kit = kit
        self._gtts = gtts
        self._switches = switches

    # -- orders ------------------------------------------------------------------------------------------------

    def place(self, request: OrderRequest, *, intent_id: str, actor: Actor, label: str = "") -> Outcome:
        kit = self._kit
        new = NewIntent(intent_id, IntentKind.PLACE, request.key, body_of(request), actor, kit.new_tag(label))
        required, available = kit.previews.known_money([request])
        try:
            kit.admit(actor)
            facts, _ = kit.checker.facts(
                request.key, request.product, wait=True, required=required, available=available
            )
            closable = kit.closable()
        except UpstoxError:
            # a millisecond is saved by looking only here: else the ledger finds a repetition where it writes
            if (told := self._told_before(new)) is not None:
                return told
            raise

        def allow(standing: Standing) -> None:
            known = with_standing(kit.checker.aged(facts), standing)
            if closable is not None and closable.closes(request):
                refuse_on_its_way(standing, request, closable.at)
                known = replace(known, own_kill_switch=False)
            refuse_blocking(check_order(request, known, standing.limits))
            refuse_repeat(standing, IntentKind.PLACE, {"side": str(request.side)})

        return self._send(new, allow, lambda tag: kit.broker.place(request, tag=tag).value)

    def modify(self, order_id: str, change: OrderChange, *, intent_id: str, actor: Actor) -> Outcome:
        kit = self._kit
        new = NewIntent(intent_id, IntentKind.MODIFY, order_id, body_of(change), actor)
        if (told := self._told_before(new)) is not None:
            return told
        kit.admit(actor)
        current = self._current(order_id)
        try:
            merged = None if current.terminal else changed(current, change)
        except InvalidRequest as nonsense:
            # for an open order; it may have ended meanwhile, and then the answer is that it is too late
            try:
                current = kit.keeper.hear(kit.broker.details(order_id), "details")
            except UpstoxError:
                raise nonsense from None
            merged = None if current.terminal else changed(current, change)
        facts = None
        if merged is not None:
            facts, _ = kit.checker.facts(current.key, current.product, wait=True)

        def allow(standing: Standing) -> None:
            if merged is None or facts is None:
                kit.may_reduce(standing)
            else:
                known = with_standing(kit.checker.aged(facts), standing)
                refuse_blocking(check_order(merged, known, standing.limits, new=False))
            refuse_repeat(standing, IntentKind.MODIFY)

        def call(tag: str) -> Fate | Sequence[str]:
            if merged is None:  # it has ended, and no order that has ended moves again: the answer is known
                reason = reason_in_words(TOO_LATE_TO_CHANGE)
                return Fate(IntentState.REFUSED, code=TOO_LATE_TO_CHANGE, reason=reason, by=Witness.BOOK)
            kit.broker.modify(order_id, change, current=current)
            return (order_id,)

        return self._send(replace(new, before=before_of(current)), allow, call)

    def cancel(self, order_id: str, *, intent_id: str, actor: Actor) -> Outcome:
        kit = self._kit
        new = NewIntent(intent_id, IntentKind.CANCEL, order_id, {}, actor)
        if (told := self._told_before(new)) is not None:
            return told
        kit.admit(actor)
        current = kit.known_order(order_id)

        def allow(standing: Standing) -> None:
            kit.may_reduce(standing)
            refuse_repeat(standing, IntentKind.CANCEL)

        def call(tag: str) -> Sequence[str]:
            kit.broker.cancel(order_id)
            return (order_id,)

        return self._send(replace(new, before=None if current is None else before_of(current)), allow, call)

    def _current(self, order_id: str) -> BookOrder:
        """The order as it stands. Without the stream what is known may be old, and a modification says all of it."""
        kit = self._kit
        known = kit.known_order(order_id)
        if known is not None and (known.terminal or kit.stream_up()):
            return known
        try:
            return kit.keeper.hear(kit.broker.details(order_id), "details")
        except UpstoxError:
            if known is None:
                raise
            return known

    # -- waiting orders ----------------------------------------------------------------------------------------

    def gtt_place(self, request: GttRequest, *, intent_id: str, actor: Actor) -> Outcome:
        kit = self._kit
        return self._gtt(
            IntentKind.GTT_PLACE,
            request.key,
            request,
            lambda: kit.broker.gtt_place(request).value,
            intent_id=intent_id,
            actor=actor,
        )

    def gtt_modify(self, gtt_id: str, request: GttRequest, *, intent_id: str, actor: Actor) -> Outcome:
        kit = self._kit
        return self._gtt(
            IntentKind.GTT_MODIFY,
            gtt_id,
            request,
            lambda: kit.broker.gtt_modify(gtt_id, request).value or (gtt_id,),
            intent_id=intent_id,
            actor=actor,
        )

    def gtt_cancel(self, gtt_id: str, *, intent_id: str, actor: Actor) -> Outcome:
        kit = self._kit
        return self._gtt(
            IntentKind.GTT_CANCEL,
            gtt_id,
            None,
            lambda: kit.broker.gtt_cancel(gtt_id).value or (gtt_id,),
            intent_id=intent_id,
            actor=actor,
        )

    def _gtt(
        self,
        kind: IntentKind,
        target: str,
        request: GttRequest | None,
        call: Callable[[], Sequence[str]],
        *,
        intent_id: str,
        actor: Actor,
    ) -> Outcome:
        """The list of before is read first: a lost answer is settled by comparing. A new one leaves no other trace, so
        that without the list it is not sent; a cancellation is never held up by it."""
        kit = self._kit
        new = NewIntent(intent_id, kind, target, {} if request is None else asdict(request), actor)
        if (told := self._told_before(new)) is not None:
            return told
        kit.admit(actor)
        before = self._listed(required=kind is IntentKind.GTT_PLACE)
        facts = None if request is None else kit.checker.facts(request.key, request.product, wait=True)[0]

        def allow(standing: Standing) -> None:
            if request is None or facts is None:
                kit.may_reduce(standing)
            else:
                refuse_blocking(check_gtt(request, with_standing(kit.checker.aged(facts), standing), standing.limits))
            refuse_repeat(standing, kind)

        outcome = self._send(replace(new, before=before), allow, lambda tag: call())
        self._gtts.doubt()
        kit.reconciliation.wake()
        return outcome

    def _listed(self, *, required: bool) -> dict[str, list[str]] | None:
        """The waiting orders as they are before the write."""
        try:
            return {"gtt_ids": [one.gtt_id for one in self._gtts.ask()]}
        except UpstoxError as error:
            if required:
                raise
            log.info("the waiting orders were not told before one was changed: %s", error)
            return None

    # -- positions and the broker's switch ---------------------------------------------------------------------

    def convert(
        self, key: str, side: Side, quantity: int, old: str, new: str, *, intent_id: str, actor: Actor
    ) -> Outcome:
        kit = self._kit
        from_product, to_product = read_product(old), read_product(new)
        if from_product is to_product:
            raise InvalidRequest("a position is converted into another product than it has")
        if quantity < 1:
            raise InvalidRequest("the quantity is a whole number of at least 1")
        body = {
            "key": key,
            "side": str(side),
            "quantity": quantity,
            "from_product": str(from_product),
            "to_product": str(to_product),
        }
        new_intent = NewIntent(intent_id, IntentKind.CONVERT, key, body, actor)
        if (told := self._told_before(new_intent)) is not None:
            return told
        kit.admit(actor)
        rows = [
            {"key": one.key, "product": one.product, "quantity": one.quantity}
            for one in kit.broker.positions()
            if one.key == key
        ]

        def allow(standing: Standing) -> None:
            kit.may_reduce(standing)
            refuse_repeat(standing, IntentKind.CONVERT)

        def call(tag: str) -> Sequence[str]:
            kit.broker.convert(key, side, quantity, from_product, to_product)
            return ()

        return self._send(replace(new_intent, before={"positions": rows}), allow, call)

    def set_broker_kill_switch(self, switches: Mapping[str, bool], *, intent_id: str, actor: Actor) -> Outcome:
        """`switches`: by segment, shall the broker's kill switch be on?"""
        kit = self._kit
        if not switches:
            raise InvalidRequest("name at least one segment")
        if not all(switches.values()):
            require_operator(actor, "let orders leave again")
        body = {"switches": dict(sorted(switches.items()))}
        new = NewIntent(intent_id, IntentKind.KILL_SWITCH, ",".join(body["switches"]), body, actor)
        if (told := self._told_before(new)) is not None:
            return told
        kit.admit(actor)

        def allow(standing: Standing) -> None:
            kit.may_reduce(standing)
            refuse_repeat(standing, IntentKind.KILL_SWITCH)

        def call(tag: str) -> Sequence[str]:
            kit.broker.set_kill_switch({segment: not killed for segment, killed in switches.items()})
            return ()

        outcome = self._send(new, allow, call)
        self._switches.doubt()
        kit.reconciliation.wake()
        return outcome

    # -- shared ------------------------------------------------------------------------------------------------

    def _told_before(self, new: NewIntent) -> Outcome | None:
        """What came of this very decision, if it was taken before: whatever fails or is forbidden now. One that is on
        its way is waited for."""
        require_trader(new.actor)
        return None if self._kit.intents.get(new.intent_id) is None else self._send(new, _never, _nothing)

    def _send(self, new: NewIntent, allow: Allow, call: Callable[[str], Fate | Sequence[str]]) -> Outcome:
        intent, repeated = self._kit.sender.send(new, allow, lambda: call(new.tag))
        return outcome_of(intent, repeated=repeated)


def _never(standing: Standing) -> None:
    """For a decision that was carried out before: the ledger finds it, and nothing is checked or sent."""
    raise InvalidRequest("this decision was carried out before and has left the ledger since; make a new one")


def _nothing(tag: str) -> Sequence[str]:
    raise AssertionError("a repeated decision sends nothing")

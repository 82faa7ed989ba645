"""Orders that were confirmed together: written down all or none, then sent in calls of up to ten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from services.domain.actors import Actor, require_trader
from services.domain.errors import InvalidRequest, UpstoxError
from services.domain.intents import Intent, IntentKind, IntentState, NewIntent, Witness
from services.domain.order_checks import check_order
from services.domain.orders import OrderRequest
from services.ledger.intents import Standing
from services.orders.bodies import body_of, read_request
from services.orders.bulk_outcomes import fate_of_line
from services.orders.checking import refuse_blocking, refuse_repeat, with_standing
from services.orders.exits import refuse_on_its_way
from services.orders.kit import Kit, outcome_of
from services.orders.sending import LOOKING, Fate, fate_of
from services.orders.views import BasketLeg, BasketOutcome

MOST_AT_ONCE = 10
"""Lines in one bulk call."""
PACE_SECONDS = 1.05
"""Between two calls with as many orders as may leave in a second."""
OTHERWISE = "this decision was carried out before, with other particulars; make a new one"


class Baskets:
    """Each leg is a decision of its own, with a tag of its own."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def place(self, requests: Sequence[OrderRequest], *, intent_id: str, actor: Actor) -> BasketOutcome:
        if not 1 <= len(requests) <= MOST_AT_ONCE:
            raise InvalidRequest(f"a basket holds 1 to {MOST_AT_ONCE} orders, this one {len(requests)}")
        kit = self._kit
        require_trader(actor)
        if known := kit.intents.of_basket(intent_id):
            if {one.kind for one in known} != {IntentKind.PLACE} or list(map(_wish, known)) != list(requests):
                raise InvalidRequest(OTHERWISE)
            return self.outcome(intent_id, [kit.sender.awaited(one) for one in known], repeated=True)
        kit.admit(actor)
        required, available = kit.previews.known_money(requests)
        facts = [kit.checker.facts(one.key, one.product, wait=True)[0] for one in requests]
        # the margin is of all legs together: it is held against what is available once
        facts[0] = replace(facts[0], margin_required=required, margin_available=available)
        closable = kit.closable()

        def check(place: int, standing: Standing) -> None:
            known = with_standing(kit.checker.aged(facts[place]), standing, ahead=place)
            if closable is not None and closable.closes(requests[place], ahead=_ahead(requests, place)):
                refuse_on_its_way(standing, requests[place], closable.at, basket=intent_id)
                known = replace(known, own_kill_switch=False)
            refuse_blocking(check_order(requests[place], known, standing.limits))
            refuse_repeat(standing, IntentKind.PLACE, {"side": str(requests[place].side)}, basket=intent_id)

        return self.send(requests, check, intent_id=intent_id, actor=actor)

    def send(
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
        is_new = False
        places = {f"{intent_id}/{place + 1}": place for place in range(len(requests))}
        news = [
            NewIntent(
                name, IntentKind.PLACE, requests[at].key, body_of(requests[at]), actor, kit.new_tag(), basket=intent_id
            )
            for name, at in places.items()
        ]

        def allow(new: NewIntent, standing: Standing) -> None:
            nonlocal size, is_new
            size = min(size, standing.limits.max_orders_per_second)
            place = places[new.intent_id]
            if place and not is_new:
                raise InvalidRequest(OTHERWISE)  # the legs before it were written down by another window, without it
            try:
                check(place, standing)
            except InvalidRequest as error:
                raise InvalidRequest(f"order {place + 1} of {len(requests)}: {error}") from error
            is_new = True

        def fly(intents: Sequence[Intent]) -> None:
            for first in range(0, len(intents), size):
                if first:
                    kit.pause(PACE_SECONDS)
                self._fly_chunk(intents[first : first + size])

        intents, repeated = kit.sender.send_many(intent_id, news, allow, fly)
        return self.outcome(intent_id, intents, repeated=repeated)

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
            kit.sender.settle(intent, fate_of_line(told.placed.get(name, ()), errors.get(name)))

    def outcome(self, intent_id: str, intents: Sequence[Intent], *, repeated: bool) -> BasketOutcome:
        legs = tuple(BasketLeg(read_request(one.body), outcome_of(one, repeated=repeated)) for one in intents)
        return BasketOutcome(intent_id, legs, repeated)


def _ahead(requests: Sequence[OrderRequest], place: int) -> int:
    """How much the legs before this one take of the same position."""
    mine = requests[place]
    return sum(
        one.quantity
        for one in requests[:place]
        if (one.key, one.product, one.side) == (mine.key, mine.product, mine.side)
    )


def _wish(intent: Intent) -> OrderRequest:
    return read_request(intent.body)

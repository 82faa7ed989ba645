"""What a person says of a decision whose fate the broker's books do not tell."""

from __future__ import annotations

from collections.abc import Sequence

from services.domain.actors import Actor, require_trader
from services.domain.errors import InvalidRequest
from services.domain.intents import IntentState, Witness
from services.ledger.audit import Audit
from services.ledger.intents import Intents
from services.orders.cases import Cases
from services.orders.kit import outcome_of
from services.orders.sending import Sender
from services.orders.views import Outcome

_SAID = {True: IntentState.ACCEPTED, False: IntentState.ABSENT, None: IntentState.ABANDONED}


class Resolver:
    """Writes down what was said, and who said it. Any thread."""

    def __init__(self, *, intents: Intents, sender: Sender, cases: Cases, audit: Audit) -> None:
        self._intents = intents
        self._sender = sender
        self._cases = cases
        self._audit = audit

    def resolve(self, intent_id: str, happened: bool | None, *, order_ids: Sequence[str], actor: Actor) -> Outcome:
        require_trader(actor)
        intent = self._intents.get(intent_id)
        on_its_way = self._sender.in_flight(intent_id) or self._cases.under_way(intent_id)
        if intent is None or not intent.state.is_open or on_its_way:
            raise InvalidRequest("there is nothing to decide: what became of this is known, or it is on its way")
        state = _SAID[happened]
        self._audit.add(
            actor,
            "decided by a person",
            intent.target,
            {"state": str(intent.state)},
            {"state": str(state), "order_ids": list(order_ids)},
            intent_id=intent_id,
        )
        settled = self._intents.settle(
            intent_id, state, order_ids=tuple(order_ids), reason=f"decided by {actor.name}", by=Witness.PERSON
        )
        self._cases.settled(settled)
        return outcome_of(settled, repeated=False)

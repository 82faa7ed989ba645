"""What every write of the desk uses, and the steps that all of them begin with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.domain.actors import Actor, require_trader
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest
from services.domain.intents import Intent, KillSwitch
from services.domain.order_checks import check_reducing
from services.domain.orders import MAX_TAG, BookOrder
from services.ledger.intents import Intents, Standing
from services.ledger.orders import Orders
from services.orders.checking import Checker, refuse_blocking
from services.orders.day_book import DayBook
from services.orders.exits import Closable
from services.orders.keeping import Keeper
from services.orders.ports import Broker
from services.orders.previewing import Previews
from services.orders.reconciliation import Reconciliation
from services.orders.sending import Sender
from services.orders.views import Outcome

FIRST_PASS_SECONDS = 10.0
"""A write waits so long for the first reconciliation; then it is refused in words."""
_LABEL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """The desk's parts, as its writes see them."""

    broker: Broker
    intents: Intents
    orders: Orders
    sender: Sender
    checker: Checker
    previews: Previews
    keeper: Keeper
    book: DayBook
    reconciliation: Reconciliation
    clock: Clock
    kill_switch: Callable[[], KillSwitch]
    """The desk's own."""
    stream_up: Callable[[], bool]
    need_token: Callable[[], object]
    """Raises `LoginRequired` unless there is a token that may trade."""
    nonce: Callable[[], str]
    pause: Callable[[float], None]

    def admit(self, actor: Actor) -> None:
        """May something be sent for `actor` now? Waits for the first reconciliation. Raises the reason why not."""
        require_trader(actor)
        self.need_token()
        self.reconciliation.require_ready(FIRST_PASS_SECONDS)
        self.reconciliation.catch_up()

    def new_tag(self, label: str = "") -> str:
        """A tag that no other decision has. `label` stands behind it, for whoever looks at the broker's own screens."""
        tag = f"d{self.nonce()}"
        if not label:
            return tag
        if not set(label) <= _LABEL or len(tag) + 1 + len(label) > MAX_TAG:
            raise InvalidRequest(
                f"a label has at most {MAX_TAG - len(tag) - 1} letters, digits, dots, dashes and underscores"
            )
        return f"{tag}.{label}"

    def known_order(self, order_id: str) -> BookOrder | None:
        """The order as it is known here."""
        return self.book.get(order_id) or self.orders.get(order_id)

    def closable(self) -> Closable | None:
        """What may be closed though the desk's own kill switch is on; `None`: it is off, and nobody needs to know.
        Raises what the broker raises."""
        if not self.kill_switch().on:
            return None
        at = self.clock.now()
        self.keeper.read_book()  # before the positions: what fills in between counts twice, and is refused
        alive = self.book.alive()
        return Closable.of(self.broker.positions(), alive, at)

    def may_reduce(self, standing: Standing) -> None:
        """For what only takes away: nothing but the access is checked, so that a person can always get out."""
        refuse_blocking(check_reducing(self.checker.access(), standing.limits))


def outcome_of(intent: Intent, *, repeated: bool) -> Outcome:
    """The intent as it is told to whoever decided."""
    return Outcome(
        intent.state, intent.intent_id, intent.kind, intent.tag, intent.order_ids, intent.code, intent.reason, repeated
    )

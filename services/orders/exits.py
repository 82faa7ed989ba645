"""Orders that only close what is held. The desk's own kill switch lets them pass, as it lets pass the exit of all.

What may be closed is told by the broker, just before; what is on its way since is read in the very transaction that
writes the order down. So two windows that close the same position at once do not turn it round.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.domain.errors import InvalidRequest
from services.domain.intents import Intent, IntentKind, IntentState
from services.domain.orders import BookOrder, OrderRequest, Side
from services.domain.positions import Position
from services.ledger.intents import Standing

_CLOCKS = timedelta(seconds=1)
"""Of two processes; and the broker may tell of an order a moment after it has taken it."""
_LONGEST = timedelta(minutes=2)
"""No order is on its way for longer."""
_NOTHING_CAME = frozenset({IntentState.NOT_SENT, IntentState.REFUSED, IntentState.ABSENT})

_Place = tuple[str, str]
"""Instrument and product."""


@dataclass(frozen=True, slots=True)
class Closable:
    """What is held, and what waits to close it, as both were told at `at`."""

    at: datetime
    held: Mapping[_Place, int]
    waiting: Mapping[tuple[_Place, Side], int]

    @classmethod
    def of(cls, positions: Iterable[Position], alive: Iterable[BookOrder], at: datetime) -> Closable:
        """`alive`: orders that may still be filled, told no later than the positions. `at`: before either was asked."""
        held: Counter[_Place] = Counter()
        for one in positions:
            held[one.key, one.product] += one.quantity
        waiting: Counter[tuple[_Place, Side]] = Counter()
        for order in alive:
            waiting[(order.key, order.product), order.side] += max(0, order.quantity - order.filled_quantity)
        return cls(at, held, waiting)

    def closes(self, request: OrderRequest, *, ahead: int = 0) -> bool:
        """Would it, with all that waits and with `ahead` more units, still leave nothing of the other side?"""
        place = (request.key, request.product.value)
        held = self.held.get(place, 0)
        if held * request.side.sign >= 0:
            return False
        return request.quantity + ahead + self.waiting.get((place, request.side), 0) <= abs(held)


def refuse_on_its_way(standing: Standing, request: OrderRequest, at: datetime, *, basket: str = "") -> None:
    """A position is not closed by two orders at once: that would turn it round. Whatever changes it, and what was told
    at `at` may not know, is waited for. `basket`: the decision that this one is a part of."""
    since = standing.written_since(at - _LONGEST)
    if any(
        _moves(one, request) and not (basket and one.basket == basket) and _is_news(one, at)
        for one in (*standing.open_writes, *since)
    ):
        raise InvalidRequest(
            "another order that changes this position has just been sent: look at what it leaves, then decide anew"
        )


def refuse_carried_out(standing: Standing, decision: str, looked: datetime) -> None:
    """An exit of all goes with one call or with an order for each position, and one decision not both ways: whoever
    pressed it a second time at once may have met another number of positions. `looked`: when it was not known yet."""
    if any(decision in (one.intent_id, one.basket) for one in standing.written_since(looked - _LONGEST)):
        raise InvalidRequest("this decision has just been carried out from another window")


def refuse_into_closing(standing: Standing, held: Iterable[Position]) -> None:
    """Orders that close `held` and leave one after the other would find nothing left where the broker closes all of it
    in between: they would turn it round."""
    sides = {((one.key, one.product), Side.SELL if one.quantity > 0 else Side.BUY) for one in held}
    for one in standing.open_writes:
        if one.kind is not IntentKind.PLACE or one.state is not IntentState.PREPARED or not one.basket:
            continue
        if ((one.target, one.body.get("product")), one.body.get("side")) in sides:
            raise InvalidRequest(
                "these positions are being closed already: wait for what comes of it, then decide anew"
            )


def _moves(one: Intent, request: OrderRequest) -> bool:
    """May it change what `request` is to close?"""
    if one.kind is IntentKind.PLACE:
        return bool(one.body.get("side") == request.side)
    if one.kind is IntentKind.CONVERT:
        return bool(one.body.get("from_product") == request.product)
    segment = one.body.get("segment")
    return one.kind is IntentKind.EXIT_ALL and (segment is None or request.key.startswith(f"{segment}|"))


def _is_news(one: Intent, at: datetime) -> bool:
    if one.state in _NOTHING_CAME:
        return False
    return one.settled_at is None or one.state.is_open or one.settled_at > at - _CLOCKS

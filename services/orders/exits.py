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


def on_its_way(standing: Standing, request: OrderRequest, at: datetime, *, basket: str = "") -> bool:
    """Has another order of the same side been sent of which what was told at `at` may not know? `basket`: the decision
    that this one is a part of."""
    since = standing.placed_since(at - _LONGEST)
    open_orders = (one for one in standing.open_writes if one.kind is IntentKind.PLACE)
    return any(
        one.body.get("side") == str(request.side) and not (basket and one.basket == basket) and _is_news(one, at)
        for one in (*open_orders, *since)
    )


def refuse_on_its_way(standing: Standing, request: OrderRequest, at: datetime, *, basket: str = "") -> None:
    """A position is not closed by two orders at once: that would turn it round."""
    if on_its_way(standing, request, at, basket=basket):
        raise InvalidRequest(
            "another order of the same side has just been sent: look at the position that it leaves, then decide anew"
        )


def _is_news(one: Intent, at: datetime) -> bool:
    if one.state in _NOTHING_CAME:
        return False
    return one.settled_at is None or one.state.is_open or one.settled_at > at - _CLOCKS

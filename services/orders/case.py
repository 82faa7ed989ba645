"""One decision whose fate is not known: when it is looked for, and what was found so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.domain.intents import Intent, IntentState
from services.domain.orders import BookOrder
from services.orders.bodies import request_of
from services.orders.settling import Clue
from services.orders.views import OpenIntent

PAUSES = (1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 60.0)
"""Seconds between two looks; the first is also how long after the loss of the answer the first look is taken."""
LEAST_LOOKS = 3
"""So many looks have to find nothing before "never arrived" is concluded."""


@dataclass(slots=True)
class Case:
    """Instants are monotonic."""

    intent: Intent
    since: float
    """The answer was lost no later than this; while somebody may be sending it: since when it is known here."""
    next_at: float
    left: bool
    """Nobody is sending it any more, as far as that can be told."""
    margin: float = 0.0
    """Seconds in which it may leave after all: where nobody could tell whether its process has ended."""
    tries: int = 0
    looks: int = 0
    """Of the tries, those that learnt something."""
    clue: Clue | None = None

    def leave(self, now: float, *, margin: float, first_look_in: float) -> None:
        """From now on nobody is sending it."""
        self.left, self.since, self.margin = True, now, margin
        self.next_at = min(self.next_at, now + first_look_in)

    def begin_look(self, now: float) -> None:
        self.tries += 1
        self.next_at = now + PAUSES[min(self.tries - 1, len(PAUSES) - 1)]

    def learn(self, clue: Clue) -> None:
        """A look has found this, which settles nothing yet."""
        self.looks += 1
        self.clue = clue

    def is_final(self, now: float, lost_after: float, *, with_this_one: bool = False) -> bool:
        """Has it been looked for often and long enough to conclude that it never arrived?"""
        if self.looks + with_this_one < LEAST_LOOKS or not self.left or self.intent.state is IntentState.PREPARED:
            return False
        return now - self.since >= lost_after + self.margin

    def shown(self, text: str, next_look_at: datetime, *, final: bool) -> OpenIntent:
        """As it is told to people."""
        intent, clue = self.intent, self.clue
        return OpenIntent(
            intent_id=intent.intent_id,
            kind=intent.kind,
            text=text,
            tag=intent.tag,
            since=intent.created_at,
            state=intent.state,
            looks=self.looks,
            next_look_at=next_look_at,
            may_send_anew=final and clue is not None and clue.nothing_found,
            evidence=(clue.text if clue else "") or intent.reason,
            request=request_of(intent),
            candidates=() if clue is None else clue.candidates,
        )


def is_whole(order: BookOrder, intent: Intent) -> bool:
    """Is this one order all of what was wanted? Of a sliced one it may be a part."""
    request = request_of(intent)
    return request is None or not request.slice or order.quantity >= request.quantity

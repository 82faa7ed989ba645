"""Intents: what somebody decided to have done at the broker, from before it is sent until its fate is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.domain.actors import Actor
from services.domain.errors import InvalidRequest
from services.domain.orders import MAX_TAG

MAX_ID = 80
MAX_TARGET = 200


class IntentKind(StrEnum):
    """What is to be done."""

    PLACE = "PLACE"
    MODIFY = "MODIFY"
    CANCEL = "CANCEL"
    PLACE_MANY = "PLACE_MANY"
    CANCEL_ALL = "CANCEL_ALL"
    EXIT_ALL = "EXIT_ALL"
    GTT_PLACE = "GTT_PLACE"
    GTT_MODIFY = "GTT_MODIFY"
    GTT_CANCEL = "GTT_CANCEL"
    CONVERT = "CONVERT"
    KILL_SWITCH = "KILL_SWITCH"

    @property
    def opens(self) -> bool:
        """May new orders come of it? These count against the orders of a day."""
        return self in _OPENING

    @property
    def is_order_call(self) -> bool:
        """Is it one of the broker's order calls, which share one limit per second?"""
        return self not in {IntentKind.CONVERT, IntentKind.KILL_SWITCH}


_OPENING = frozenset({IntentKind.PLACE, IntentKind.PLACE_MANY, IntentKind.EXIT_ALL, IntentKind.GTT_PLACE})


class IntentState(StrEnum):
    """What is known of an intent's fate."""

    PREPARED = "PREPARED"
    """On the disk. Whether it was sent is not known until it is settled."""
    ACCEPTED = "ACCEPTED"
    """The broker took it. Final."""
    REFUSED = "REFUSED"
    """The broker answered no."""
    NOT_SENT = "NOT_SENT"
    """It certainly never left."""
    UNKNOWN = "UNKNOWN"
    """Sent, or perhaps sent, and no answer that can be read."""
    ABSENT = "ABSENT"
    """Looked up again and again: the broker never had it."""
    ABANDONED = "ABANDONED"
    """A person gave up asking."""

    @property
    def is_open(self) -> bool:
        """Must the broker's books still be asked?"""
        return self in OPEN_STATES


OPEN_STATES = frozenset({IntentState.PREPARED, IntentState.UNKNOWN})


class Witness(StrEnum):
    """Who told what became of an intent."""

    ANSWER = "answer"
    """The broker's answer to the very request, or the lack of one."""
    BOOK = "book"
    STREAM = "stream"
    HISTORY = "history"
    PERSON = "person"
    DESK = "desk"
    """The desk itself: it knows that it never sent."""

    @property
    def saw_it(self) -> bool:
        """Has it seen the thing itself at the broker?"""
        return self in {Witness.BOOK, Witness.STREAM, Witness.HISTORY}


_NEXT: Mapping[IntentState, frozenset[IntentState]] = {
    IntentState.PREPARED: frozenset(IntentState) - {IntentState.PREPARED},
    IntentState.UNKNOWN: frozenset(
        {IntentState.ACCEPTED, IntentState.REFUSED, IntentState.ABSENT, IntentState.ABANDONED}
    ),
    IntentState.ABSENT: frozenset({IntentState.ACCEPTED, IntentState.REFUSED}),
    IntentState.ABANDONED: frozenset({IntentState.ACCEPTED, IntentState.REFUSED, IntentState.ABSENT}),
    IntentState.REFUSED: frozenset(),
    IntentState.NOT_SENT: frozenset(),
    IntentState.ACCEPTED: frozenset(),
}


def may_follow(now: IntentState, then: IntentState, by: Witness) -> bool:
    """May what is known go from `now` to `then`? Never backwards. Who has seen the thing at the broker is believed
    over an answer that said no: an order in the book is real, whatever was answered."""
    if then is IntentState.ACCEPTED and by.saw_it:
        return now is not IntentState.ACCEPTED
    return then in _NEXT[now]


@dataclass(frozen=True, slots=True)
class NewIntent:
    """What somebody wants done.

    `target` is what the same button acts on: an order id (MODIFY, CANCEL), a GTT id, an instrument key (PLACE,
    CONVERT), a segment or "" (bulk). `body` and `before` hold JSON values, `Decimal`s and instants; amounts never as
    floats. A CONVERT's body holds `key`, `side`, `quantity`, `from_product` and `to_product`.
    """

    intent_id: str
    """Made where the button is drawn, so that a second press of it is known."""
    kind: IntentKind
    target: str
    body: Mapping[str, Any]  # Any: JSON values of several kinds
    actor: Actor
    tag: str = ""
    """The unique tag that the orders of this intent carry at the broker; "" where the call has none."""
    before: Mapping[str, Any] | None = None
    """What stood there before; for writes whose lost answer is settled by comparing."""
    lines: int = 1
    """How many orders leave with it: they count against the limits."""
    basket: str = ""
    """What several intents that were confirmed together have in common."""

    def __post_init__(self) -> None:
        for name, value, longest in (
            ("intent_id", self.intent_id, MAX_ID),
            ("target", self.target, MAX_TARGET),
            ("tag", self.tag, MAX_TAG),
            ("basket", self.basket, MAX_ID),
        ):
            if len(value) > longest or not value.isprintable():
                raise InvalidRequest(f"the {name} of an intent has at most {longest} printable letters")
        if not self.intent_id.strip():
            raise InvalidRequest("an intent needs an id, made where the button is drawn")
        if self.lines < 1:
            raise InvalidRequest("an intent sends at least one line")


@dataclass(frozen=True, slots=True)
class Intent:
    """One intent as the ledger holds it. Instants are aware UTC; amounts in `body` and `before` exact decimal texts."""

    intent_id: str
    kind: IntentKind
    target: str
    body: Mapping[str, Any]  # Any: JSON values of several kinds
    actor: Actor
    tag: str
    before: Mapping[str, Any] | None
    lines: int
    basket: str
    state: IntentState
    order_ids: tuple[str, ...]
    """Of the orders (or GTTs) that came of it, in the order of being told."""
    code: str
    reason: str
    result: Mapping[str, Any] | None  # Any: JSON values of several kinds
    """What a bulk call told line by line, as whoever settled it wrote it down."""
    settled_by: Witness | None
    created_at: datetime
    settled_at: datetime | None
    """When the present state was told; `None` while PREPARED."""
    process: str = ""
    """Which process sends it; "" where that was not written down."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """`repeated`: this very intent was here before; nothing was written and nothing may be sent."""

    intent: Intent
    repeated: bool


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """The desk's own switch: while it is on, no new orders leave. `by` and `at`: who turned it last; `None`: nobody."""

    on: bool = False
    reason: str = ""
    by: Actor | None = None
    at: datetime | None = None

"""What came of a confirmation, in words. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from dashboard.order_drafts import AnyOutcome
from dashboard.words import in_words
from services.domain.errors import UpstoxError
from services.domain.intents import IntentKind, IntentState
from services.domain.orders import OrderRequest
from services.orders.views import BasketOutcome, BulkOutcome, Outcome


class Mood(StrEnum):
    """How it ended: the box it is drawn in."""

    GOOD = "good"
    PARTLY = "partly"
    BAD = "bad"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of an end. `order_ids`: the orders to follow from here on."""

    mood: Mood
    title: str
    text: str
    order_ids: tuple[str, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    """One for each leg or line: what it was, what came of it."""


_DONE = {
    IntentKind.PLACE: "The broker has the order",
    IntentKind.MODIFY: "The change was accepted",
    IntentKind.CANCEL: "The cancellation was accepted",
    IntentKind.GTT_PLACE: "The broker keeps the GTT",
    IntentKind.GTT_MODIFY: "The GTT was changed",
    IntentKind.GTT_CANCEL: "The GTT was cancelled",
    IntentKind.CONVERT: "The position was converted",
    IntentKind.KILL_SWITCH: "The broker has stopped trading there",
}
_STATES = {
    IntentState.ACCEPTED: "accepted",
    IntentState.REFUSED: "refused",
    IntentState.NOT_SENT: "not sent",
    IntentState.UNKNOWN: "not known yet",
    IntentState.PREPARED: "not known yet",
    IntentState.ABSENT: "never arrived",
    IntentState.ABANDONED: "given up",
}
UNKNOWN = (
    "It was sent and no answer came, so the broker may have it. The desk looks for it in the broker's books and tells "
    "what it finds; it is not sent again by itself. Do not place it again before that is known."
)


def told(
    outcome: AnyOutcome, name: Callable[[OrderRequest], str], line_name: Callable[[str], str] = lambda name: name
) -> Told:
    """What came of it; `name` tells an order in a few words, `line_name` what the broker names by an id or a key."""
    if isinstance(outcome, BasketOutcome):
        return _basket(outcome, name)
    if isinstance(outcome, BulkOutcome):
        return _bulk(outcome, line_name)
    return _one(outcome)


def failed(error: UpstoxError) -> Told:
    """Nothing came of it: the desk's own checks refused it, or it could not be carried out."""
    words = in_words(error)
    if error.outcome_unknown:
        return Told(Mood.OPEN, "No answer from the broker", UNKNOWN)
    return Told(Mood.BAD, "Not sent", f"{words.text} Nothing went to the broker.")


def state_word(state: IntentState) -> str:
    """Accepted, refused, not known yet ..."""
    return _STATES[state]


def _one(outcome: Outcome) -> Told:
    again = " This had been confirmed before: nothing was sent a second time." if outcome.repeated else ""
    if outcome.state is IntentState.ACCEPTED:
        title = _DONE.get(outcome.kind, "Accepted")
        count = len(outcome.order_ids)
        text = f"It became {count} orders." if count > 1 else outcome.reason or _named(outcome.order_ids)
        return Told(Mood.GOOD, title, f"{text}{again}".strip(), outcome.order_ids)
    if outcome.open:
        return Told(Mood.OPEN, "No answer from the broker yet", f"{outcome.reason or UNKNOWN}{again}")
    title = {
        IntentState.REFUSED: "The broker refused it",
        IntentState.NOT_SENT: "Not sent",
        IntentState.ABSENT: "It never arrived",
        IntentState.ABANDONED: "Given up",
    }.get(outcome.state, "Refused")
    reason = _reason(outcome.reason, outcome.code)
    return Told(Mood.BAD, title, f"{reason}{again}", outcome.order_ids)


def _named(ids: tuple[str, ...]) -> str:
    return f"Its number is {ids[0]}." if ids else "The broker said yes."


def _basket(outcome: BasketOutcome, name: Callable[[OrderRequest], str]) -> Told:
    ids = tuple(id for leg in outcome.legs for id in leg.outcome.order_ids)
    lines = tuple(
        (name(leg.request), _line(leg.outcome.state, leg.outcome.code, leg.outcome.reason))
        for leg in outcome.legs
        if not leg.outcome.order_ids  # those with an order are followed by it
    )
    whole = outcome.accepted == len(outcome.legs)
    mood = Mood.OPEN if outcome.open else Mood.GOOD if whole else Mood.PARTLY if outcome.accepted else Mood.BAD
    text = UNKNOWN if outcome.open else "Each is a decision of its own; what came of it stands below."
    return Told(mood, _capital(outcome.text), text, ids, lines)


def _bulk(outcome: BulkOutcome, line_name: Callable[[str], str]) -> Told:
    lines = tuple((line_name(line.name), _line(line.state, line.code, line.reason)) for line in outcome.lines)
    whole = bool(outcome.lines) and outcome.accepted == len(outcome.lines)
    nothing = not outcome.lines and outcome.state is IntentState.ACCEPTED
    mood = (
        Mood.GOOD if whole or nothing else Mood.OPEN if outcome.open else Mood.PARTLY if outcome.accepted else Mood.BAD
    )
    reason = _reason(outcome.reason, outcome.code) if outcome.reason and outcome.lines else ""
    text = UNKNOWN if mood is Mood.OPEN else reason or "Line by line below."
    return Told(mood, _capital(outcome.text), text, (), lines)


def _line(state: IntentState, code: str, reason: str) -> str:
    word = state_word(state)
    return word if state is IntentState.ACCEPTED else f"{word}: {_reason(reason, code)}" if reason or code else word


def _reason(reason: str, code: str) -> str:
    text = reason or "No reason was given."
    if code and code not in text:
        text = f"{text.rstrip('.')} ({code})."
    return _capital(text)


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"

"""How the fate of a write is found out when its answer was lost: one rule for each kind of write.

A look reads the broker's books and comes to a `Verdict`, or to a `Clue`: nothing certain yet. "The broker never had it"
is concluded only in a look that is `final`: late enough that the request cannot still be on its way, and not the first.
Nothing is ever looked up by its parameters: orders are found by their unique tag, changes by the order's own history.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.domain.clock import ist_date
from services.domain.errors import UpstoxError
from services.domain.intents import Intent, IntentKind, IntentState, Witness
from services.domain.orders import BookOrder, OrderChange, Status, is_terminal
from services.domain.positions import Position
from services.orders.bodies import amount, read_change, read_request, texts
from services.orders.books import Books

_CANCELLED = frozenset({Status.CANCELLED, Status.AMO_CANCELLED})
_AMOUNTS = frozenset({"price", "trigger_price", "market_protection"})
_CLOCKS = timedelta(seconds=5)
"""The broker tells times to the second, by a clock of its own."""


ANOTHER_DAY = (
    "it was of another day, and the broker's order book tells of today only: look at the positions and at the trades "
    "of that day"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of it."""

    state: IntentState
    by: Witness = Witness.BOOK
    order_ids: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Clue:
    """Nothing certain. `nothing_found`: no trace of it; `candidates`: what may have come of it."""

    text: str
    nothing_found: bool = False
    candidates: tuple[str, ...] = ()


def look(intent: Intent, books: Books, *, final: bool) -> Verdict | Clue:
    """What the broker's books say of `intent`. Raises what reading them raises: then nothing was learnt."""
    return _RULES[intent.kind](intent, books, final)


def cancelled(order: BookOrder) -> bool:
    """Did it end by being cancelled?"""
    return order.status in _CANCELLED


def _placing(intent: Intent, books: Books, final: bool) -> Verdict | Clue:
    """By the tag; slices by all children of the tag against the quantity."""
    request = read_request(intent.body)
    found, by = _tagged(intent.tag, books, thorough=final)
    ids = tuple(order.order_id for order in found)
    there = sum(order.quantity for order in found)
    if found and (not request.slice or there >= request.quantity):
        return Verdict(IntentState.ACCEPTED, by, ids)
    if found and final:
        reason = f"only {there} of {request.quantity} arrived at the broker, in {len(ids)} orders"
        return Verdict(IntentState.ACCEPTED, by, ids, reason)
    if found:
        return Clue(f"{there} of {request.quantity} are in the order book so far", candidates=ids)
    if ist_date(intent.created_at) != books.today:
        return Clue(ANOTHER_DAY, nothing_found=True)
    if final:
        return Verdict(IntentState.ABSENT, by, reason="the broker's order book never showed it: nothing was placed")
    return Clue("it is not in the order book", nothing_found=True)


def _tagged(tag: str, books: Books, *, thorough: bool) -> tuple[tuple[BookOrder, ...], Witness]:
    """The orders of `tag` in the book; where that cannot be read, or shows none at the end, by the tag's own page."""
    try:
        found = books.tagged(tag)
    except UpstoxError:
        if found := books.history_of_tag(tag):
            return found, Witness.HISTORY
        raise  # a page that shows nothing is no book that shows nothing
    if not found and thorough:
        return books.history_of_tag(tag), Witness.HISTORY
    return found, Witness.BOOK


def _cancelling(intent: Intent, books: Books, final: bool) -> Verdict | Clue:
    order = books.order(intent.target)
    if order.status in _CANCELLED or order.status == Status.CANCELLING:
        return Verdict(IntentState.ACCEPTED, order_ids=(order.order_id,))
    if order.terminal:
        return Verdict(IntentState.REFUSED, reason=f"the order was not cancelled: it is {order.status}")
    steps = _since(books.history(intent.target), intent.created_at)
    if any(step.status == Status.NOT_CANCELLED for step in steps):
        return Verdict(IntentState.REFUSED, Witness.HISTORY, reason="the exchange did not cancel the order")
    if any(step.status == Status.CANCELLING for step in steps):
        return Clue("the broker is cancelling it")
    if final:
        return Verdict(IntentState.ABSENT, reason="the order stands as before: the cancellation never arrived")
    return Clue(f"the order is still {order.status}", nothing_found=True)


def _modifying(intent: Intent, books: Books, final: bool) -> Verdict | Clue:
    """By the order's values, its rising request id, and its history."""
    order, before, wanted = books.order(intent.target), intent.before or {}, read_change(intent.body)
    moved = order.request_id != str(before.get("request_id", ""))
    if _fits(order, wanted) and (moved or not _stood_so(before, wanted)):
        return Verdict(IntentState.ACCEPTED, order_ids=(order.order_id,))
    steps = _since(books.history(intent.target), intent.created_at)
    failed = next((step for step in steps if step.status == Status.NOT_MODIFIED), None)
    if failed is not None:
        why = failed.message or failed.raw_message or "the exchange did not modify the order"
        return Verdict(IntentState.REFUSED, Witness.HISTORY, reason=why)
    if any(_fits(step, wanted) and step.status == Status.MODIFIED for step in steps):
        return Verdict(IntentState.ACCEPTED, Witness.HISTORY, (order.order_id,))
    if moved:
        return Clue("the order was modified since, though not to what was wanted", candidates=(order.order_id,))
    if any(step.status in {Status.MODIFYING, Status.MODIFY_VALIDATING} for step in steps):
        return Clue("the broker is modifying it")
    if order.terminal and final:
        return Verdict(IntentState.ABSENT, reason=f"the order ended ({order.status}) as it was: no change arrived")
    if final:
        return Verdict(IntentState.ABSENT, reason="the order stands as before: the change never arrived")
    return Clue("the order stands as before", nothing_found=True)


def _cancelling_many(intent: Intent, books: Books, final: bool) -> Verdict | Clue:
    """By each of the orders that were alive, those included of which nobody here had heard then."""
    told = {order.order_id: order.status for order in books.orders}
    meant = [order.order_id for order in books.orders if _was_meant(order, intent)]
    ids = tuple(dict.fromkeys((*texts((intent.before or {}).get("order_ids")), *meant)))
    states = {order_id: told.get(order_id) or books.order(order_id).status for order_id in ids}
    gone = tuple(one for one, status in states.items() if status in _CANCELLED or status == Status.CANCELLING)
    alive = [one for one, status in states.items() if one not in gone and not is_terminal(status)]
    if not alive:
        return Verdict(IntentState.ACCEPTED, order_ids=gone, reason="" if ids else "no order was open")
    if gone and final:
        reason = f"{len(gone)} of {len(ids)} orders were cancelled, {len(alive)} are still open"
        return Verdict(IntentState.ACCEPTED, order_ids=gone, reason=reason)
    if final:
        return Verdict(IntentState.ABSENT, reason="every order stands as before: the call never arrived")
    return Clue(f"{len(alive)} of {len(ids)} orders are still open", nothing_found=not gone, candidates=gone)


def _was_meant(order: BookOrder, intent: Intent) -> bool:
    """Was this order open when all were to be cancelled?"""
    segment, tag = intent.body.get("segment"), intent.body.get("tag")
    if (segment and not order.key.startswith(f"{segment}|")) or (tag and order.tag != tag):
        return False
    if order.placed_at is None or order.placed_at > intent.created_at:
        return False
    ended = order.exchange_at or order.placed_at
    return not order.terminal or (order.status in _CANCELLED and ended >= intent.created_at - _CLOCKS)


def _exiting(intent: Intent, books: Books, final: bool) -> Verdict | Clue:
    """By the positions before and after; orders that came up meanwhile are shown to a person."""
    before = _quantities(intent.before)
    now = dict.fromkeys(before, 0) | {_place(one): one.quantity for one in books.positions}
    still = [place for place in before if now[place] != 0]
    ours = texts((intent.before or {}).get("order_ids"))
    since = intent.created_at - _CLOCKS
    fresh = tuple(
        order.order_id
        for order in books.orders
        if any(order.key == key for key, _ in before)
        and order.order_id not in ours
        and order.placed_at is not None
        and order.placed_at >= since
    )
    if not still:
        return Verdict(IntentState.ACCEPTED, order_ids=fresh)
    untouched = not fresh and all(now[place] == before[place] for place in before)
    if final and untouched:
        return Verdict(IntentState.ABSENT, reason="every position stands as before: the call never arrived")
    text = f"{len(still)} of {len(before)} positions are still open; {len(fresh)} orders in them came up since"
    return Clue(text, nothing_found=untouched, candidates=fresh)


def _converting(intent: Intent, books: Books, final: bool) -> Verdict | Clue:
    body, before = intent.body, _quantities(intent.before)
    key, quantity = str(body["key"]), int(body["quantity"]) * (1 if body["side"] == "BUY" else -1)
    now = {_place(one): one.quantity for one in books.positions}
    old, new = (key, str(body["from_product"])), (key, str(body["to_product"]))
    left, came = (now.get(place, 0) - before.get(place, 0) for place in (old, new))
    if left == -quantity and came == quantity:
        return Verdict(IntentState.ACCEPTED)
    if left == came == 0:
        if final:
            return Verdict(IntentState.ABSENT, reason="the position stands as before: the conversion never arrived")
        return Clue("the position stands as before", nothing_found=True)
    return Clue(f"meanwhile {old[1]} changed by {left:+d} and {new[1]} by {came:+d}")


def _waiting_orders(intent: Intent, books: Books, final: bool) -> Verdict | Clue:
    """GTTs carry no tag: the list before and after is shown, and a person decides."""
    before = texts((intent.before or {}).get("gtt_ids"))
    if intent.kind is IntentKind.GTT_PLACE:
        fresh = tuple(
            one.gtt_id for one in books.gtts if one.gtt_id not in before and one.key == str(intent.body.get("key"))
        )
        if fresh:
            return Clue("new in the list of GTT orders since: " + ", ".join(fresh), candidates=fresh)
        return Clue("no new GTT order of this instrument is in the list", nothing_found=True)
    found = next((one for one in books.gtts if one.gtt_id == intent.target), None)
    if found is None:
        return Clue(f"{intent.target} is not in the list any more")
    legs = ", ".join(f"{leg.strategy} {leg.status} at {leg.trigger_price}" for leg in found.legs)
    return Clue(f"the list tells of {found.gtt_id}: {found.quantity} in {found.product}, {legs}", candidates=())


def _switching(intent: Intent, books: Books, final: bool) -> Verdict | Clue:
    wanted: Mapping[str, object] = intent.body.get("switches") or {}
    now = {one.segment: one.killed for one in books.switches}
    wrong = [segment for segment, killed in wanted.items() if now.get(segment) is not killed]
    if not wrong:
        return Verdict(IntentState.ACCEPTED)
    if final:
        return Verdict(IntentState.ABSENT, reason=f"the switch of {', '.join(wrong)} stands as before")
    return Clue(f"the switch of {', '.join(wrong)} stands as before", nothing_found=True)


_RULES: Mapping[IntentKind, Callable[[Intent, Books, bool], Verdict | Clue]] = {
    IntentKind.PLACE: _placing,
    IntentKind.MODIFY: _modifying,
    IntentKind.CANCEL: _cancelling,
    IntentKind.CANCEL_ALL: _cancelling_many,
    IntentKind.EXIT_ALL: _exiting,
    IntentKind.CONVERT: _converting,
    IntentKind.GTT_PLACE: _waiting_orders,
    IntentKind.GTT_MODIFY: _waiting_orders,
    IntentKind.GTT_CANCEL: _waiting_orders,
    IntentKind.KILL_SWITCH: _switching,
}


def _since(steps: tuple[BookOrder, ...], at: datetime) -> list[BookOrder]:
    """The steps that were told of no earlier than `at`."""
    return [step for step in steps if (told := step.exchange_at or step.placed_at) and told >= at - _CLOCKS]


def _fits(order: BookOrder, wanted: OrderChange) -> bool:
    asked = {name: getattr(wanted, name) for name in OrderChange.__slots__ if getattr(wanted, name) is not None}
    asked.pop("market_protection", None)  # books do not tell it
    return all(getattr(order, name) == value for name, value in asked.items())


def _stood_so(before: Mapping[str, object], wanted: OrderChange) -> bool:
    for name in OrderChange.__slots__:
        value = getattr(wanted, name)
        if value is None or name == "market_protection":
            continue
        was = before.get(name)
        if (amount(was) if name in _AMOUNTS else was) != value:
            return False
    return True


def _place(position: Position) -> tuple[str, str]:
    return position.key, position.product


def _quantities(before: Mapping[str, object] | None) -> dict[tuple[str, str], int]:
    rows = (before or {}).get("positions")
    return {
        (str(row["key"]), str(row["product"])): int(row["quantity"])
        for row in (rows if isinstance(rows, list | tuple) else ())
    }

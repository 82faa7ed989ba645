"""What waits for a confirmation, in words, and how it is carried out once it is confirmed.

A draft is made when somebody asks for the confirmation, with the id of the decision in it. Nothing in it changes
afterwards: what was read is what is sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from dashboard.formatting import number, price_decimals, quantity, rupees
from dashboard.ticket_form import SIDE_NAMES, TYPE_NAMES, VALIDITY_NAMES
from services.domain.actors import Actor
from services.domain.gtt import GttOrder, GttRequest
from services.domain.instruments import Instrument
from services.domain.orders import BookOrder, OrderChange, OrderRequest, Side
from services.orders.views import BasketOutcome, BulkOutcome, Outcome

MOST_LEGS = 10

AnyOutcome = Outcome | BasketOutcome | BulkOutcome


class Orders(Protocol):
    """The part of the order desk that carries things out."""

    def place(self, request: OrderRequest, *, intent_id: str, actor: Actor) -> Outcome: ...
    def modify(self, order_id: str, change: OrderChange, *, intent_id: str, actor: Actor) -> Outcome: ...
    def cancel(self, order_id: str, *, intent_id: str, actor: Actor) -> Outcome: ...
    def place_basket(self, requests: Sequence[OrderRequest], *, intent_id: str, actor: Actor) -> BasketOutcome: ...
    def cancel_all(
        self, segment: str | None = None, tag: str | None = None, *, intent_id: str, actor: Actor
    ) -> BulkOutcome: ...
    def exit_all(
        self, segment: str | None = None, tag: str | None = None, *, intent_id: str, actor: Actor
    ) -> BulkOutcome: ...
    def gtt_place(self, request: GttRequest, *, intent_id: str, actor: Actor) -> Outcome: ...
    def gtt_modify(self, gtt_id: str, request: GttRequest, *, intent_id: str, actor: Actor) -> Outcome: ...
    def gtt_cancel(self, gtt_id: str, *, intent_id: str, actor: Actor) -> Outcome: ...
    def convert(
        self,
        key: str,
        side: Side,
        quantity: int,
        from_product: str,
        to_product: str,
        *,
        intent_id: str,
        actor: Actor,
    ) -> Outcome: ...
    def set_broker_kill_switch(self, segments: dict[str, bool], *, intent_id: str, actor: Actor) -> Outcome: ...


class What(StrEnum):
    """What a draft would do."""

    PLACE = "place"
    BASKET = "basket"
    MODIFY = "modify"
    CANCEL = "cancel"
    CANCEL_ALL = "cancel all"
    EXIT_ALL = "exit all"
    EXITS = "exits"
    """Orders that close positions, confirmed together."""
    CONVERT = "convert"
    GTT_PLACE = "gtt place"
    GTT_MODIFY = "gtt modify"
    GTT_CANCEL = "gtt cancel"
    BROKER_SWITCH = "broker's kill switch"


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """One decision that is put to a person."""

    intent_id: str
    what: What
    title: str
    sentences: tuple[str, ...]
    """What will be done, in words."""
    button: str
    """What the button says: the deed itself, never "OK"."""
    carry_out: Callable[[Orders, str, Actor], AnyOutcome] = field(repr=False)
    requests: tuple[OrderRequest, ...] = ()
    """The orders that it would place, to be checked and priced while it is looked at."""
    warnings: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def opens(self) -> bool:
        """Would it place orders?"""
        return bool(self.requests)

    @property
    def many(self) -> bool:
        """Is it priced as several orders together?"""
        return self.what in (What.BASKET, What.EXITS)


def new_id() -> str:
    """An id for a decision that nobody else has."""
    return f"page-{uuid.uuid4().hex}"


def send_draft(orders: Orders, draft: OrderDraft, actor: Actor) -> AnyOutcome:
    """Carry it out. May take as long as the broker does."""
    return draft.carry_out(orders, draft.intent_id, actor)


def name_of(instrument: Instrument | None, key: str) -> str:
    """RELIANCE (NSE); the key itself where the master is not there."""
    return f"{instrument.symbol} ({instrument.exchange})" if instrument is not None else key


def terse(request: OrderRequest, instrument: Instrument | None) -> str:
    """An order in a few words: Buy 10 RELIANCE at 1,234.50."""
    who = instrument.symbol if instrument is not None else request.key
    at = f" at {_price(request.price, instrument)}" if request.price is not None else " at the market"
    if request.trigger_price is not None:
        at = f" when {_price(request.trigger_price, instrument)} trades{at if request.price is not None else ''}"
    return f"{SIDE_NAMES[request.side]} {quantity(request.quantity)} {who}{at}"


def place_draft(
    request: OrderRequest, instrument: Instrument | None, sentence: str, *, warnings: Sequence[str] = ()
) -> OrderDraft:
    """One order. `sentence` repeats it in words."""
    return OrderDraft(
        intent_id=new_id(),
        what=What.PLACE,
        title=f"{SIDE_NAMES[request.side]} {instrument.symbol if instrument else request.key}?",
        sentences=(sentence,),
        button=terse(request, instrument),
        carry_out=lambda orders, id, actor: orders.place(request, intent_id=id, actor=actor),
        requests=(request,),
        warnings=tuple(warnings),
    )


def basket_draft(requests: Sequence[OrderRequest], sentences: Sequence[str]) -> OrderDraft:
    """Up to ten orders, confirmed together."""
    legs = tuple(requests)
    return OrderDraft(
        intent_id=new_id(),
        what=What.BASKET,
        title=f"Place {len(legs)} order{'' if len(legs) == 1 else 's'}?",
        sentences=tuple(sentences),
        button=f"Place {len(legs)} order{'' if len(legs) == 1 else 's'}",
        carry_out=lambda orders, id, actor: orders.place_basket(legs, intent_id=id, actor=actor),
        requests=legs,
        warnings=("Each is sent for itself, one after the other: some may be accepted and others refused.",),
    )


def modify_draft(order: BookOrder, change: OrderChange, instrument: Instrument | None) -> OrderDraft:
    """Another price, quantity or type for an order that is open."""
    facts = tuple(change_facts(order, change, instrument))
    return OrderDraft(
        intent_id=new_id(),
        what=What.MODIFY,
        title=f"Change the order for {_symbol(order, instrument)}?",
        sentences=(told_of(order, instrument),),
        button="Change the order",
        carry_out=lambda orders, id, actor: orders.modify(order.order_id, change, intent_id=id, actor=actor),
        facts=facts,
    )


def cancel_draft(order: BookOrder, instrument: Instrument | None) -> OrderDraft:
    """The end of one order."""
    warnings = (
        (f"{quantity(order.filled_quantity)} of it are filled already and stay so.",) if order.filled_quantity else ()
    )
    return OrderDraft(
        intent_id=new_id(),
        what=What.CANCEL,
        title=f"Cancel the order for {_symbol(order, instrument)}?",
        sentences=(told_of(order, instrument),),
        button="Cancel this order",
        carry_out=lambda orders, id, actor: orders.cancel(order.order_id, intent_id=id, actor=actor),
        warnings=warnings,
    )


def cancel_all_draft(orders_now: Sequence[BookOrder], segment: str | None) -> OrderDraft:
    """The end of every open order, of one segment or of all."""
    count = len(orders_now)
    place = f" in {segment_name(segment)}" if segment else ""
    return OrderDraft(
        intent_id=new_id(),
        what=What.CANCEL_ALL,
        title=f"Cancel all open orders{place}?",
        sentences=(
            f"{quantity(count)} open order{'' if count == 1 else 's'}{place} will be cancelled, "
            "and whatever else is open there by then.",
        ),
        button=f"Cancel all open orders{place}",
        carry_out=lambda orders, id, actor: orders.cancel_all(segment, intent_id=id, actor=actor),
    )


def exit_all_draft(positions: int | None, segment: str | None) -> OrderDraft:
    """Market orders against every open position, of one segment or of all. `positions`: how many, where known."""
    place = f" in {segment_name(segment)}" if segment else ""
    how_many = "All open positions" if positions is None else f"{quantity(positions)} open positions"
    return OrderDraft(
        intent_id=new_id(),
        what=What.EXIT_ALL,
        title=f"Exit all positions{place}?",
        sentences=(f"{how_many}{place} will be closed at the market, those that were sold first.",),
        button=f"Exit all positions{place}",
        carry_out=lambda orders, id, actor: orders.exit_all(segment, intent_id=id, actor=actor),
        warnings=("Market orders take the prices that there are. Cancel open orders first, or they may fill as well.",),
    )


def gtt_place_draft(request: GttRequest, instrument: Instrument | None, sentences: Sequence[str]) -> OrderDraft:
    """Orders that wait at the broker for their prices."""
    return OrderDraft(
        intent_id=new_id(),
        what=What.GTT_PLACE,
        title=f"Leave a GTT for {instrument.symbol if instrument else request.key}?",
        sentences=tuple(sentences),
        button="Leave this GTT",
        carry_out=lambda orders, id, actor: orders.gtt_place(request, intent_id=id, actor=actor),
        warnings=("When a trigger trades, the broker places a limit order at that price; it may stay unfilled.",),
    )


def gtt_modify_draft(
    gtt: GttOrder, request: GttRequest, instrument: Instrument | None, sentences: Sequence[str]
) -> OrderDraft:
    """Other prices for what waits."""
    return OrderDraft(
        intent_id=new_id(),
        what=What.GTT_MODIFY,
        title=f"Change the GTT for {instrument.symbol if instrument else gtt.symbol or gtt.key}?",
        sentences=tuple(sentences),
        button="Change this GTT",
        carry_out=lambda orders, id, actor: orders.gtt_modify(gtt.gtt_id, request, intent_id=id, actor=actor),
    )


def gtt_cancel_draft(gtt: GttOrder, sentences: Sequence[str]) -> OrderDraft:
    """The end of what waits."""
    return OrderDraft(
        intent_id=new_id(),
        what=What.GTT_CANCEL,
        title=f"Cancel the GTT for {gtt.symbol or gtt.key}?",
        sentences=tuple(sentences),
        button="Cancel this GTT",
        carry_out=lambda orders, id, actor: orders.gtt_cancel(gtt.gtt_id, intent_id=id, actor=actor),
    )


def broker_switch_draft(segments: Sequence[str]) -> OrderDraft:
    """The broker's own switch: no trading in those segments for twelve hours."""
    names = ", ".join(map(segment_name, segments))
    return OrderDraft(
        intent_id=new_id(),
        what=What.BROKER_SWITCH,
        title="Have the broker stop trading?",
        sentences=(f"The broker stops trading in {names}: open orders there are cancelled, new ones refused.",),
        button=f"Stop trading in {names}",
        carry_out=lambda orders, id, actor: orders.set_broker_kill_switch(
            dict.fromkeys(segments, True), intent_id=id, actor=actor
        ),
        warnings=("It cannot be lifted for twelve hours. The broker refuses it while a position is open there.",),
    )


def change_facts(order: BookOrder, change: OrderChange, instrument: Instrument | None) -> list[tuple[str, str]]:
    """What would be different: its name, and from what to what."""
    pairs: list[tuple[str, Any, Any, Callable[[Any], str]]] = [
        ("Quantity", order.quantity, change.quantity, quantity),
        ("Type", order.order_type, change.order_type, lambda kind: TYPE_NAMES.get(kind, kind)),
        ("Price", order.price, change.price, lambda price: _price(price, instrument)),
        ("Trigger", order.trigger_price, change.trigger_price, lambda price: _price(price, instrument)),
        ("Validity", order.validity, change.validity, lambda told: VALIDITY_NAMES.get(told, told)),
        ("Disclosed", order.disclosed_quantity, change.disclosed_quantity, quantity),
        ("Protection", order.market_protection, change.market_protection, _protection),
    ]
    return [(name, f"{say(old)} → {say(new)}") for name, old, new, say in pairs if new is not None and new != old]


def told_of(order: BookOrder, instrument: Instrument | None) -> str:
    """An order of the book in one sentence: Buy 10 RELIANCE (NSE), limit 1,234.50, 3 filled."""
    who = name_of(instrument, f"{order.symbol} ({order.exchange})" if order.symbol else order.key)
    parts = [f"{SIDE_NAMES[order.side]} {quantity(order.quantity)} {who}"]
    parts.append(TYPE_NAMES.get(order.order_type, order.order_type).lower() if order.order_type in ("LIMIT", "MARKET")
                 else order.order_type)  # fmt: skip
    if order.price > 0:
        parts[-1] += f" {_price(order.price, instrument)}"
    if order.trigger_price > 0:
        parts.append(f"trigger {_price(order.trigger_price, instrument)}")
    if order.filled_quantity:
        parts.append(f"{quantity(order.filled_quantity)} filled")
    return ", ".join(parts) + f". Order {order.order_id}."


def segment_name(segment: str) -> str:
    """NSE shares, NSE F&O: what an exchange segment is called among people."""
    return {
        "NSE_EQ": "NSE shares", "BSE_EQ": "BSE shares", "NSE_FO": "NSE F&O", "BSE_FO": "BSE F&O",
        "NCD_FO": "NSE currency", "BCD_FO": "BSE currency", "MCX_FO": "MCX", "NSE_COM": "NSE commodities",
    }.get(segment, segment)  # fmt: skip


def _symbol(order: BookOrder, instrument: Instrument | None) -> str:
    return instrument.symbol if instrument is not None else order.symbol or order.key


def _price(price: Decimal | None, instrument: Instrument | None) -> str:
    return rupees(price, price_decimals(instrument.tick_size if instrument is not None else None))


def _protection(percent: Decimal | None) -> str:
    return "automatic" if percent is None or percent < 0 else f"{number(percent, 0)} %"

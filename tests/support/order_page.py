"""An order desk in memory for page tests: takes what it is told to take, and remembers all that was asked of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from services.domain.actors import Actor
from services.domain.errors import UpstoxError
from services.domain.gtt import GttLegState, GttOrder, GttRequest
from services.domain.intents import IntentKind, IntentState, KillSwitch
from services.domain.order_facts import Finding, OrderLimits
from services.domain.order_records import OrderEvent, StoredTrade
from services.domain.order_words import order_sentence
from services.domain.orders import BookOrder, OrderChange, OrderRequest, Side, Status
from services.orders.views import (
    Announcement,
    BasketLeg,
    BasketOutcome,
    BasketPreview,
    BookView,
    BulkLine,
    BulkOutcome,
    Figure,
    GttView,
    News,
    OpenIntent,
    Outcome,
    Preview,
    SwitchesView,
    TradesView,
)
from services.portfolio.charges.lines import PaiseLines

NOW = datetime.now(UTC)
RELIANCE = "NSE_EQ|INE002A01018"


def book_order(number: int = 1, status: str = Status.OPEN, **told: Any) -> BookOrder:
    """An order of the book: buy 10 RELIANCE at 1,234.50 unless told otherwise."""
    usual: dict[str, Any] = {
        "order_id": f"2611200000{number:05d}",
        "key": RELIANCE,
        "side": Side.BUY,
        "quantity": 10,
        "order_type": "LIMIT",
        "product": "D",
        "validity": "DAY",
        "price": Decimal("1234.50"),
        "trigger_price": Decimal(0),
        "status": str(status),
        "symbol": "RELIANCE",
        "exchange": "NSE",
        "placed_at": NOW - timedelta(minutes=10),
    }
    return BookOrder(**{**usual, **told})


class FakeOrders:
    """What a page needs of `OrderDesk`. `answer` decides what becomes of a decision; by default it is accepted."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.known: dict[str, Any] = {}
        self.orders: list[BookOrder] = []
        self.fills: list[StoredTrade] = []
        self.waiting: list[GttOrder] = []
        self.unknown: list[OpenIntent] = []
        self.events: list[OrderEvent] = []
        self.news: list[Announcement] = []
        self.findings: tuple[Finding, ...] = ()
        self.switch = KillSwitch()
        self.rules = OrderLimits()
        self.error: str | None = None
        self.history: list[OrderEvent] = []
        self.history_error: UpstoxError | None = None
        self.not_ready = ""
        self.answer: Callable[[IntentKind, str], Outcome] = self.accept

    def start(self) -> None:
        """Nothing to be reconciled here."""

    # -- what becomes of decisions --

    def accept(self, kind: IntentKind, intent_id: str) -> Outcome:
        number = f"26112100{len(self.known):07d}"
        return Outcome(IntentState.ACCEPTED, intent_id, kind, "tag", (number,))

    def refuse(self, code: str, reason: str) -> None:
        self.answer = lambda kind, id: Outcome(IntentState.REFUSED, id, kind, "tag", (), code, reason)

    def lose(self) -> None:
        self.answer = lambda kind, id: Outcome(IntentState.UNKNOWN, id, kind, "tag")

    def _carried_out(self, kind: IntentKind, intent_id: str, what: Any) -> Outcome:
        if intent_id in self.known:
            return replace(self.known[intent_id], repeated=True)
        self.calls.append((kind.value, what))
        self.known[intent_id] = self.answer(kind, intent_id)
        return self.known[intent_id]

    def place(self, request: OrderRequest, *, intent_id: str, actor: Actor) -> Outcome:
        first = intent_id not in self.known
        outcome = self._carried_out(IntentKind.PLACE, intent_id, request)
        if first and outcome.accepted:
            order = book_order(len(self.orders) + 1, key=request.key, side=request.side, quantity=request.quantity)
            self.orders.insert(0, replace(order, order_id=outcome.order_ids[0], placed_at=datetime.now(UTC)))
        return outcome

    def modify(self, order_id: str, change: OrderChange, *, intent_id: str, actor: Actor) -> Outcome:
        return self._carried_out(IntentKind.MODIFY, intent_id, (order_id, change))

    def cancel(self, order_id: str, *, intent_id: str, actor: Actor) -> Outcome:
        return self._carried_out(IntentKind.CANCEL, intent_id, order_id)

    def place_basket(self, requests: Sequence[OrderRequest], *, intent_id: str, actor: Actor) -> BasketOutcome:
        legs = [
            BasketLeg(request, self.place(request, intent_id=f"{intent_id}-{number}", actor=actor))
            for number, request in enumerate(requests)
        ]
        self.known[intent_id] = BasketOutcome(intent_id, tuple(legs))
        return self.known[intent_id]

    def _bulk(self, kind: IntentKind, intent_id: str, segment: str | None, names: Sequence[str]) -> BulkOutcome:
        if intent_id not in self.known:
            self.calls.append((kind.value, segment))
            lines = tuple(BulkLine(name, IntentState.ACCEPTED) for name in names)
            self.known[intent_id] = BulkOutcome(IntentState.ACCEPTED, intent_id, kind, lines)
        return self.known[intent_id]

    def cancel_all(
        self, segment: str | None = None, tag: str | None = None, *, intent_id: str, actor: Actor
    ) -> BulkOutcome:
        alive = [order.order_id for order in self.orders if not order.terminal]
        return self._bulk(IntentKind.CANCEL_ALL, intent_id, segment, alive)

    def exit_all(
        self, segment: str | None = None, tag: str | None = None, *, intent_id: str, actor: Actor
    ) -> BulkOutcome:
        return self._bulk(IntentKind.EXIT_ALL, intent_id, segment, [RELIANCE])

    def gtt_place(self, request: GttRequest, *, intent_id: str, actor: Actor) -> Outcome:
        return self._carried_out(IntentKind.GTT_PLACE, intent_id, request)

    def gtt_modify(self, gtt_id: str, request: GttRequest, *, intent_id: str, actor: Actor) -> Outcome:
        return self._carried_out(IntentKind.GTT_MODIFY, intent_id, (gtt_id, request))

    def gtt_cancel(self, gtt_id: str, *, intent_id: str, actor: Actor) -> Outcome:
        return self._carried_out(IntentKind.GTT_CANCEL, intent_id, gtt_id)

    def set_broker_kill_switch(self, segments: Mapping[str, bool], *, intent_id: str, actor: Actor) -> Outcome:
        return self._carried_out(IntentKind.KILL_SWITCH, intent_id, dict(segments))

    def set_kill_switch(self, on: bool, *, reason: str = "", actor: Actor) -> KillSwitch:
        self.calls.append(("switch", (on, reason)))
        self.switch = KillSwitch(on, reason, actor, NOW)
        return self.switch

    def set_limits(self, limits: OrderLimits, *, actor: Actor) -> None:
        self.rules = limits

    def resolve(self, intent_id: str, happened: bool | None, *, order_ids: Sequence[str] = (), actor: Actor) -> Outcome:
        self.calls.append(("resolve", (intent_id, happened)))
        self.unknown = [one for one in self.unknown if one.intent_id != intent_id]
        return Outcome(IntentState.ABSENT, intent_id, IntentKind.PLACE)

    # -- what is known --

    def book(self) -> BookView:
        return BookView(tuple(self.orders), NOW, self.error, self.error is None, len(self.calls))

    def trades(self) -> TradesView:
        return TradesView(tuple(self.fills), NOW, self.error)

    def gtts(self) -> GttView:
        return GttView(tuple(self.waiting), NOW, self.error)

    def order(self, order_id: str) -> BookOrder | None:
        return next((order for order in self.orders if order.order_id == order_id), None)

    def timeline(self, order_id: str) -> tuple[OrderEvent, ...]:
        return tuple(event for event in self.events if event.order_id == order_id)

    def load_history(self, order_id: str) -> tuple[OrderEvent, ...]:
        self.calls.append(("history", order_id))
        if self.history_error is not None:
            raise self.history_error
        self.events += self.history
        return self.timeline(order_id)

    def open_intents(self) -> tuple[OpenIntent, ...]:
        return tuple(self.unknown)

    def outcome(self, intent_id: str) -> Any:
        known = self.known.get(intent_id)
        return None if known is None else replace(known, repeated=True)  # as what is read from the ledger is

    def announcements(self, after: int) -> tuple[Announcement, ...]:
        return tuple(one for one in self.news if one.number > after)

    def ready(self) -> str:
        return self.not_ready

    def kill_switch(self) -> KillSwitch:
        return self.switch

    def broker_kill_switch(self) -> SwitchesView:
        return SwitchesView((), None, "the broker was not asked")

    def limits(self) -> OrderLimits:
        return self.rules

    def refresh(self) -> None:
        self.calls.append(("refresh", None))

    def preview(self, request: OrderRequest, *, wait: bool = False) -> Preview:
        price = request.price or Decimal(1000)
        return Preview(
            request=request,
            sentence=order_sentence(request),
            findings=self.findings,
            value=price * request.quantity,
            worst_price=price,
            quote=None,
            margin=Figure(price * request.quantity),
            charges=Figure(error="the broker does not answer"),
            available=Figure(),
            own_charges=Figure(Decimal("2.41")),
            own_detail=PaiseLines(stt=200, exchange=4, stamp=0, gst=37),
        )

    def preview_basket(self, requests: Sequence[OrderRequest], *, wait: bool = False) -> BasketPreview:
        legs = tuple(map(self.preview, requests))
        value = sum((leg.value or Decimal(0) for leg in legs), Decimal(0))
        return BasketPreview(legs, value, Figure(value), Figure(Decimal("12.34")), Figure(Decimal(1_000_000)))

    # -- ready-made troubles --

    def add_unknown(self, *, may_send_anew: bool, request: OrderRequest | None = None) -> OpenIntent:
        one = OpenIntent(
            intent_id="lost",
            kind=IntentKind.PLACE,
            text="Buy 10 RELIANCE (NSE) at a limit of ₹1,234.50",
            tag="desk-abc",
            since=NOW - timedelta(seconds=30),
            state=IntentState.UNKNOWN,
            looks=2,
            next_look_at=NOW + timedelta(seconds=5),
            may_send_anew=may_send_anew,
            request=request,
        )
        self.unknown.append(one)
        return one

    def announce(self, kind: News, text: str, *, good: bool = True) -> None:
        self.news.append(Announcement(len(self.news) + 1, NOW, kind, text, "2611200000", "", good))


def waiting_gtt() -> GttOrder:
    """A bracket: buy 10 RELIANCE at or below 1,200, target 1,300, stop 1,150."""
    legs = tuple(
        GttLegState(name, "SCHEDULED", "BELOW" if name == "ENTRY" else "IMMEDIATE", Decimal(price), Side.BUY)
        for name, price in (("ENTRY", 1200), ("TARGET", 1300), ("STOPLOSS", 1150))
    )
    return GttOrder("GTT-C26112100001", "MULTIPLE", RELIANCE, 10, "D", legs, "RELIANCE", "NSE_EQ")

"""The order desk: what screens, scripts and the public services use to send orders and to know what became of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from services.domain.actors import Actor, require_operator, require_trader
from services.domain.gtt import GttOrder, GttRequest
from services.domain.intents import IntentKind, KillSwitch
from services.domain.margins import SegmentSwitch
from services.domain.order_checks import OrderLimits, StaticIp
from services.domain.order_records import OrderEvent, StoredTrade
from services.domain.orders import BookOrder, OrderChange, OrderRequest, Side
from services.ledger.account_mark import AccountMarks
from services.ledger.audit import Audit
from services.ledger.order_settings import OrderSettings
from services.ledger.trades import Trades
from services.orders.aftermath import Aftermath
from services.orders.announcing import Announcer
from services.orders.asking import Asker
from services.orders.bulk import Bulk
from services.orders.bulk_outcomes import bulk_outcome
from services.orders.cases import Cases
from services.orders.checking import AddressWatch
from services.orders.fills import Fills
from services.orders.kit import Kit, outcome_of
from services.orders.resolving import Resolver
from services.orders.singles import Singles
from services.orders.streaming import Stream
from services.orders.told import Told
from services.orders.views import (
    Announcement,
    BasketOutcome,
    BasketPreview,
    BookView,
    BulkOutcome,
    GttView,
    News,
    OpenIntent,
    Outcome,
    Preview,
    SwitchesView,
    TradesView,
)

log = logging.getLogger(__name__)


class OrderDesk:
    """Orders of one account. Safe to share between threads; make one per process, and close it.

    Writes take `intent_id`, made where the decision is taken, and `actor`. The same id again gives the first result and
    sends nothing. What the desk's own checks refuse raises `InvalidRequest`; what came of everything that was written
    down is an outcome: accepted, refused by the broker, not sent, or unknown until the broker's books tell.
    Reads make no request. Threads: `order-reconciliation`, `order-preview`.
    """

    def __init__(
        self,
        kit: Kit,
        *,
        fills: Fills,
        trades: Trades,
        rules: OrderSettings,
        audit: Audit,
        marks: AccountMarks,
        cases: Cases,
        announcer: Announcer,
        asker: Asker,
        address: AddressWatch,
        gtts: Told[tuple[GttOrder, ...]],
        switches: Told[tuple[SegmentSwitch, ...]],
        after: Aftermath,
        connect_stream: Callable[[], object],
        account_name: Callable[[int | None], str],
    ) -> None:
        """Its parts, made by `services.orders.opening`."""
        self._broker = kit.broker
        self._intents = kit.intents
        self._orders = kit.orders
        self._previews = kit.previews
        self._keeper = kit.keeper
        self._book = kit.book
        self._reconciliation = kit.reconciliation
        self._stream_up = kit.stream_up
        self._fills = fills
        self._trades = trades
        self._rules = rules
        self._marks = marks
        self._cases = cases
        self._announcer = announcer
        self._asker = asker
        self._address = address
        self._gtts = gtts
        self._switches = switches
        self._after = after
        self._connect_stream = connect_stream
        self._account_name = account_name
        self._stream = Stream(keeper=kit.keeper, reconciliation=kit.reconciliation, gtts=gtts)
        self._resolver = Resolver(intents=kit.intents, sender=kit.sender, cases=cases, audit=audit)
        self._singles = Singles(kit, gtts, switches)
        self._bulk = Bulk(kit)

    # -- life --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Find out what was open, then keep the book current, in a thread; have the order stream connected. A second
        call changes nothing."""
        self._connect_stream()
        self._reconciliation.start()

    def begin_close(self) -> None:
        self._reconciliation.begin_close()

    def close(self) -> None:
        """End the threads. What was sent stays sent; whatever is open is found out at the next start."""
        self._reconciliation.close()
        self._asker.close()

    def ready(self) -> str:
        """May something be sent? "" = yes, else the sentence why not."""
        return self._reconciliation.ready()

    def heard(self, update: Mapping[str, object]) -> None:
        """An update of the order stream, as it came."""
        self._stream.heard(update)

    def stream_opened(self) -> None:
        """The order stream has come up: what happened in the gap only the books tell."""
        self._stream.opened()

    # -- writes ------------------------------------------------------------------------------------------------

    def place(self, request: OrderRequest, *, intent_id: str, actor: Actor, label: str = "") -> Outcome:
        """Place one order, once. `label` is added to its tag, for whoever looks at the broker's own screens."""
        return self._singles.place(request, intent_id=intent_id, actor=actor, label=label)

    def modify(self, order_id: str, change: OrderChange, *, intent_id: str, actor: Actor) -> Outcome:
        """Change an order; what `change` leaves out stays."""
        return self._singles.modify(order_id, change, intent_id=intent_id, actor=actor)

    def cancel(self, order_id: str, *, intent_id: str, actor: Actor) -> Outcome:
        """Cancel an order. No kill switch and no limit stands in the way of that."""
        return self._singles.cancel(order_id, intent_id=intent_id, actor=actor)

    def place_basket(self, requests: Sequence[OrderRequest], *, intent_id: str, actor: Actor) -> BasketOutcome:
        """Place up to ten orders that were confirmed together: all pass the checks or none is sent, then each has a
        fate of its own."""
        return self._bulk.place_basket(requests, intent_id=intent_id, actor=actor)

    def cancel_all(
        self, segment: str | None = None, tag: str | None = None, *, intent_id: str, actor: Actor
    ) -> BulkOutcome:
        """Cancel all open orders, or those of a segment or a tag. `InvalidRequest` where none is open."""
        return self._bulk.cancel_all(segment, tag, intent_id=intent_id, actor=actor)

    def exit_all(
        self, segment: str | None = None, tag: str | None = None, *, intent_id: str, actor: Actor
    ) -> BulkOutcome:
        """Close all open positions at the market, or those of a segment. `InvalidRequest` where none is open."""
        return self._bulk.exit_all(segment, tag, intent_id=intent_id, actor=actor)

    def gtt_place(self, request: GttRequest, *, intent_id: str, actor: Actor) -> Outcome:
        """Have an order wait at the broker."""
        return self._singles.gtt_place(request, intent_id=intent_id, actor=actor)

    def gtt_modify(self, gtt_id: str, request: GttRequest, *, intent_id: str, actor: Actor) -> Outcome:
        """Give a waiting order another quantity and other legs."""
        return self._singles.gtt_modify(gtt_id, request, intent_id=intent_id, actor=actor)

    def gtt_cancel(self, gtt_id: str, *, intent_id: str, actor: Actor) -> Outcome:
        """Cancel a waiting order with all its legs."""
        return self._singles.gtt_cancel(gtt_id, intent_id=intent_id, actor=actor)

    def convert(
        self, key: str, side: Side, quantity: int, from_product: str, to_product: str, *, intent_id: str, actor: Actor
    ) -> Outcome:
        """Hold a position as another product. `side` is the position's; MIS, CNC and NRML are understood."""
        outcome = self._singles.convert(key, side, quantity, from_product, to_product, intent_id=intent_id, actor=actor)
        if not outcome.repeated:
            self._after.filled()
        return outcome

    def set_kill_switch(self, on: bool, *, reason: str = "", actor: Actor) -> KillSwitch:
        """The desk's own kill switch, for every process on this ledger: no new orders while it is on; cancels, exits
        (of all positions, and orders that only close one) and conversions still pass. Every trader may turn it on, an
        operator turns it off."""
        if on:
            require_trader(actor)
        else:
            require_operator(actor, "let orders leave again")
        return self._rules.set_kill_switch(on, reason, actor)

    def set_broker_kill_switch(self, switches: Mapping[str, bool], *, intent_id: str, actor: Actor) -> Outcome:
        """The broker's: by segment, shall it be on? On cancels what is open there and cannot be taken back for 12
        hours."""
        return self._singles.set_broker_kill_switch(switches, intent_id=intent_id, actor=actor)

    def set_limits(self, limits: OrderLimits, *, actor: Actor) -> OrderLimits:
        """What orders may not exceed, for every process on this ledger."""
        require_operator(actor, "change the limits")
        return self._rules.set_limits(limits, actor)

    def resolve(self, intent_id: str, happened: bool | None, *, order_ids: Sequence[str] = (), actor: Actor) -> Outcome:
        """A person decides what became of a decision that the books do not settle: it happened, it did not, or
        (`None`) nobody looks any more. Who has seen it at the broker later is believed over that."""
        return self._resolver.resolve(intent_id, happened, order_ids=order_ids, actor=actor)

    # -- reads, without a request ------------------------------------------------------------------------------

    def book(self) -> BookView:
        """The orders of the day, the newest first, with the age of what is known."""
        as_of, error = self._keeper.state()
        orders, version = self._book.all()
        return BookView(orders, as_of, error, self._stream_up(), version)

    def order(self, order_id: str) -> BookOrder | None:
        """One order, of any day; `None`: never heard of."""
        return self._book.get(order_id) or self._orders.get(order_id)

    def timeline(self, order_id: str) -> tuple[OrderEvent, ...]:
        """Every change of one order, as far as the desk has heard of it."""
        return self._orders.timeline(order_id)

    def trades(self) -> TradesView:
        """The fills of the day, the newest first. They are asked for when the book tells of one: while it cannot be
        read, they are not current either."""
        told, as_of, error = self._fills.told()
        return TradesView(told, as_of, error or self._keeper.state()[1])

    def past_trades(self, start: date, end: date) -> list[StoredTrade]:
        """The fills of those days as they are kept here, the oldest first."""
        return self._trades.between(start, end)

    def fills_of(self, key: str, start: date, end: date) -> list[StoredTrade]:
        """The fills of one instrument on those days, as they are kept here, the oldest first; of an account that was
        put away none."""
        mark = self._marks.get()
        return [fill for fill in self._trades.between(start, end, key) if not mark.is_before(fill.order_id)]

    def gtts(self) -> GttView:
        """The waiting orders; kept current while somebody looks."""
        told, as_of, error = self._gtts.look()
        if as_of is None:
            self._reconciliation.wake()
        return GttView(told or (), as_of, error)

    def open_intents(self) -> tuple[OpenIntent, ...]:
        """What nobody knows the fate of yet, in words."""
        return self._cases.view()

    def outcome(self, intent_id: str) -> Outcome | BasketOutcome | BulkOutcome | None:
        """What became of a decision, as far as it is known; `None`: never heard of."""
        intent = self._intents.get(intent_id)
        if intent is None:
            return self._bulk.outcome(intent_id)
        if intent.kind in {IntentKind.CANCEL_ALL, IntentKind.EXIT_ALL}:
            return bulk_outcome(intent, repeated=True)
        return outcome_of(intent, repeated=True)

    def kill_switch(self) -> KillSwitch:
        """The desk's own switch."""
        return self._rules.kill_switch()

    def broker_kill_switch(self) -> SwitchesView:
        """The broker's own switch as told last."""
        told, as_of, error = self._switches.look()
        return SwitchesView(told or (), as_of, error)

    def static_ip(self) -> StaticIp:
        """Does the broker take orders from this machine's address? As far as its answers have told."""
        return self._address.state()

    def limits(self) -> OrderLimits:
        return self._rules.limits()

    def preview(self, request: OrderRequest, *, wait: bool = False) -> Preview:
        """What `request` would be. Without `wait` margin and charges are asked in the background: the next preview has
        them."""
        return self._previews.of(request, wait=wait)

    def preview_basket(self, requests: Sequence[OrderRequest], *, wait: bool = False) -> BasketPreview:
        """The same for orders that are confirmed together."""
        return self._previews.of_basket(requests, wait=wait)

    def announcements(self, after: int = 0) -> tuple[Announcement, ...]:
        """What was announced after that number, the oldest first."""
        return self._announcer.after(after)

    def announce(self, text: str, *, good: bool) -> None:
        """Announce an alert of the desk, beside what happens to orders."""
        self._announcer.say(News.ALERT, text, good=good)

    # -- reads that ask ----------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask the broker for book and fills now. Raises what it raises; what is known stays, with its age."""
        self._reconciliation.refresh()

    def follow_account(self) -> None:
        """The paper account was put away, or may have been: go over to the one that runs now."""
        self._reconciliation.follow_account()

    def load_history(self, order_id: str) -> tuple[OrderEvent, ...]:
        """The timeline with the steps that only the broker's history tells."""
        self._orders.record_history(self._broker.history(order_id=order_id))
        return self._orders.timeline(order_id)

    def load_past_trades(self, start: date, end: date) -> list[StoredTrade]:
        """Ask the broker for the fills of past days and keep them."""
        self._trades.add(self._broker.past_trades(start, end), "past trades", account=self._account_name(None))
        return self._trades.between(start, end)

"""The order desk: what screens, scripts and the public services use to send orders and to know what became of them."""

from __future__ import annotations

import logging
import secrets
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from datetime import time as day_time

from services.domain.accounts import Funds, TokenKind
from services.domain.actors import Actor, require_operator, require_trader
from services.domain.clock import Clock, ist_date
from services.domain.errors import InvalidRequest, MalformedPayload, StorageError
from services.domain.gtt import GttOrder, GttRequest
from services.domain.instruments import Instrument
from services.domain.intents import Intent, IntentKind, IntentState, KillSwitch, Witness
from services.domain.margins import SegmentSwitch
from services.domain.order_checks import OrderLimits, StaticIp
from services.domain.order_records import OrderEvent, StoredTrade
from services.domain.orders import BookOrder, OrderChange, OrderRequest, Side
from services.domain.phases import Listing, PhaseNow
from services.ledger.account_mark import AccountMarks
from services.ledger.audit import Audit
from services.ledger.intents import Intents
from services.ledger.order_settings import OrderSettings
from services.ledger.orders import Orders
from services.ledger.trades import Trades
from services.orders.account import AccountFollower, AccountSource
from services.orders.announcing import Announcer
from services.orders.asking import Asker
from services.orders.bulk import Bulk
from services.orders.bulk_outcomes import bulk_outcome
from services.orders.cases import Cases
from services.orders.checking import AddressWatch, Checker, Held, Quotes
from services.orders.day_book import DayBook
from services.orders.following import Following
from services.orders.keeping import Keeper
from services.orders.kit import Kit, outcome_of
from services.orders.lives import Life, Whose
from services.orders.ports import Broker
from services.orders.previewing import OwnCharges, Previews
from services.orders.reconciliation import Reconciliation
from services.orders.sending import Sender
from services.orders.singles import Singles
from services.orders.together import Together
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
from services.orders.words import Words
from services.wire.order_stream import GttUpdate, OrderUpdate, parse_update

GTT_SECONDS = 15.0
SWITCHES_SECONDS = 60.0
PATIENCE_SECONDS = 40.0
"""So long a write can be on its way at most: its turn, the connection, the answer, and once more over v2."""
LOST_AFTER_SECONDS = 15.0
AFTER_A_WRITE, AFTER_A_WRITE_LIVE = 0.2, 3.0
"""Seconds to the next read of the book; while the stream tells everything, it is only the second witness."""

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
        *,
        broker: Broker,
        intents: Intents,
        orders: Orders,
        trades: Trades,
        rules: OrderSettings,
        audit: Audit,
        clock: Clock,
        mode: str,
        need_token: Callable[[], object],
        token: Callable[[], TokenKind | None],
        find: Callable[[str], Instrument | None],
        quotes: Callable[[], Quotes],
        phase: Callable[[str, Listing], PhaseNow],
        funds: Callable[[], Funds],
        marks: AccountMarks,
        account: AccountSource | None = None,
        account_name: Callable[[int | None], str] = lambda number: "",
        own_charges: OwnCharges | None = None,
        served: Callable[[Collection[str]], set[str]] = lambda keys: set(),
        held: Callable[[str, str], Held] = lambda key, product: Held(),
        stream_up: Callable[[], bool] = lambda: False,
        connect_stream: Callable[[], object] = lambda: None,
        filled: Callable[[], object] = lambda: None,
        began: Callable[[], object] = lambda: None,
        speed: Callable[[], float] = lambda: 1.0,
        practice: Callable[[], bool] = lambda: False,
        address_needed: bool = False,
        mcx_orders: bool = False,
        square_off: day_time | None = None,
        lost_after: float = LOST_AFTER_SECONDS,
        patience: float = PATIENCE_SECONDS,
        life: Life | None = None,
        alone: bool = True,
        together: Together | None = None,
        nonce: Callable[[], str] = lambda: secrets.token_hex(9),
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`need_token()` raises `LoginRequired` unless a token may trade; `account`: a broker whose account can be put
        away; `account_name`: what the ledger calls one of them, by its number (`None`: the running one); `own_charges`:
        our estimate of what an order costs; `served(keys)`: those that the live feed keeps current; `filled()` hears of
        fills and conversions; `began()`, in the sending thread, that a decision was taken up; `address_needed`: the
        broker looks at our static IP; `life`: this process, whose name `intents` writes down; `alone=False`: other
        machines work on this ledger; `together`: who of them asks the broker (`None`: each for itself).
        """
        self._intents = intents
        self._orders = orders
        self._trades = trades
        self._rules = rules
        self._marks = marks
        self._audit = audit
        self._clock = clock
        self._broker = broker
        self._stream_up = stream_up
        self._connect_stream = connect_stream
        self._filled = filled
        self._account_name = account_name
        self._book = DayBook()
        self._words = Words(find, lambda order_id: self._book.get(order_id) or self._orders.get(order_id))
        self._announcer = Announcer(clock.now, self._words.event)
        self._asker = Asker(clock=clock, monotonic=monotonic)
        self._address = AddressWatch(needed=address_needed, monotonic=monotonic)
        self._gtts: Told[tuple[GttOrder, ...]] = Told(
            lambda: tuple(broker.gtts()), clock=clock, every_seconds=GTT_SECONDS, monotonic=monotonic
        )
        self._switches: Told[tuple[SegmentSwitch, ...]] = Told(
            lambda: tuple(broker.kill_switch()),
            clock=clock,
            every_seconds=SWITCHES_SECONDS,
            always=True,
            monotonic=monotonic,
        )
        self._sender = Sender(
            intents=intents, settled=self._settled, patience=patience, began=began, sleep=sleep, monotonic=monotonic
        )
        self._cases = Cases(
            intents=intents,
            whose=Whose(in_flight=self._sender.in_flight, grounded=self._sender.grounded, life=life, alone=alone),
            announcer=self._announcer,
            words=self._words,
            clock=clock,
            lost_after=lost_after,
            patience=patience,
            monotonic=monotonic,
        )
        self._keeper = Keeper(
            broker=broker,
            orders=orders,
            trades=trades,
            clock=clock,
            book=self._book,
            announcer=self._announcer,
            tagged=self._cases.witness,
            filled=self._heard_of_fill,
            mark=marks.get,
            account=lambda: account_name(None),
            monotonic=monotonic,
        )
        self._account = AccountFollower(
            source=account,
            marks=marks,
            keeper=self._keeper,
            cases=self._cases,
            began=self._account_began,
            name=account_name,
        )
        self._reconciliation = Reconciliation(
            broker=broker,
            keeper=self._keeper,
            cases=self._cases,
            account=self._account,
            book=self._book,
            keep_current=(self._gtts.ask_if_due, self._switches.ask_if_due),
            stream_up=stream_up,
            today=lambda: ist_date(clock.now()),
            began=self._announcer.begin,
            following=Following(
                together, keeper=self._keeper, another_account=self._account_began, monotonic=monotonic
            ),
            monotonic=monotonic,
        )
        self._checker = Checker(
            mode=mode,
            clock=clock,
            speed=speed,
            practice=practice,
            find=find,
            quotes=quotes,
            served=served,
            phase=phase,
            token=token,
            switches=self._switches,
            address=self._address,
            held=held,
            mcx_orders=mcx_orders,
            square_off=square_off,
        )
        self._previews = Previews(
            broker=broker,
            asker=self._asker,
            checker=self._checker,
            words=self._words,
            funds=funds,
            rules=lambda: (rules.limits(), rules.kill_switch()),
            orders_today=lambda: len(self._book.all()[0]),
            alive=self._book.alive,
            own_charges=own_charges,
        )
        kit = Kit(
            broker=broker,
            intents=intents,
            orders=orders,
            sender=self._sender,
            checker=self._checker,
            previews=self._previews,
            keeper=self._keeper,
            book=self._book,
            reconciliation=self._reconciliation,
            clock=clock,
            kill_switch=rules.kill_switch,
            stream_up=stream_up,
            need_token=need_token,
            nonce=nonce,
            pause=sleep,
        )
        self._singles = Singles(kit, self._gtts, self._switches)
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
        """An update of the order stream, as it came. Of several processes the one that asks the broker writes it down:
        what it refuses, or what reaches a process that leads no more, changes nothing."""
        try:
            told = parse_update(update)
            if isinstance(told, OrderUpdate) and self._reconciliation.follows():
                self._reconciliation.hurry()
            elif isinstance(told, OrderUpdate):
                self._keeper.hear(told.order, "stream", raw=update)
            elif isinstance(told, GttUpdate):
                self._gtts.doubt()
                self._reconciliation.wake()
        except (MalformedPayload, StorageError, sqlite3.Error) as error:
            log.warning("an update of the order stream was not understood or not kept; the book is asked: %s", error)
            self._reconciliation.soon()

    def stream_opened(self) -> None:
        """The order stream has come up: what happened in the gap only the books tell."""
        self._gtts.doubt()
        if self._reconciliation.follows():
            self._reconciliation.hurry()
        else:
            self._reconciliation.soon()

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
            self._heard_of_fill()
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
        require_trader(actor)
        intent = self._intents.get(intent_id)
        on_its_way = self._sender.in_flight(intent_id) or self._cases.under_way(intent_id)
        if intent is None or not intent.state.is_open or on_its_way:
            raise InvalidRequest("there is nothing to decide: what became of this is known, or it is on its way")
        states = {True: IntentState.ACCEPTED, False: IntentState.ABSENT, None: IntentState.ABANDONED}
        self._audit.add(
            actor,
            "decided by a person",
            intent.target,
            {"state": str(intent.state)},
            {"state": str(states[happened]), "order_ids": list(order_ids)},
            intent_id=intent_id,
        )
        settled = self._intents.settle(
            intent_id,
            states[happened],
            order_ids=tuple(order_ids),
            reason=f"decided by {actor.name}",
            by=Witness.PERSON,
        )
        self._cases.settled(settled)
        return outcome_of(settled, repeated=False)

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
        """The fills of the day, the newest first."""
        return TradesView(*self._keeper.trades())

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

    # -- what happens inside -----------------------------------------------------------------------------------

    def _settled(self, intent: Intent) -> Intent:
        """What came of something that was sent just now."""
        self._address.heard(intent)
        if intent.state is IntentState.UNKNOWN:
            known = self._cases.lost(intent, self._seen_with(intent.tag))
            self._reconciliation.soon(1.0)
            return known
        self._cases.settled(intent)
        if intent.state is IntentState.ACCEPTED:
            self._reconciliation.soon(AFTER_A_WRITE_LIVE if self._stream_up() else AFTER_A_WRITE)
        return intent

    def _seen_with(self, tag: str) -> Sequence[BookOrder]:
        """Orders with that tag that were told already; of an account that was put away meanwhile the ledger knows."""
        return (self._book.tagged(tag) or self._orders.by_tag(tag)) if tag else ()

    def _account_began(self) -> None:
        """Nothing that was told of the account before is true any more."""
        self._gtts.doubt()
        self._switches.doubt()
        self._heard_of_fill()

    def _heard_of_fill(self) -> None:
        self._asker.forget()
        self._filled()
        self._reconciliation.wake()

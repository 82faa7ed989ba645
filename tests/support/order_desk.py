"""An order desk over a real ledger and a broker that does what the test says: takes orders, loses answers, lies low."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

from services.domain.accounts import Funds, TokenKind
from services.domain.actors import Actor, Role
from services.domain.clock import Clock
from services.domain.errors import MalformedPayload, NoAnswer, RequestRefused, UpstoxError
from services.domain.gtt import GttLegState, GttOrder, GttRequest
from services.domain.instruments import Instrument
from services.domain.intents import Intent
from services.domain.margins import ChargesEstimate, Margin, MarginLine, SegmentSwitch
from services.domain.order_changes import changed
from services.domain.orders import (
    BookOrder,
    BulkResult,
    LineError,
    OrderChange,
    OrderRequest,
    PastTrade,
    Product,
    Side,
    Status,
    Trade,
)
from services.domain.paper_accounts import AccountMark, ArchivedBook, PaperAccount
from services.domain.phases import Accepts, Listing, Phase, PhaseNow, Stage
from services.domain.positions import Position
from services.domain.quote_batch import BatchResult
from services.domain.quote_row import QuoteRow
from services.ledger.account_mark import AccountMarks
from services.ledger.audit import Audit
from services.ledger.engine import Ledger
from services.ledger.intents import Intents
from services.ledger.order_settings import OrderSettings
from services.ledger.orders import Orders
from services.ledger.trades import Trades
from services.orders.checking import Held
from services.orders.desk import OrderDesk
from services.orders.lives import Life
from services.orders.opening import open_desk
from services.orders.ports import Broker
from services.orders.previewing import OwnCharges
from services.orders.together import BookNote, Together
from services.transport.caller import Served
from tests.support.clocks import FakeClock, FakeMonotonic
from tests.support.ledger import NOW, new_ledger
from tests.support.orders import RELIANCE, a_share, an_option

ASHA = Actor("asha", Role.OPERATOR, "tab-1")
OPEN_MARKET = PhaseNow(Phase.OPEN, "continuous trading", None, Stage.CONTINUOUS, Accepts.ALL)
SEGMENTS = ("NSE_EQ", "BSE_EQ", "NSE_FO")
_lives = count(1)


def eventually(holds: Callable[[], bool], *, seconds: float = 60.0) -> None:
    """Wait for a state of a broker of its own, however slow and busy the machine is."""
    end, pause = time.monotonic() + seconds, Event()
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        pause.wait(0.02)


def no_answer() -> UpstoxError:
    return NoAnswer("no answer within 10 s")


def garbage() -> UpstoxError:
    return MalformedPayload("the broker's answer is not JSON")


def refused(code: str = "UDAPI100010", message: str = "Order not found") -> UpstoxError:
    return RequestRefused(message, status=400, code=code)


@dataclass(frozen=True)
class Fault:
    """What happens to the next call of an operation: `acts`: the broker does it all the same."""

    error: Callable[[], BaseException]
    acts: bool = False


class FakeBroker:
    """A broker in memory. `faults[operation]` are met one by one; `calls` are all that came."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._numbers = count(261120000000001)
        self.orders: dict[str, BookOrder] = {}
        self.steps: list[BookOrder] = []
        self.fills: list[Trade] = []
        self.held: list[Position] = []
        self.waiting: list[GttOrder] = []
        self.killed: set[str] = set()
        self.mark = AccountMark()
        self.put_away: list[ArchivedBook] = []
        self.calls: list[str] = []
        self.faults: dict[str, deque[Fault]] = {}
        self.meanwhile: Callable[[str], None] = lambda operation: None
        self.answer_status = Status.OPEN

    def fail(
        self, operation: str, error: Callable[[], BaseException] = no_answer, *, acts: bool = False, times: int = 1
    ) -> None:
        self.faults.setdefault(operation, deque()).extend([Fault(error, acts)] * times)

    def heal(self) -> None:
        self.faults.clear()

    def sent(self, operation: str) -> int:
        return self.calls.count(operation)

    def move(self, order_id: str, status: str, **changes: Any) -> BookOrder:
        """Something becomes of an order, at the broker."""
        order = replace(self.orders[order_id], status=status, **changes)
        self.orders[order_id] = order
        self.steps.append(order)
        return order

    def fill(self, order_id: str, quantity: int | None = None, price: str = "1470") -> BookOrder:
        order = self.orders[order_id]
        more = order.quantity - order.filled_quantity if quantity is None else quantity
        filled = order.filled_quantity + more
        self.fills.append(
            Trade(
                str(len(self.fills) + 1), order_id, order.key, order.side, more, Decimal(price), order.product, "NSE",
                "RELIANCE", order.order_type, traded_at=self._clock.now(),
            )
        )  # fmt: skip
        return self.move(
            order_id,
            Status.COMPLETE if filled == order.quantity else order.status,
            filled_quantity=filled,
            pending_quantity=order.quantity - filled,
            average_price=Decimal(price),
        )

    def _meet(self, operation: str, act: Callable[[], Any]) -> Any:
        self.calls.append(operation)
        self.meanwhile(operation)
        waiting = self.faults.get(operation)
        if not waiting:
            return act()
        fault = waiting.popleft()
        if fault.acts:
            act()
        raise fault.error()

    def _new(self, request: OrderRequest, tag: str, quantity: int | None = None) -> str:
        order_id = str(next(self._numbers))
        order = BookOrder(
            order_id=order_id,
            key=request.key,
            side=request.side,
            quantity=quantity or request.quantity,
            order_type=request.order_type,
            product=request.product,
            validity=request.validity,
            price=request.price or Decimal(0),
            trigger_price=request.trigger_price or Decimal(0),
            status=self.answer_status,
            pending_quantity=quantity or request.quantity,
            symbol="RELIANCE",
            exchange="NSE",
            tag=tag,
            request_id="1",
            placed_at=self._clock.now(),
        )
        self.orders[order_id] = order
        self.steps.append(order)
        return order_id

    # -- writes ------------------------------------------------------------------------------------------------

    def place(self, request: OrderRequest, *, tag: str) -> Served[tuple[str, ...]]:
        def act() -> tuple[str, ...]:
            if not request.slice:
                return (self._new(request, tag),)
            half = request.quantity // 2
            return (self._new(request, tag, half), self._new(request, tag, request.quantity - half))

        return Served(self._meet("place", act), "v3", 1.0)

    def modify(self, order_id: str, change: OrderChange, *, current: BookOrder) -> Served[str]:
        whole = changed(current, change)

        def act() -> str:
            order = self.orders[order_id]
            if order.terminal:
                raise refused("UDAPI100041", "too late")
            self.move(
                order_id,
                order.status,
                quantity=whole.quantity,
                price=whole.price or Decimal(0),
                request_id=str(int(order.request_id) + 1),
            )
            return order_id

        return Served(self._meet("modify", act), "v3", 1.0)

    def cancel(self, order_id: str) -> Served[str]:
        def act() -> str:
            order = self.orders.get(order_id)
            if order is None:
                raise refused()
            if order.terminal:
                raise refused("UDAPI100040", "too late")
            self.move(order_id, Status.CANCELLED)
            return order_id

        return Served(self._meet("cancel", act), "v3", 1.0)

    def place_many(self, lines: Sequence[tuple[str, OrderRequest, str]]) -> BulkResult:
        def act() -> BulkResult:
            placed: dict[str, tuple[str, ...]] = {}
            errors: list[LineError] = []
            for name, request, tag in lines:
                if request.quantity == 13:
                    errors.append(LineError("UDAPI1052", "unlucky", correlation_id=name))
                elif request.quantity != 14:  # of fourteen it says nothing at all
                    placed[name] = (self._new(request, tag),)
            ids = tuple(one for ids in placed.values() for one in ids)
            return BulkResult(ids, tuple(errors), len(lines), len(ids), len(errors), 0, placed)

        told: BulkResult = self._meet("place_many", act)
        return told

    def cancel_many(self, segment: str | None = None, tag: str | None = None) -> BulkResult:
        def act() -> BulkResult:
            ids = [
                one.order_id
                for one in self.orders.values()
                if not one.terminal and (segment is None or one.key.startswith(segment)) and (not tag or one.tag == tag)
            ]
            stuck = [one for one in ids if self.orders[one].quantity == 13]
            for one in ids:
                if one not in stuck:
                    self.move(one, Status.CANCELLED)
            errors = tuple(LineError("UDAPI100040", "too late", order_id=one) for one in stuck)
            done = tuple(one for one in ids if one not in stuck)
            return BulkResult(done, errors, len(ids), len(done), len(errors))

        told: BulkResult = self._meet("cancel_many", act)
        return told

    def exit_positions(self, segment: str | None = None, tag: str | None = None) -> BulkResult:
        def act() -> BulkResult:
            held = [one for one in self.held if one.is_open and (segment is None or one.key.startswith(segment))]
            self.held = [replace(one, quantity=0) if one in held else one for one in self.held]
            ids = tuple(str(next(self._numbers)) for _ in held)
            return BulkResult(ids, (), len(ids), len(ids), 0)

        told: BulkResult = self._meet("exit_positions", act)
        return told

    def convert(self, key: str, side: Side, quantity: int, old: Product, new: Product) -> Served[str]:
        def act() -> str:
            moved = quantity * side.sign
            kept = {(one.key, one.product): one for one in self.held}
            kept[key, old] = replace(kept[key, old], quantity=kept[key, old].quantity - moved)
            there = kept.get((key, new)) or Position(key, new, 0)
            kept[key, new] = replace(there, quantity=there.quantity + moved)
            self.held = list(kept.values())
            return "complete"

        return Served(self._meet("convert", act), "v2", 1.0)

    def gtt_place(self, request: GttRequest) -> Served[tuple[str, ...]]:
        def act() -> tuple[str, ...]:
            gtt_id = f"GTT-{next(self._numbers)}"
            legs = tuple(
                GttLegState(leg.strategy, "SCHEDULED", leg.trigger_type, leg.trigger_price, request.side)
                for leg in request.legs
            )
            self.waiting.append(GttOrder(gtt_id, request.kind, request.key, request.quantity, request.product, legs))
            return (gtt_id,)

        return Served(self._meet("gtt_place", act), "v3", 1.0)

    def gtt_modify(self, gtt_id: str, request: GttRequest) -> Served[tuple[str, ...]]:
        def act() -> tuple[str, ...]:
            self.waiting = [
                replace(one, quantity=request.quantity) if one.gtt_id == gtt_id else one for one in self.waiting
            ]
            return (gtt_id,)

        return Served(self._meet("gtt_modify", act), "v3", 1.0)

    def gtt_cancel(self, gtt_id: str) -> Served[tuple[str, ...]]:
        def act() -> tuple[str, ...]:
            self.waiting = [one for one in self.waiting if one.gtt_id != gtt_id]
            return (gtt_id,)

        return Served(self._meet("gtt_cancel", act), "v3", 1.0)

    def set_kill_switch(self, trading: Mapping[str, bool]) -> list[SegmentSwitch]:
        def act() -> list[SegmentSwitch]:
            for segment, may in trading.items():
                (self.killed.discard if may else self.killed.add)(segment)
            return self._switches()

        told: list[SegmentSwitch] = self._meet("set_kill_switch", act)
        return told

    # -- reads -------------------------------------------------------------------------------------------------

    def book(self) -> list[BookOrder]:
        told: list[BookOrder] = self._meet("book", lambda: list(self.orders.values()))
        return told

    def details(self, order_id: str) -> BookOrder:
        def act() -> BookOrder:
            if order_id not in self.orders:
                raise refused()
            return self.orders[order_id]

        told: BookOrder = self._meet("details", act)
        return told

    def history(self, order_id: str | None = None, tag: str | None = None) -> list[BookOrder]:
        def act() -> list[BookOrder]:
            found = [one for one in self.steps if one.order_id == order_id or (tag and one.tag == tag)]
            if not found:
                raise refused()
            return found

        told: list[BookOrder] = self._meet("history", act)
        return told

    def trades(self) -> list[Trade]:
        told: list[Trade] = self._meet("trades", lambda: list(self.fills))
        return told

    def past_trades(self, start: date, end: date, segment: str | None = None) -> list[PastTrade]:
        told: list[PastTrade] = self._meet("past_trades", list)
        return told

    # The account of a paper broker.

    def look(self) -> PaperAccount:
        told: PaperAccount = self._meet("account", self._account)
        return told

    def archive(self, number: int) -> ArchivedBook:
        told: ArchivedBook = self._meet("archive", lambda: self.put_away[number - 1])
        return told

    def reset(self) -> None:
        """Put the account away: what is open is cancelled, and nothing of it is in the books any more."""
        for order in list(self.orders.values()):
            if not order.terminal:
                self.move(order.order_id, Status.CANCELLED, message="The paper account was reset")
        last = max(self.orders, default=self.mark.after_order)
        self.put_away.append(ArchivedBook(self.mark.number, tuple(self.orders.values()), tuple(self.fills)))
        self.mark = AccountMark(self.mark.number + 1, last)
        self.orders, self.steps, self.fills, self.held, self.waiting = {}, [], [], [], []

    def _account(self) -> PaperAccount:
        rich = Decimal(1_000_000)
        return PaperAccount("PAPER1", self.mark, self._clock.now(), rich, rich, rich, len(self.orders), len(self.fills))

    def positions(self) -> list[Position]:
        told: list[Position] = self._meet("positions", lambda: list(self.held))
        return told

    def gtts(self) -> list[GttOrder]:
        told: list[GttOrder] = self._meet("gtts", lambda: list(self.waiting))
        return told

    def brokerage(self, key: str, *, side: Side, quantity: int, product: Product, price: Decimal) -> ChargesEstimate:
        told: ChargesEstimate = self._meet("brokerage", lambda: ChargesEstimate(Decimal("23.45"), Decimal(20)))
        return told

    def margin(self, lines: Sequence[MarginLine]) -> Margin:
        told: Margin = self._meet("margin", lambda: Margin(Decimal(14725), Decimal(14700)))
        return told

    def kill_switch(self) -> list[SegmentSwitch]:
        told: list[SegmentSwitch] = self._meet("kill_switch", self._switches)
        return told

    def _switches(self) -> list[SegmentSwitch]:
        return [SegmentSwitch(segment, True, segment in self.killed) for segment in SEGMENTS]


class FakeQuotes:
    """Quotes that never fail, unless they are to."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.prices: dict[str, float] = {RELIANCE: 1470.0, "NSE_FO|56983": 120.0}
        self.age = 0.0
        self.asked = 0

    def row(self, key: str) -> QuoteRow | None:
        price = self.prices.get(key)
        if price is None:
            return None
        told = self._clock.now()
        if self.age:
            told = datetime.fromtimestamp(told.timestamp() - self.age, told.tzinfo)
        return QuoteRow(
            {
                "instrument_key": key,
                "ltp": price,
                "lower_circuit": round(price * 0.9, 2),
                "upper_circuit": round(price * 1.1, 2),
                "received_at": told,
                "api_version": "v3",
                "source": "simulated",
            }
        )

    def get(self, keys: Sequence[str]) -> BatchResult:
        self.asked += 1
        return BatchResult({key: row for key in keys if (row := self.row(key)) is not None})

    def last_known(self, keys: Sequence[str], *, disk: bool = True) -> dict[str, QuoteRow]:
        return {key: row for key in keys if (row := self.row(key)) is not None}


class KnownLife(Life):
    """A process of which nobody can tell whether it has ended, unless the test says so."""

    def __init__(self, ended: set[str]) -> None:
        super().__init__(f"process-{next(_lives)}")
        self._ended = ended

    def is_over(self, other: str) -> bool | None:
        return True if other in self._ended else None


class One:
    """Processes of which one asks the broker. `silent`: it has told nothing for a while."""

    def __init__(self) -> None:
        self.leader: Seat | None = None
        self.note: BookNote | None = None
        self.silent = False


class Seat:
    """One process's place among them."""

    def __init__(self, among: One) -> None:
        self.among = among

    def follows(self) -> bool:
        return self.among.leader is not self

    def tell(self, note: BookNote) -> None:
        self.among.note = note

    def told(self) -> BookNote | None:
        return None if self.among.silent else self.among.note

    def take(self) -> None:
        self.among.leader = self


class Bench:
    """One desk, its broker and its ledger. `restart()` is a new process on the same ledger."""

    def __init__(
        self,
        folder: Path,
        *,
        lost_after: float = 15.0,
        broker: Broker | None = None,
        clock: Clock | None = None,
        first_tag: int = 1,
        on_paper: bool = True,
        own_charges: OwnCharges | None = None,
        ledger: Ledger | None = None,
        beside: Bench | None = None,
        together: Together | None = None,
    ) -> None:
        """`broker`: a real one in place of the one in memory, with its clock. `ledger`: another one than that of the
        folder. `beside`: another process on the same ledger, at the same broker; `together`: who of them asks."""
        self.clock = FakeClock(NOW) if beside is None else beside.clock
        self.time = FakeMonotonic()
        self.broker = FakeBroker(self.clock) if beside is None else beside.broker
        self._asked: Broker = broker or self.broker
        self._now: Clock = clock or self.clock
        self.quotes = FakeQuotes(self.clock)
        self.ledger: Ledger = new_ledger(folder) if ledger is None else ledger
        self.together = together
        self.many = beside is not None or together is not None
        self.ended: set[str] = set() if beside is None else beside.ended
        self.instruments: dict[str, Instrument] = {one.key: one for one in (a_share(), an_option())}
        self.phase = OPEN_MARKET
        self.kind: TokenKind | None = TokenKind.ACCESS
        self.no_token: BaseException | None = None
        self.stream_up = False
        self.on_paper = on_paper and broker is None
        self.filled = 0
        self.held = Held()
        self.learn_hours: Callable[[], None] = lambda: None
        self.lost_after = lost_after
        self.own_charges = own_charges
        self.slept: list[float] = []
        self.on_sleep: Callable[[float], None] = lambda seconds: None
        self._tags = count(first_tag)
        self.desk = self.restart()

    def restart(self) -> OrderDesk:
        clock = self._now
        self.life = KnownLife(self.ended)
        self.intents = Intents(self.ledger, clock, process=self.life.name if self.many else "")
        self.orders = Orders(self.ledger, clock)
        self.desk = open_desk(
            broker=self._asked,
            intents=self.intents,
            orders=self.orders,
            trades=Trades(self.ledger, clock),
            rules=OrderSettings(self.ledger, clock),
            audit=Audit(self.ledger, clock),
            clock=clock,
            marks=AccountMarks(self.ledger, clock),
            account=self.broker if self.on_paper else None,
            mode="paper",
            need_token=self._need_token,
            token=lambda: self.kind,
            find=self.instruments.get,
            quotes=lambda: self.quotes,
            phase=self._phase,
            funds=lambda: Funds(Decimal(1_000_000), Decimal(0), "v3"),
            account_name=lambda number: f"AB1234/{number or 'running'}",
            own_charges=self.own_charges,
            held=lambda key, product: self.held,
            learn_hours=lambda: self.learn_hours(),
            stream_up=lambda: self.stream_up,
            filled=self._filled,
            lost_after=self.lost_after,
            life=self.life if self.many else None,
            alone=not self.many,
            together=self.together,
            nonce=lambda: f"{next(self._tags):018d}",
            sleep=self._sleep,
            monotonic=self.time,
        )
        return self.desk

    def open(self) -> OrderDesk:
        """The desk, its first reconciliation done."""
        while self.desk.ready():
            self.step()
        return self.desk

    def intent(self, intent_id: str) -> Intent:
        """That decision as the ledger has it."""
        found = self.intents.get(intent_id)
        assert found is not None, f"the ledger has no intent {intent_id!r}"
        return found

    def step(self) -> float:
        """One round of the reconciliation."""
        return self.desk._reconciliation.step()

    def pass_time(self, seconds: float) -> None:
        """So many seconds go by, with rounds of the reconciliation as they fall due."""
        end = self.time.now + seconds
        while self.time.now < end:
            self.time.now += min(max(self.step(), 0.05), end - self.time.now)
        self.step()

    def close(self) -> None:
        self.desk.close()
        self.ledger.close()

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.on_sleep(seconds)
        self.time.now += seconds
        self.clock.move(seconds=seconds)

    def _need_token(self) -> None:
        if self.no_token is not None:
            raise self.no_token

    def _phase(self, segment: str, listing: Listing) -> PhaseNow:
        return self.phase

    def _filled(self) -> None:
        self.filled += 1

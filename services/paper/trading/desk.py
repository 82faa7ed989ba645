"""The trading desk of the paper broker: orders, positions and money of one account.

Every call lets the account go on to the clock's instant first, and works on all that it changes at once: the changes
are in the file before the call returns and before anybody is told. One lock lets one call after the other in, so that
an order is matched once, whoever looks at the market first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from threading import Lock

from services.domain.clock import epoch_ms, from_epoch_ms
from services.domain.errors import BrokerError
from services.domain.phases import Phase
from services.paper.envelope import refusal
from services.paper.model import Market
from services.paper.trading.admission import Admission
from services.paper.trading.bulk import cancel_many, exit_all, place_many
from services.paper.trading.conversions import convert
from services.paper.trading.days import Days
from services.paper.trading.exchange import Exchange
from services.paper.trading.floor import Floor
from services.paper.trading.gains import Gain, Gains, gains_of
from services.paper.trading.notes import DayCharges, Noted, notes_of, row_of, total_of
from services.paper.trading.order_values import Changes, Fill, Order, Wanted
from services.paper.trading.placing import Placing
from services.paper.trading.position_values import HoldingNow, Position
from services.paper.trading.running import Now, Running
from services.paper.trading.state import Book, State
from services.paper.trading.store import TradingStore
from services.paper.trading.switches import switches, throw
from services.paper.trading.timing import TradingHours
from services.paper.trading.treasury import Treasury
from services.paper.trading.values import UNITS_OF_PAISA, Account, Archive, LineResult, MoneyState, Switch
from services.paper.trading.work import Published, Work

OPENING_PAISE = 10_00_000_00
"""A new account begins with Rs 10,00,000."""
_SERIES = ("order", "trade", "gtt")
_LONG_AGO_MS = epoch_ms(datetime(2026, 1, 1, tzinfo=UTC))
"""A new file counts on from the seconds since then: its ids are none of those that a file before it may have told."""
_RESET = "The paper account was reset"
_SEGMENTS: Mapping[str, tuple[str, ...]] = {
    "": ("NSE_EQ", "BSE_EQ", "NSE_FO", "BSE_FO", "NCD_FO", "BCD_FO", "MCX_FO", "NSE_COM"),
    "EQ": ("NSE_EQ", "BSE_EQ"),
    "FO": ("NSE_FO", "BSE_FO"),
    "COM": ("MCX_FO", "NSE_COM"),
    "CD": ("NCD_FO", "BCD_FO"),
    "MF": (),
}
"""What past trades call a segment."""


@dataclass(frozen=True, slots=True)
class Past:
    """What has happened to a new account before somebody looks at it: `live` lets it happen in the account's file."""

    since: datetime
    live: Callable[[TradingStore], object]


class TradingDesk(Running):
    """One account. Safe for several threads. `publish(kind, value)` is called after each commit, with kinds `order`,
    `position` and `holding`; it must not block."""

    def __init__(
        self,
        store: TradingStore,
        market: Market,
        clock: Now,
        hours: TradingHours,
        publish: Callable[[str, Published], None],
        *,
        mcx_open: bool = False,
        opening_paise: int = OPENING_PAISE,
    ) -> None:
        self._hours = hours
        super().__init__(store, store.load() or self._first(store, clock, opening_paise), clock, publish)
        self._floor = Floor(market, hours)
        self._exchange = Exchange(self._floor)
        self._treasury = Treasury(self._floor)
        admission = Admission(self._floor, self._treasury)
        self._placing = Placing(self._floor, self._exchange, admission, mcx_open=mcx_open)
        self._days = Days(
            self._floor,
            self._exchange,
            self._placing,
            store.fills_on,
            lambda book, day: store.notes(book, day, day),
            store.last_fill,
        )
        self._report_lock = Lock()
        self._gains: tuple[int, str, Gains] | None = None
        self._write_missing_notes()

    # Orders

    def place(self, wanted: Wanted) -> list[Order]:
        """Take one order (several when it is sliced); each is returned as it stands now, perhaps filled, perhaps
        rejected. `BrokerError` for what no order can be made of."""
        with self.transaction() as work:
            self._refuse_at_night()
            placed = self._placing.place(work, wanted, self._now)
            self._tell_followers(work)
            return [work.orders.get(order.order_id) or order for order in placed]

    def modify(self, order_id: str, changes: Changes) -> Order:
        """Change a living order. What the exchange does not take leaves it as it was, with the reason."""
        with self.transaction() as work:
            self._refuse_at_night()
            order = self._living(work, order_id, "UDAPI100041")
            return self._placing.modify(work, order, changes, self._now)

    def cancel(self, order_id: str) -> Order:
        with self.transaction() as work:
            self._refuse_at_night()
            order = self._living(work, order_id, "UDAPI100040")
            return self._placing.cancel(work, order, self._now)

    def place_many(self, lines: Sequence[tuple[str, Wanted | BrokerError]]) -> list[LineResult]:
        """Place several orders, by correlation id; a line that was refused before comes as its error. Answered in the
        order given; what buys is placed before what sells."""
        with self.transaction():
            self._refuse_at_night()
            return place_many(self.place, lines)

    def cancel_many(self, segment: str = "", tag: str = "") -> list[LineResult]:
        """Cancel every living order, or those of a segment, of a tag, of both."""
        with self.transaction() as work:
            self._refuse_at_night()
            return cancel_many(work, lambda order: self._placing.cancel(work, order, self._now), segment, tag)

    def exit_all(self, segment: str = "", tag: str = "") -> list[LineResult]:
        """Close every open position at the market, or those of a segment; with a tag, the intraday ones that its orders
        made. Shares under delivery are no positions to be closed. Short ones first."""
        with self.transaction() as work:
            self._refuse_at_night()
            return exit_all(work, self.place, self._in_hours, segment, tag)

    def orders(self) -> list[Order]:
        """Today's orders, and older ones that live, the oldest first."""
        with self._reading() as work:
            return sorted((order for _, order in work.orders.items()), key=lambda order: order.number)

    def order(self, order_id: str) -> Order:
        with self._reading() as work:
            found = work.orders.get(order_id) or self._store.order(work.book.number, order_id)
            if found is None:
                raise refusal("UDAPI100010", property_path="order_id", invalid_value=order_id)
            return found

    def history(self, order_id: str = "", tag: str = "") -> list[Order]:
        """Every step of one order, or of today's orders with this tag (or both), each order from its beginning."""
        with self._reading() as work:
            ids = [order_id] if order_id else [one.order_id for one in self.orders() if one.tag == tag]
            found = self._store.steps(work.book.number, ids)
            if order_id and not found:
                raise refusal("UDAPI100010", property_path="order_id", invalid_value=order_id)
            return [step for step in found if not tag or step.tag == tag]

    # Trades, positions, money

    def trades(self) -> list[Fill]:
        """Today's, the oldest first."""
        with self._reading() as work:
            return [*self._state.fills, *work.fills]

    def trades_of(self, order_id: str) -> list[Fill]:
        with self._reading() as work:
            self.order(order_id)
            today = [fill for fill in self.trades() if fill.order_id == order_id]
            return today or self._store.fills_of(work.book.number, order_id)

    def past_trades(
        self, first: date, last: date, segment: str = "", *, skip: int = 0, most: int = -1
    ) -> tuple[list[Fill], int]:
        """Trades of earlier days, both dates included, the newest first: at most `most` (-1: all) of those after the
        first `skip` ones, and how many there are. `segment`: EQ, FO, COM, CD, MF."""
        with self._reading() as work:
            book = work.book
            before = min((last + timedelta(days=1)).isoformat(), book.day)
            return self._store.fills_between(
                book.number, first.isoformat(), before, _SEGMENTS.get(segment, ()), skip, most
            )

    def gains(self, first: date, last: date, segment: str = "") -> list[Gain]:
        """What was realised on the finished days from `first` to `last`, both included, the oldest first; all segments
        or one (EQ, FO, CD, COM). Of a large account the first call of a day takes a second or two; nobody waits for it
        but who asked."""
        begin, end = first.isoformat(), last.isoformat()
        rows = self._report().rows
        return [row for row in rows if begin <= row.closed <= end and segment in {"", row.segment}]

    def open_cost(self) -> int:
        """What the lots that were open at the end of the last finished day were bought (less those sold) for."""
        return self._report().open_cost

    def charges(self, first: date, last: date, segment: str = "") -> list[DayCharges]:
        """The contract notes of the finished days from `first` to `last`, both included, by segment."""
        with self._reading() as work:
            return self._store.notes(work.book.number, first.isoformat(), last.isoformat(), segment)

    def positions(self) -> list[Position]:
        """The day's, closed ones included."""
        with self._reading() as work:
            return [position for _, position in work.positions.items()]

    def holdings(self) -> list[HoldingNow]:
        with self._reading() as work:
            return [HoldingNow(holding, work.used(isin)) for isin, holding in work.holdings.items()]

    def funds(self) -> MoneyState:
        with self._reading() as work:
            return self._treasury.money(work, self._now)

    def convert(self, key: str, *, buys: bool, quantity: int, old: str, new: str) -> Position:
        """Hold a part of a position (`buys`: of a long one) under another product. Returns what is then under it."""
        with self.transaction() as work:
            self._refuse_at_night()
            return convert(
                work, self._floor, self._treasury, self._now, key, buys=buys, quantity=quantity, old=old, new=new
            )

    # The account

    def kill_switches(self) -> list[Switch]:
        with self._reading() as work:
            return switches(work, self._placing.active)

    def set_kill_switches(self, wanted: Mapping[str, bool]) -> list[Switch]:
        """Switch trading off (True) or on again in these segments, in all of them or in none."""
        with self.transaction() as work:
            self._refuse_at_night()
            throw(work, self._placing, wanted, self._now)
            return switches(work, self._placing.active)

    def reset(self, opening_paise: int = OPENING_PAISE, past: Past | None = None) -> Archive:
        """Put the account away, and begin a new one. With a `past` it was opened then, and has traded since."""
        with self._lock:
            with self.transaction() as work:
                for order in work.live():
                    self._placing.cancel(work, order, self._now, _RESET)
            now, old = self._now, self._state
            book = self._new_book(old.book.number + 1, opening_paise, now if past is None else past.since)
            self._store.next_book(book, closed_ms=epoch_ms(now))
            self._state = State(book, counters=old.counters, shelves=old.shelves)
            self._advanced = now
            try:
                if past is not None:
                    past.live(self._store)
            finally:
                if past is not None and (lived := self._store.load()) is not None:
                    self._state, self._advanced = lived, from_epoch_ms(lived.book.at_ms)
                for follower in self._followers:
                    follower.load()
            return self._store.archives()[-1]

    @property
    def hours(self) -> TradingHours:
        """The account's view of the calendar."""
        return self._hours

    @property
    def mcx_open(self) -> bool:
        """Are commodity orders taken? In the real API they are switched off."""
        return self._placing.mcx_open

    @mcx_open.setter
    def mcx_open(self, is_open: bool) -> None:
        with self._lock:
            self._placing.mcx_open = is_open

    @property
    def waits(self) -> bool:
        """Is there anything that time or prices could change?"""
        with self._lock:
            state = self._state
            return (
                bool(state.live)
                or any(position.quantity for position in state.positions.values())
                or any(holding.t1_quantity for holding in state.holdings.values())
                or any(follower.waits for follower in self._followers)
            )

    def archives(self) -> list[Archive]:
        """The accounts that were put away, the oldest first."""
        with self._lock:
            return self._store.archives()

    def account(self) -> Account:
        """Which account runs, since when, and where its orders begin."""
        with self._lock:
            book = self._state.book
            return Account(book.number, book.opened_ms, self._store.last_before(book.number), book.opening)

    def last_day(self, number: int) -> tuple[list[Order], list[Fill]]:
        """What the books of an account told last before it was put away; nothing for one that was not."""
        with self._lock:
            return self._store.last_day(number)

    def _living(self, work: Work, order_id: str, code: str) -> Order:
        order = work.orders.get(order_id) or self._store.order(work.book.number, order_id)
        if order is None:
            raise refusal("UDAPI100010", property_path="order_id", invalid_value=order_id)
        if not order.alive:
            raise refusal(code, property_path="order_id", invalid_value=order_id)
        return order

    def _in_hours(self, position: Position) -> bool:
        now = self._now
        instrument = self._floor.instrument(position.key, now)
        window = self._hours.window(instrument, now) if instrument is not None else None
        return window is not None and window.phase is Phase.OPEN

    def _refuse_at_night(self) -> None:
        if not self._hours.service_open(self._now):
            raise refusal("UDAPI100074")

    def _go_on(self, work: Work, since: datetime, at: datetime) -> None:
        if not self._days.idle(work, at):
            self._days.go_on(work, since, at)

    def _report(self) -> Gains:
        """Made once a day, without the desk's lock: what is over does not change."""
        with self._reading() as work:
            number, day = work.book.number, work.book.day
        with self._report_lock:
            if self._gains is None or self._gains[:2] != (number, day):
                self._gains = number, day, gains_of(self._store.fills_before(number, day))
            return self._gains[2]

    def _write_missing_notes(self) -> None:
        """An account of before there were notes was charged by estimates: the notes of its days take their place."""
        book = self._state.book
        missing = self._store.days_without_notes(book.number, book.day)
        if not missing:
            return
        with self._working() as work:
            for day in missing:
                fills = self._store.fills_on(book.number, day)
                work.notes += notes_of(day, [Noted(fill, row_of(fill), sent) for fill, sent in fills])
            noted = total_of(work.notes) + total_of(self._store.notes(book.number, "", book.day))
            owed = noted * UNITS_OF_PAISA - (book.charges - book.day_charges)
            work.book = replace(book, balance=book.balance - owed, charges=book.charges + owed)

    def _first(self, store: TradingStore, clock: Now, opening_paise: int) -> State:
        book = self._new_book(1, opening_paise, clock.now())
        counters = dict.fromkeys(_SERIES, max(0, (book.opened_ms - _LONG_AGO_MS) // 1000))
        store.open_book(book, counters)
        return State(book, counters=counters)

    def _new_book(self, number: int, opening_paise: int, now: datetime) -> Book:
        opening = opening_paise * UNITS_OF_PAISA
        day = self._hours.today(now).isoformat()
        return Book(number, epoch_ms(now), opening, day, opening, opening, 0, 0, epoch_ms(now))

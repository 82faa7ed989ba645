"""The trading desk of the paper broker: orders, positions and money of one account.

Every call lets the account go on to the clock's instant first, and works on all that it changes at once: the changes
are in the file before the call returns and before anybody is told. One lock lets one call after the other in, so that
an order is matched once, whoever looks at the market first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from services.domain.clock import epoch_ms, from_epoch_ms
from services.domain.errors import BrokerError
from services.domain.phases import Phase
from services.paper.envelope import refusal
from services.paper.model import Market
from services.paper.trading.admission import Admission
from services.paper.trading.books import Books
from services.paper.trading.bulk import cancel_many, exit_all, place_many
from services.paper.trading.conversions import convert
from services.paper.trading.days import Days
from services.paper.trading.exchange import Exchange
from services.paper.trading.floor import Floor
from services.paper.trading.notes import Noted, notes_of, row_of, total_of
from services.paper.trading.order_values import Changes, Order, Wanted
from services.paper.trading.placing import Placing
from services.paper.trading.position_values import Position
from services.paper.trading.running import Now
from services.paper.trading.state import Book, State
from services.paper.trading.store import TradingStore
from services.paper.trading.switches import switches, throw
from services.paper.trading.timing import TradingHours
from services.paper.trading.treasury import Treasury
from services.paper.trading.values import UNITS_OF_PAISA, Archive, LineResult, MoneyState, Switch
from services.paper.trading.work import Published, Work

OPENING_PAISE = 10_00_000_00
"""A new account begins with Rs 10,00,000."""
_SERIES = ("order", "trade", "gtt")
_LONG_AGO_MS = epoch_ms(datetime(2026, 1, 1, tzinfo=UTC))
"""A new file counts on from the seconds since then: its ids are none of those that a file before it may have told."""
_RESET = "The paper account was reset"


@dataclass(frozen=True, slots=True)
class Past:
    """What has happened to a new account before somebody looks at it: `live` lets it happen in the account's file."""

    since: datetime
    live: Callable[[TradingStore], object]


class TradingDesk(Books):
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

    # Positions and money

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

"""What the account tells when it is asked: orders and their histories, trades, positions, gains, contract notes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from threading import Lock

from services.paper.envelope import refusal
from services.paper.trading.gains import Gain, Gains, gains_of
from services.paper.trading.notes import DayCharges
from services.paper.trading.order_values import Fill, Order
from services.paper.trading.position_values import HoldingNow, Position
from services.paper.trading.running import Now, Running
from services.paper.trading.state import State
from services.paper.trading.store import TradingStore
from services.paper.trading.values import Account, Archive
from services.paper.trading.work import Published

_SEGMENTS: Mapping[str, tuple[str, ...]] = {
    "": ("NSE_EQ", "BSE_EQ", "NSE_FO", "BSE_FO", "NCD_FO", "BCD_FO", "MCX_FO", "NSE_COM"),
    "EQ": ("NSE_EQ", "BSE_EQ"),
    "FO": ("NSE_FO", "BSE_FO"),
    "COM": ("MCX_FO", "NSE_COM"),
    "CD": ("NCD_FO", "BCD_FO"),
    "MF": (),
}
"""What past trades call a segment."""


class Books(Running):
    """Questions to one account. What they are about goes on to the clock's instant first; nothing else is changed."""

    def __init__(
        self, store: TradingStore, state: State, clock: Now, publish: Callable[[str, Published], None]
    ) -> None:
        super().__init__(store, state, clock, publish)
        self._report_lock = Lock()
        self._gains: tuple[int, str, Gains] | None = None

    # Today

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

    def trades(self) -> list[Fill]:
        """Today's, the oldest first."""
        with self._reading() as work:
            return [*self._state.fills, *work.fills]

    def trades_of(self, order_id: str) -> list[Fill]:
        with self._reading() as work:
            self.order(order_id)
            today = [fill for fill in self.trades() if fill.order_id == order_id]
            return today or self._store.fills_of(work.book.number, order_id)

    def positions(self) -> list[Position]:
        """The day's, closed ones included."""
        with self._reading() as work:
            return [position for _, position in work.positions.items()]

    def holdings(self) -> list[HoldingNow]:
        with self._reading() as work:
            return [HoldingNow(holding, work.used(isin)) for isin, holding in work.holdings.items()]

    # Finished days

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

    # Which account

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

    def _report(self) -> Gains:
        """Made once a day, without the desk's lock: what is over does not change."""
        with self._reading() as work:
            number, day = work.book.number, work.book.day
        with self._report_lock:
            if self._gains is None or self._gains[:2] != (number, day):
                self._gains = number, day, gains_of(self._store.fills_before(number, day))
            return self._gains[2]

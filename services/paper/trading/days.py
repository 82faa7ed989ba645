"""How the account goes on with time: orders end with their day, what was kept is sent on, intraday positions are
closed, contracts expire, shares are delivered.

Time may jump (a fast clock, a broker that was not running): what was due in between is done in its order, at the prices
of its own instant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from services.domain.clock import epoch_ms, from_epoch_ms
from services.domain.orders import Product, Status
from services.domain.phases import Phase, SessionWindow
from services.paper.trading.account import carried, delivered
from services.paper.trading.bulk import closing
from services.paper.trading.exchange import Exchange
from services.paper.trading.floor import Floor
from services.paper.trading.instruments import Instrument, unlisted
from services.paper.trading.notes import DayCharges, Noted, notes_of, row_of, total_of
from services.paper.trading.order_values import AFTER_HOURS, Fill, Order
from services.paper.trading.placing import Placing
from services.paper.trading.position_values import Holding, Position
from services.paper.trading.states import cancelled
from services.paper.trading.timing import Kind
from services.paper.trading.values import UNITS_OF_PAISA
from services.paper.trading.work import Work, isin_of

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_DAY_OVER = "The day of the order is over"
_AUCTION_PURGE = "Not carried into the closing auction"
_SQUARED_OFF = "Intraday positions are being squared off"
_SETTLED = "Settled at expiry"
_DELISTED = "The instrument is listed no more"


@dataclass(frozen=True, slots=True)
class _Hour:
    """Instruments of one kind at one instant; `None`: closed, without hours today."""

    window: SessionWindow | None
    ends: tuple[datetime, datetime] | None
    square_off: datetime | None
    trading_end: datetime | None

    @property
    def in_auction(self) -> bool:
        return self.window is not None and self.window.phase is Phase.CLOSING_AUCTION

    def matters(self, work: Work, key: str, at: datetime) -> bool:
        """Could it mean anything for an order of this instrument?"""
        over = self.ends is not None and at >= self.ends[0]
        return over or self.in_auction or (self.window is not None and work.keeps(key))


Filed = Callable[[int, str], list[tuple[Fill, bool]]]
"""By account number and day: its trades, and whether the broker himself had sent the order."""
Notes = Callable[[int, str], list[DayCharges]]
LastFill = Callable[[int, str], Fill]
"""By account number and instrument key: its last trade."""


class Days:
    """Works on one piece of work at a time; the caller writes it."""

    def __init__(
        self, floor: Floor, exchange: Exchange, placing: Placing, filed: Filed, noted: Notes, last_fill: LastFill
    ) -> None:
        """`filed`, `noted` and `last_fill` tell what stands in the file of an account."""
        self._floor = floor
        self._exchange = exchange
        self._placing = placing
        self._filed = filed
        self._noted = noted
        self._last_fill = last_fill

    def idle(self, work: Work, now: datetime) -> bool:
        """Is there nothing that time could change?"""
        if self._floor.hours.today(now).isoformat() != work.book.day or work.any_live:
            return False
        return not _intraday(work)

    def go_on(self, work: Work, since: datetime, now: datetime) -> None:
        """Do what was due after `since` up to `now`."""
        at = since
        while (due := self._next_due(work, at, now)) is not None:
            self._step(work, due, now)
            at = due
        self._step(work, now, now)

    def _next_due(self, work: Work, since: datetime, now: datetime) -> datetime | None:
        """The next instant before `now` that no step may skip."""
        if since >= now:
            return None
        hours = self._floor.hours
        day = hours.today(since)
        found = {hours.start_of(day + _DAY)}
        seen: set[Kind] = set()
        for key in (*work.live_keys(), *(position.key for position in _intraday(work))):
            instrument = self._floor.known(key, since)
            if instrument is not None and (kind := hours.kind(instrument, day)) not in seen:
                seen.add(kind)
                found |= hours.marks(instrument, day)
        return min((at for at in found if since < at < now), default=None)

    def _step(self, work: Work, at: datetime, now: datetime) -> None:
        day = self._floor.hours.today(at)
        if day.isoformat() != work.book.day:
            self._next_day(work, day, at, up_to_date=day == self._floor.hours.today(now))
        hours: dict[Kind, _Hour] = {}

        def hour_of(instrument: Instrument) -> _Hour:
            kind = self._floor.hours.kind(instrument, day)
            if kind not in hours:
                hours[kind] = self._hour(instrument, day, at)
            return hours[kind]

        for key in work.live_keys():
            instrument = self._floor.instrument(key, at)
            if instrument is None:
                for order in work.live_of(key):
                    work.record(cancelled(replace(order, day=work.book.day), epoch_ms(at), _DELISTED))
                continue
            hour = hour_of(instrument)
            if hour.matters(work, key, at):
                for order in work.live_of(key):
                    self._by_the_hour(work, order, hour, at)
        for position in _intraday(work):
            instrument = self._floor.instrument(position.key, at)
            if instrument is not None:
                self._square_off(work, position, instrument, hour_of(instrument), at)
        self._exchange.trade(work, work.live_keys(), at)

    def _hour(self, instrument: Instrument, day: date, at: datetime) -> _Hour:
        hours = self._floor.hours
        return _Hour(
            hours.window(instrument, at),
            hours.ends(instrument, day),
            hours.square_off(instrument, day),
            hours.trading_end(instrument, day),
        )

    def _by_the_hour(self, work: Work, order: Order, hour: _Hour, at: datetime) -> None:
        """What this hour means for one order."""
        if order.status in AFTER_HOURS:
            if hour.window is not None:
                self._placing.release(work, order, at)
        elif hour.ends is not None and at >= hour.ends[from_epoch_ms(order.placed_ms) >= hour.ends[0]]:
            work.record(cancelled(order, epoch_ms(at), _DAY_OVER))
        elif hour.in_auction and (order.status == Status.TRIGGER_PENDING or order.disclosed):
            work.record(cancelled(order, epoch_ms(at), _AUCTION_PURGE))

    def _square_off(self, work: Work, position: Position, instrument: Instrument, hour: _Hour, at: datetime) -> None:
        """Close an intraday position in the market when it is time, and what the market did not take at its close."""
        due, end = hour.square_off, hour.trading_end
        if due is None or end is None or at < due:
            return
        mine = [one for one in work.live_of(position.key) if one.product == Product.INTRADAY]
        for order in mine:
            if not order.by_broker or at >= end:
                work.record(cancelled(order, epoch_ms(at), _SQUARED_OFF))
        if at >= end:
            price = self._floor.last_price(position.key, at)
            self._settle(work, position, instrument, price, at, _SQUARED_OFF)
        elif not any(order.by_broker for order in mine):
            self._placing.place(work, closing(position), at, why=_SQUARED_OFF)

    def _settle(
        self, work: Work, position: Position, instrument: Instrument, price: int | None, at: datetime, why: str
    ) -> None:
        """Close `position` at `price` (nobody knows one: at its cost) apart from the market."""
        if price is None:
            price = abs(position.cost) // abs(position.quantity)
        order = self._placing.force(work, closing(position, slices=False), instrument, at, why)
        self._exchange.settle(work, order, instrument, price, at)

    def _next_day(self, work: Work, day: date, at: datetime, *, up_to_date: bool) -> None:
        """End the day of the book, and begin `day`. `up_to_date`: is that the day which runs now?"""
        ended = date.fromisoformat(work.book.day)
        # The prices of the day that ends; after a jump backwards there are none but those of now.
        before = at - _SECOND if day > ended else at
        for order in work.live():
            if order.status not in AFTER_HOURS:
                work.record(cancelled(order, epoch_ms(at), _DAY_OVER))
        for (key, product), position in list(work.positions.items()):
            if not position.quantity:
                continue
            instrument = self._floor.known(key, before)
            if instrument is None or (instrument.expiry is not None and instrument.expiry < day):
                self._expired(work, position, instrument, before)
            elif product == Product.INTRADAY:
                self._settle(work, position, instrument, self._floor.last_price(key, before), before, _SQUARED_OFF)
            elif up_to_date and not instrument.share and self._floor.instrument(key, at) is None:
                self._settle(work, position, instrument, None, before, _DELISTED)
        days = self._floor.hours.settlements(ended, day) if day > ended else 1
        self._deliver(work, days, before)
        self._write_note(work, before)
        for held, position in list(work.positions.items()):
            work.positions.put(held, carried(position))
        book = work.book
        work.book = replace(book, day=day.isoformat(), day_opening=book.balance, day_charges=0)
        work.new_day = True

    def _expired(self, work: Work, position: Position, instrument: Instrument | None, before: datetime) -> None:
        if instrument is None:  # nobody lists it any more, and nobody knows what it was worth
            mine = [fill for fill in work.fills if fill.key == position.key]
            instrument = unlisted(mine[-1] if mine else self._last_fill(work.book.number, position.key))
            self._settle(work, position, instrument, None, before, _DELISTED)
        else:
            self._settle(work, position, instrument, self._settlement(instrument, before), before, _SETTLED)

    def _settlement(self, instrument: Instrument, at: datetime) -> int | None:
        """At which a contract ends: the underlying's price, of an option what it is worth by itself."""
        spot = self._floor.last_price(instrument.underlying, at)
        if spot is None:
            return self._floor.last_price(instrument.key, at)
        if not instrument.right:
            return spot
        return max(0, spot - instrument.strike if instrument.right == "CE" else instrument.strike - spot)

    def _write_note(self, work: Work, before: datetime) -> None:
        """What the day of the book costs in the end takes the place of what was charged while it ran. A day that comes
        again, because the clock was put back, has one note over all of it."""
        book = work.book
        fills = self._filed(book.number, book.day)
        known = {fill.trade_id for fill, _ in fills}
        for fill in work.fills:
            if fill.day == book.day and fill.trade_id not in known:
                order = work.orders.get(fill.order_id)
                fills.append((fill, order is not None and order.by_broker))
        if not fills:
            return
        noted = []
        for fill, by_broker in fills:
            instrument = self._floor.known(fill.key, before)
            noted.append(Noted(fill, row_of(fill) if instrument is None else instrument.listing.row, by_broker))
        notes = notes_of(book.day, noted)
        owed = (total_of(notes) - total_of(self._noted(book.number, book.day))) * UNITS_OF_PAISA - book.day_charges
        work.notes += notes
        work.book = replace(book, balance=book.balance - owed, charges=book.charges + owed)

    def _deliver(self, work: Work, days: int, before: datetime) -> None:
        """Shares bought and sold under delivery come and go; those bought before arrive. `days`: on so many days since
        was settled."""
        if days:
            for isin, holding in list(work.holdings.items()):
                if holding.t1_quantity:
                    work.holdings.put(isin, replace(holding, t1_quantity=0))
        for (key, product), position in list(work.positions.items()):
            if product != Product.DELIVERY or not position.segment.endswith("_EQ"):
                continue
            if position.quantity:
                isin = isin_of(key)
                holding = work.holdings.get(isin) or _new_holding(position, self._floor.known(key, before))
                done = delivered(holding, position.quantity, position.cost, settled=days > 1)
                work.holdings.put(isin, done.holding)
                work.book = replace(work.book, balance=work.book.balance + done.cash)
            work.positions.put((key, product), None)


def _intraday(work: Work) -> list[Position]:
    """The open intraday positions."""
    return [one for (_, product), one in work.positions.items() if product == Product.INTRADAY and one.quantity]


def _new_holding(position: Position, instrument: Instrument | None) -> Holding:
    name = str(instrument.listing.row.get("name", "")) if instrument is not None else ""
    return Holding(
        isin_of(position.key), position.key, position.segment, position.exchange, position.symbol,
        name or position.symbol, 0, 0, 0,
    )  # fmt: skip

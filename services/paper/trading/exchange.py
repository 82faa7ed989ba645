"""The exchange's side: triggers, matching, the closing auction, and what each fill does to the account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from services.domain.clock import epoch_ms
from services.domain.orders import Product, Status, Validity
from services.domain.phases import Accepts, Phase, SessionWindow
from services.paper.model import Snapshot
from services.paper.trading.account import filled
from services.paper.trading.charges import charges_of
from services.paper.trading.floor import Floor, protected
from services.paper.trading.instruments import Instrument
from services.paper.trading.matching import Matched, Portion, match, match_at, reach
from services.paper.trading.order_values import Fill, Order
from services.paper.trading.position_values import Position
from services.paper.trading.states import cancelled, step
from services.paper.trading.values import PRICE_UNITS, UNITS_OF_PAISA, units
from services.paper.trading.work import Work

SQUARE_OFF_FEE = 5_900 * UNITS_OF_PAISA
"""Rs 50 and 18% GST for each order that the broker sends to close an intraday position."""
_AT_THE_EXCHANGE = frozenset({Status.OPEN, Status.TRIGGER_PENDING})
_IOC_OVER = "What could not be filled at once is cancelled (IOC)"
_AUCTION_OVER = "Not filled in the closing auction"


class Exchange:
    """Lets the orders of a piece of work meet the market."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self.estimates = True
        """Is every order charged as soon as it is filled? Else only the day's note is."""

    def trade(self, work: Work, keys: Iterable[str], at: datetime) -> None:
        """Match every living order of these instruments as far as the market of `at` allows."""
        open_now: dict[str, tuple[Instrument, SessionWindow]] = {}
        for key in keys:
            instrument = self._floor.instrument(key, at)
            window = self._floor.hours.window(instrument, at) if instrument is not None else None
            if instrument is not None and window is not None:
                open_now[key] = instrument, window
        for key, snapshot in self._floor.snapshots(open_now, at).items():
            instrument, window = open_now[key]
            if window.phase is Phase.OPEN:
                orders = [order for order in work.reached(key, reach(snapshot)) if order.status in _AT_THE_EXCHANGE]
                if orders:
                    self._continuous(work, instrument, window, snapshot, orders, at)
            elif window.phase is Phase.CLOSING_AUCTION:
                self._auction(work, instrument, snapshot, at)
            elif window.accepts is Accepts.CLOSING_PRICE:
                self._at_one_price(work, instrument, snapshot, at)

    def settle(
        self, work: Work, order: Order, instrument: Instrument, price: int, at: datetime, quantity: int | None = None
    ) -> Order:
        """Fill an order (or `quantity` of it) at `price`, apart from any market."""
        portion = Portion(order.order_id, price, order.left if quantity is None else quantity)
        return self._filled(work, order, instrument, portion, at)

    def _continuous(
        self,
        work: Work,
        instrument: Instrument,
        window: SessionWindow,
        snapshot: Snapshot,
        orders: list[Order],
        at: datetime,
    ) -> None:
        standing = [
            ready
            for order in orders
            if (ready := self._ready(work, order, instrument, window, snapshot, at)) is not None
        ]
        shelf = work.shelf(instrument.key).refreshed(snapshot)
        matched = match(standing, shelf, instrument.lot)
        self._take(work, instrument, matched, at)
        for order in standing:
            now = work.orders.get(order.order_id)
            if now is None or not now.alive:
                continue
            if now.validity == Validity.IOC:
                work.record(cancelled(now, epoch_ms(at), _IOC_OVER))
            elif now.resting != (now.order_id in matched.resting):
                work.put(replace(now, resting=not now.resting))

    def _ready(
        self,
        work: Work,
        order: Order,
        instrument: Instrument,
        window: SessionWindow,
        snapshot: Snapshot,
        at: datetime,
    ) -> Order | None:
        """`order` as it takes part now; `None` while it waits for its trigger."""
        if order.status == Status.TRIGGER_PENDING:
            if order.sign * (units(snapshot.ltp) - order.trigger) < 0:
                return None
            limit = protected(order, instrument, snapshot) if order.at_market else order.price
            return work.record(step(order, Status.OPEN, epoch_ms(at), limit=limit, exchange_ms=epoch_ms(at)))
        early = order.exchange_ms is not None and order.exchange_ms < epoch_ms(window.start)
        if order.at_market and (order.by_broker or (early and not order.filled and at == window.start)):
            # What came before the opening is protected from the first price of the session; what the broker closes
            # must get done.
            order = replace(order, limit=protected(order, instrument, snapshot))
            work.put(order)
        return order

    def _auction(self, work: Work, instrument: Instrument, snapshot: Snapshot, at: datetime) -> None:
        stop = self._floor.hours.auction_stop(instrument, self._floor.hours.today(at))
        if stop is None or at < stop or snapshot.last_trade_ms < epoch_ms(stop):
            return  # its result is not out yet
        self._at_one_price(work, instrument, snapshot, at)
        for order in work.live_of(instrument.key):
            if order.status in _AT_THE_EXCHANGE:
                work.record(cancelled(order, epoch_ms(at), _AUCTION_OVER))

    def _at_one_price(self, work: Work, instrument: Instrument, snapshot: Snapshot, at: datetime) -> None:
        standing = [order for order in work.live_of(instrument.key) if order.status == Status.OPEN]
        if not standing:
            return
        shelf = work.shelf(instrument.key).refreshed(snapshot)
        self._take(work, instrument, match_at(units(snapshot.ltp), standing, shelf, instrument.lot), at)

    def _take(self, work: Work, instrument: Instrument, matched: Matched, at: datetime) -> None:
        work.put_shelf(instrument.key, matched.shelf)
        for portion in matched.portions:
            order = work.orders.get(portion.order_id)
            assert order is not None
            self._filled(work, order, instrument, portion, at)

    def _filled(self, work: Work, order: Order, instrument: Instrument, portion: Portion, at: datetime) -> Order:
        at_ms = epoch_ms(at)
        fill = _fill(work, order, instrument, portion, at_ms)
        work.fills.append(fill)
        filled_now, value = order.filled + portion.quantity, order.value + portion.quantity * portion.price
        charges = _charges(order, instrument, filled_now, value) if self.estimates else 0
        held = order.key, order.product
        position = work.positions.get(held) or Position(
            order.key, order.product, order.segment, order.exchange, order.symbol, instrument.multiplier
        )
        opens = position.quantity * order.sign >= 0
        applied = filled(position, fill)
        work.positions.put(held, replace(applied.position, tag=order.tag) if opens else applied.position)
        added = charges - order.charges
        work.book = replace(
            work.book,
            balance=work.book.balance + applied.realised - added,
            charges=work.book.charges + added,
            day_charges=work.book.day_charges + added,
        )
        done = filled_now == order.quantity
        # The visible part of a disclosed order that was taken is renewed behind everybody else.
        behind = {"priority": work.next("priority")} if order.resting and order.disclosed and not done else {}
        return work.record(
            step(
                order,
                Status.COMPLETE if done else Status.OPEN,
                at_ms,
                filled=filled_now,
                value=value,
                charges=charges,
                exchange_ms=at_ms,
                **behind,
            )
        )


def _fill(work: Work, order: Order, instrument: Instrument, portion: Portion, at_ms: int) -> Fill:
    number = work.next("trade")
    return Fill(
        trade_id=f"{50_000_000 + number}",
        number=number,
        order_id=order.order_id,
        exchange_id=order.exchange_id,
        key=order.key,
        segment=order.segment,
        exchange=order.exchange,
        symbol=order.symbol,
        buys=order.buys,
        quantity=portion.quantity,
        price=portion.price,
        product=order.product,
        order_type=order.order_type,
        reference_id=order.reference_id,
        at_ms=at_ms,
        order_ms=order.placed_ms,
        day=work.book.day,
        multiplier=instrument.multiplier,
        name=str(instrument.listing.row.get("underlying_symbol") or instrument.listing.row.get("name") or order.symbol),
        isin=instrument.isin,
        option_type=instrument.right,
        strike=instrument.strike,
        expiry=instrument.expiry.isoformat() if instrument.expiry else "",
    )


def _charges(order: Order, instrument: Instrument, quantity: int, value: int) -> int:
    """What an order that was filled so far has cost. Brokerage is for each order, so that this is no sum over fills."""
    if not value:
        return order.charges  # an option that ends worthless
    found = charges_of(
        instrument.listing.row,
        buys=order.buys,
        product=order.product,
        quantity=quantity,
        price=Decimal(value) / (quantity * PRICE_UNITS),
        on=date.fromisoformat(order.day),
    )
    fee = SQUARE_OFF_FEE if order.by_broker and order.product == Product.INTRADAY else 0
    return found.total_paise * UNITS_OF_PAISA + fee

"""Why an order is not taken, put together: its form, the hour, the day's band, the shares and the money for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.domain.orders import Product, Status
from services.domain.phases import Phase, SessionWindow, Stage
from services.paper.trading import checks
from services.paper.trading.checks import Problem
from services.paper.trading.floor import Floor, protected
from services.paper.trading.instruments import Instrument
from services.paper.trading.order_values import AFTER_HOURS, Order
from services.paper.trading.treasury import Treasury
from services.paper.trading.values import rupees
from services.paper.trading.work import Work


class Admission:
    """Asks only; nothing is changed here."""

    def __init__(self, floor: Floor, treasury: Treasury) -> None:
        self._floor = floor
        self._treasury = treasury

    def against(
        self, work: Work, order: Order, instrument: Instrument, window: SessionWindow, now: datetime
    ) -> Problem | None:
        """Why `order` is not taken in this step of the day."""
        if order.by_broker:
            return None
        snapshot = self._floor.snapshots([order.key], now)[order.key]
        position = work.positions.get((order.key, order.product))
        closes = position is not None and -order.sign * position.quantity >= order.left
        last = self._floor.hours.last_new_intraday(instrument, self._floor.hours.today(now))
        return (
            checks.form(order, instrument)
            or checks.hour(order, instrument, window)
            or _auction_over(self._floor, order, instrument, window, now)
            or checks.band(order, snapshot, window)
            or checks.new_intraday(order, now, last, opens=not closes)
            or self._unaffordable(work, order, instrument, now)
        )

    def against_keeping(self, work: Work, order: Order, instrument: Instrument, now: datetime) -> Problem | None:
        """Why `order` is not kept for the next session."""
        if not self._floor.hours.takes_after_hours(instrument, now):
            return Problem(
                "The market is closed, and takes no orders for the next session at this hour", "RMS:Market closed"
            )
        return (
            checks.form(order, instrument)
            or checks.after_hours(order)
            or self._unaffordable(work, order, instrument, now)
        )

    def _unaffordable(self, work: Work, order: Order, instrument: Instrument, now: datetime) -> Problem | None:
        if not order.buys and instrument.share and order.product != Product.INTRADAY:
            free = self._treasury.sellable(work, order.key, order.product, besides=order)
            if order.left > free:
                return Problem(
                    f"Not enough shares to sell: {order.left} asked for, {max(free, 0)} held and free",
                    "RMS:Rule: Check holdings including BTST",
                )
        short = self._treasury.shortfall(work, order, instrument, now)
        if short is None:
            return None
        required, available = rupees(short.required), rupees(short.available)
        return Problem(
            f"You need to add Rs. {required - available:.2f} in your account to place this trade.",
            f"RMS:Margin Exceeds, Required:{required:.2f}, Available:{available:.2f}",
        )

    def against_change(
        self,
        work: Work,
        order: Order,
        wanted: Order,
        instrument: Instrument,
        window: SessionWindow | None,
        now: datetime,
    ) -> Problem | None:
        if wanted.quantity <= order.filled:
            return Problem(
                f"{order.filled} are filled already: the new quantity must be above that", "RMS:Quantity below filled"
            )
        wanted = self.with_limit(wanted, instrument, now, waits=waits(order, wanted))
        if order.status in AFTER_HOURS:
            if window is None:
                return self.against_keeping(work, wanted, instrument, now)
            return Problem("The session begins: the order is on its way to the exchange", "RMS:Order is being released")
        if window is None or self.held_fast(order, now):
            return Problem("The exchange takes no changes at the moment", "EXCH:Modification not allowed")
        return self.against(work, wanted, instrument, window, now)

    def held_fast(self, order: Order, now: datetime) -> bool:
        """Is the exchange matching this very moment, so that nothing can be changed?"""
        instrument = self._floor.instrument(order.key, now)
        window = self._floor.hours.window(instrument, now) if instrument is not None else None
        return window is not None and window.stage in {Stage.MATCHING, Stage.BUFFER}

    def with_limit(self, order: Order, instrument: Instrument, now: datetime, *, waits: bool) -> Order:
        """`order` with the price that no fill may cross. One that waits for its trigger gets it when that comes."""
        if waits:
            return replace(order, limit=0)
        if not order.at_market:
            return replace(order, limit=order.price)
        snapshot = self._floor.snapshots([order.key], now)[order.key]
        return replace(order, limit=protected(order, instrument, snapshot))


def waits(order: Order, wanted: Order) -> bool:
    """Does an order that becomes `wanted` wait for a trigger? One that was triggered already only for another one."""
    triggered = order.status == Status.OPEN and order.with_trigger and wanted.trigger == order.trigger
    return wanted.with_trigger and not triggered


def _auction_over(
    floor: Floor, order: Order, instrument: Instrument, window: SessionWindow, now: datetime
) -> Problem | None:
    """The auction stops taking orders at a random second."""
    if window.phase is not Phase.CLOSING_AUCTION:
        return None
    stop = floor.hours.auction_stop(instrument, floor.hours.today(now))
    if stop is None or now < stop:
        return None
    return Problem("The closing auction takes no more orders", "EXCH:Order entry not allowed")

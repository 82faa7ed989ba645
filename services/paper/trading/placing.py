"""Orders as they come in: taken, kept for the next session, or rejected; modified and cancelled."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from services.domain.clock import epoch_ms
from services.domain.orders import Status
from services.domain.phases import Phase, SessionWindow
from services.paper.envelope import refusal
from services.paper.trading import checks
from services.paper.trading.admission import Admission, waits
from services.paper.trading.checks import Problem
from services.paper.trading.exchange import Exchange
from services.paper.trading.floor import Floor
from services.paper.trading.instruments import Instrument
from services.paper.trading.making import MOST_SLICES, changed, exchange_id, keeps_place, new_order, parts_of
from services.paper.trading.order_values import AFTER_HOURS, Changes, Order, Wanted
from services.paper.trading.states import step
from services.paper.trading.work import Work

KILLED_FOR = timedelta(hours=12)
INACTIVE = frozenset({"MCX_FO", "NSE_COM"})
"""Segments that the account trades in only where they are switched on."""


class Placing:
    """Works on one piece of work at a time; the caller writes it."""

    def __init__(self, floor: Floor, exchange: Exchange, admission: Admission, *, mcx_open: bool) -> None:
        self._floor = floor
        self._exchange = exchange
        self._admission = admission
        self.mcx_open = mcx_open

    def active(self, segment: str) -> bool:
        """Does the account trade in this segment?"""
        return self.mcx_open or segment not in INACTIVE

    def place(self, work: Work, wanted: Wanted, now: datetime, *, why: str = "") -> list[Order]:
        """Take `wanted`, in parts if it asks for that. Raises `BrokerError` for what no order can be made of.

        `why`: the broker's own reason to send it; then it is asked neither for money nor for the hour.
        """
        instrument = self._instrument(work, wanted.key, now, by_broker=bool(why))
        window = self._floor.hours.window(instrument, now)
        ids = [
            self._one(work, wanted, quantity, instrument, window, now, why).order_id
            for quantity in parts_of(wanted, instrument, window, None if why else MOST_SLICES)
        ]
        self._exchange.trade(work, [wanted.key], now)
        return [order for order_id in ids if (order := work.orders.get(order_id)) is not None]

    def modify(self, work: Work, order: Order, changes: Changes, now: datetime) -> Order:
        """`order` (alive) as it shall be, or as it was, with the reason in its history."""
        instrument = self._floor.instrument(order.key, now)
        wanted = changed(order, changes)
        problem = Problem("The instrument is listed no more", "RMS:Instrument not active")
        window = None
        if instrument is not None:
            window = self._floor.hours.window(instrument, now)
            found = self._admission.against_change(work, order, wanted, instrument, window, now)
            problem = found if found is not None else problem
            if found is None:
                return self._modified(work, order, wanted, instrument, now)
        at_ms = epoch_ms(now)
        if order.status in AFTER_HOURS:
            return work.record(step(order, Status.AMO_MODIFIED, at_ms, message=problem.text, raw_message=problem.raw))
        validating = work.record(step(order, Status.MODIFY_VALIDATING, at_ms))
        refused = work.record(
            step(validating, Status.NOT_MODIFIED, at_ms, message=problem.text, raw_message=problem.raw)
        )
        return work.record(step(refused, Status(order.status), at_ms))

    def cancel(self, work: Work, order: Order, now: datetime, why: str = "") -> Order:
        """`order` (alive) cancelled, unless the exchange holds it fast at this moment."""
        at_ms = epoch_ms(now)
        if order.status in AFTER_HOURS:
            return work.record(step(order, Status.AMO_CANCELLED, at_ms, message=why, day=work.book.day))
        pending = work.record(step(order, Status.CANCELLING, at_ms))
        if self._admission.held_fast(order, now):
            refused = work.record(
                step(
                    pending, Status.NOT_CANCELLED, at_ms, message="The exchange is matching: no order can be cancelled"
                )
            )
            return work.record(step(refused, Status(order.status), at_ms))
        return work.record(step(pending, Status.CANCELLED, at_ms, message=why, exchange_ms=at_ms))

    def release(self, work: Work, order: Order, now: datetime) -> Order:
        """Send on what was kept for this session, if it takes such orders now."""
        instrument = self._floor.instrument(order.key, now)
        window = self._floor.hours.window(instrument, now) if instrument is not None else None
        if instrument is None or window is None or window.phase not in {Phase.PRE_OPEN, Phase.OPEN}:
            return order
        if checks.hour(order, instrument, window) is not None:
            return order  # it waits for the step that takes it
        received = work.record(step(order, Status.RECEIVED, epoch_ms(now), day=work.book.day))
        return self._validated(work, received, instrument, window, now)

    def force(self, work: Work, wanted: Wanted, instrument: Instrument, now: datetime, why: str) -> Order:
        """An order of the broker's own, open, that meets no market."""
        at_ms = epoch_ms(now)
        order = work.record(new_order(work, wanted, wanted.quantity, instrument, now, why))
        order = work.record(step(order, Status.VALIDATING, at_ms))
        order = work.record(step(order, Status.OPENING, at_ms))
        return work.record(step(order, Status.OPEN, at_ms, exchange_id=exchange_id(work, order), exchange_ms=at_ms))

    def _instrument(self, work: Work, key: str, now: datetime, *, by_broker: bool) -> Instrument:
        instrument = self._floor.instrument(key, now)
        if instrument is None:
            raise refusal("UDAPI100011", property_path="instrument_token", invalid_value=key)
        if by_broker:
            return instrument
        segment = instrument.listing.segment
        if not self.active(segment):
            raise refusal("UDAPI1161" if segment == "MCX_FO" else "UDAPI100058")
        if work.killed.get(segment) is not None:
            raise refusal("UDAPI100058", message=f"The kill switch of {segment} is on: no new orders")
        return instrument

    def _one(
        self,
        work: Work,
        wanted: Wanted,
        quantity: int,
        instrument: Instrument,
        window: SessionWindow | None,
        now: datetime,
        why: str,
    ) -> Order:
        order = new_order(work, wanted, quantity, instrument, now, why)
        order = self._admission.with_limit(order, instrument, now, waits=order.with_trigger)
        if window is None and self._admission.against_keeping(work, order, instrument, now) is None:
            return work.record(replace(order, status=Status.AMO_RECEIVED.value, variety="AMO", amo=True))
        return self._validated(work, work.record(order), instrument, window, now)

    def _validated(
        self, work: Work, received: Order, instrument: Instrument, window: SessionWindow | None, now: datetime
    ) -> Order:
        """The way from the broker to the exchange's book, or to a rejection."""
        at_ms = epoch_ms(now)
        order = work.record(step(received, Status.VALIDATING, at_ms))
        order = self._admission.with_limit(order, instrument, now, waits=order.with_trigger)
        if window is None:
            problem = self._admission.against_keeping(work, order, instrument, now)
        else:
            problem = self._admission.against(work, order, instrument, window, now)
        if problem is not None:
            return work.record(
                step(order, Status.REJECTED, at_ms, message=problem.text, raw_message=problem.raw, limit=0)
            )
        order = work.record(step(order, Status.OPENING, at_ms))
        arrived = step(
            order,
            Status.TRIGGER_PENDING if order.with_trigger else Status.OPEN,
            at_ms,
            exchange_id=exchange_id(work, order),
            exchange_ms=at_ms,
            priority=work.next("priority"),
        )
        return work.record(arrived)

    def _modified(
        self,
        work: Work,
        order: Order,
        wanted: Order,
        instrument: Instrument,
        now: datetime,
    ) -> Order:
        at_ms = epoch_ms(now)
        waiting = waits(order, wanted)
        wanted = self._admission.with_limit(wanted, instrument, now, waits=waiting)
        wanted = replace(wanted, request_number=order.request_number + 1)
        if order.status in AFTER_HOURS:
            return work.record(step(wanted, Status.AMO_MODIFIED, at_ms, message="", raw_message=""))
        keeps = keeps_place(order, wanted)
        passed = work.record(step(order, Status.MODIFY_VALIDATING, at_ms))
        passed = work.record(step(passed, Status.MODIFYING, at_ms))
        done = work.record(
            step(
                replace(wanted, status=passed.status),
                Status.MODIFIED,
                at_ms,
                message="",
                raw_message="",
                priority=order.priority if keeps else work.next("priority"),
                resting=order.resting and keeps,
                exchange_ms=at_ms,
            )
        )
        work.record(step(done, Status.TRIGGER_PENDING if waiting else Status.OPEN, at_ms))
        self._exchange.trade(work, [order.key], now)
        found = work.orders.get(order.order_id)
        assert found is not None
        return found

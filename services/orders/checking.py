"""Gathers what the checks look at. What they say is decided in `services.domain.order_checks`, in one place."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import time as day_time
from datetime import timedelta
from decimal import Decimal
from threading import Lock
from typing import Protocol

from services.domain.accounts import TokenKind
from services.domain.clock import Clock, ist_date
from services.domain.errors import InvalidRequest, UpstoxError
from services.domain.instruments import Instrument
from services.domain.intents import Intent, IntentKind, IntentState
from services.domain.margins import SegmentSwitch
from services.domain.order_checks import Finding, OrderFacts, StaticIp
from services.domain.phases import Listing, Phase, PhaseNow
from services.domain.quote_batch import BatchResult
from services.domain.quote_row import QuoteRow
from services.domain.quotes import FROM_FEED
from services.ledger.intents import Standing
from services.orders.told import Told

SWITCHES_GOOD_FOR = 300.0
"""Seconds. The reconciliation asks for the broker's kill switch every minute."""
REFUSED_FOR = 120.0
"""Seconds after the broker refused this machine's address: then one order may try again."""
ADDRESS_REFUSED = "UDAPI1154"
QUICK_SECONDS = 3.0
"""An order that has been on its way for less is no reason to hold back another one of the same kind: its answer comes
any moment. One that takes longer may be lost, or its process may have ended."""


class Quotes(Protocol):
    """The desk's quotes."""

    def get(self, keys: Sequence[str]) -> BatchResult: ...
    def last_known(self, keys: Sequence[str], *, disk: bool = True) -> Mapping[str, QuoteRow]: ...


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of one instrument; `None` = not known."""

    position: int | None = None
    sellable: int | None = None
    t1: int = 0


class AddressWatch:
    """Whether the broker takes orders from this machine's address, as far as its answers have told."""

    def __init__(self, *, needed: bool, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._needed = needed
        self._monotonic = monotonic
        self._guard = Lock()  # guards the two below
        self._state = StaticIp.UNTRIED
        self._until = 0.0

    def heard(self, intent: Intent) -> None:
        """What an order call was answered."""
        with self._guard:
            if intent.code == ADDRESS_REFUSED:
                self._state, self._until = StaticIp.REFUSED, self._monotonic() + REFUSED_FOR
            elif intent.state is IntentState.ACCEPTED:
                self._state = StaticIp.ACCEPTED

    def state(self) -> StaticIp:
        if not self._needed:
            return StaticIp.NOT_NEEDED
        with self._guard:
            if self._state is StaticIp.REFUSED and self._monotonic() > self._until:
                return StaticIp.UNTRIED
            return self._state


class Checker:
    """The facts of the moment. With `wait` it asks for what is missing; without, it makes no request."""

    def __init__(
        self,
        *,
        mode: str,
        clock: Clock,
        speed: Callable[[], float],
        practice: Callable[[], bool],
        find: Callable[[str], Instrument | None],
        quotes: Callable[[], Quotes],
        served: Callable[[Collection[str]], set[str]],
        phase: Callable[[str, Listing], PhaseNow],
        token: Callable[[], TokenKind | None],
        switches: Told[tuple[SegmentSwitch, ...]],
        address: AddressWatch,
        held: Callable[[str, str], Held] = lambda key, product: Held(),
        learn_hours: Callable[[], object] = lambda: None,
        mcx_orders: bool = False,
        square_off: day_time | None = None,
    ) -> None:
        """`served(keys)`: those that the live feed keeps current; `phase(segment, listing)`; `held(key, product)`;
        `learn_hours()` asks the broker for today's hours, if that is due."""
        self._mode = mode
        self._clock = clock
        self._speed = speed
        self._practice = practice
        self._find = find
        self._quotes = quotes
        self._served = served
        self._phase = phase
        self._token = token
        self._switches = switches
        self._address = address
        self._held = held
        self._learn_hours = learn_hours
        self._mcx_orders = mcx_orders
        self._square_off = square_off

    def access(self) -> OrderFacts:
        """What every write needs: for cancels and exits nothing else is asked, so that nothing can stand in their
        way."""
        return OrderFacts(
            mode=self._mode,
            now=self._clock.now(),
            practice=self._practice(),
            token=self._token(),
            static_ip=self._address.state(),
            own_kill_switch=False,
            orders_last_second=0,
            orders_today=0,
        )

    def facts(
        self,
        key: str,
        product: str,
        *,
        wait: bool,
        required: Decimal | None = None,
        available: Decimal | None = None,
    ) -> tuple[OrderFacts, QuoteRow | None]:
        """Everything about an order of `key`, and the quote that it goes by. The desk's own kill switch and the counts
        are filled in where the ledger is read."""
        instrument = self._find(key)
        segment = key.partition("|")[0]
        if wait and instrument is not None:
            self._ask_hours(instrument, segment)  # first: it may take a while, and the quote is to be new
        row, age = self._quote(key, wait=wait)
        held = self._held(key, product)
        facts = replace(
            self.access(),
            own_kill_switch=None,
            orders_last_second=None,
            orders_today=None,
            instrument=instrument,
            phase=None if instrument is None else self._phase_of(instrument, segment),
            ltp=None if row is None else _amount(row["ltp"]),
            quote_age_seconds=age,
            lower_band=None if row is None else _amount(row["lower_circuit"]),
            upper_band=None if row is None else _amount(row["upper_circuit"]),
            broker_switch=self._switch(segment, wait=wait),
            mcx_orders=self._mcx_orders,
            margin_available=available,
            margin_required=required,
            position_quantity=held.position,
            sellable=held.sellable,
            t1_quantity=held.t1,
            delivery_authorised=True if self._mode == "paper" else None,
            square_off=self._square_off,
        )
        return facts, row

    def aged(self, facts: OrderFacts) -> OrderFacts:
        """`facts` as old as they are by now: whoever waited for a turn at the ledger looked at another price."""
        now = self._clock.now()
        if facts.now is None or now <= facts.now:
            return facts
        phase, age = facts.phase, facts.quote_age_seconds
        if phase is not None and phase.until is not None and now >= phase.until:
            phase = None  # what came after it was not asked for
        if age is not None:
            age += (now - facts.now).total_seconds() / max(1.0, self._speed())
        return replace(facts, now=now, phase=phase, quote_age_seconds=age)

    def _phase_of(self, instrument: Instrument, segment: str) -> PhaseNow | None:
        try:
            return self._phase(segment, self._listing(instrument))
        except InvalidRequest:
            return None  # a segment without hours of its own

    def _ask_hours(self, instrument: Instrument, segment: str) -> None:
        """Asks for today's hours where nobody has been told them yet. What the broker does not tell stays unknown, and
        the check says so and blocks."""
        phase = None if self._practice() else self._phase_of(instrument, segment)
        if phase is not None and phase.phase is Phase.UNKNOWN:
            with suppress(UpstoxError):
                self._learn_hours()

    def _listing(self, instrument: Instrument) -> Listing:
        """As what the exchange's hours know it today."""
        if instrument.cas_eligible:
            return Listing.AUCTION
        if instrument.expiry is not None and instrument.expiry == ist_date(self._clock.now()):
            if instrument.segment in {"NCD_FO", "BCD_FO"}:
                return Listing.EXPIRING_CURRENCY
            if instrument.segment in {"NSE_FO", "BSE_FO"} and "_INDEX|" in (instrument.underlying_key or ""):
                return Listing.EXPIRING_INDEX
        return Listing.ORDINARY

    def _quote(self, key: str, *, wait: bool) -> tuple[QuoteRow | None, float | None]:
        """The quote, and how many seconds old it is. What the live feed serves is as new as can be."""
        quotes = self._quotes()
        row = quotes.get([key]).quotes.get(key) if wait else quotes.last_known([key], disk=False).get(key)
        if row is None:
            return None, None
        if row["api_version"] == FROM_FEED and key in self._served([key]):
            return row, 0.0
        age = (self._clock.now() - row["received_at"]).total_seconds() / max(1.0, self._speed())
        return row, max(0.0, age)

    def _switch(self, segment: str, *, wait: bool) -> SegmentSwitch | None:
        told = self._switches.within(SWITCHES_GOOD_FOR)
        if told is None and wait:
            try:
                told = self._switches.ask()
            except UpstoxError:
                return None  # not known: the check says so, and blocks
        return next((one for one in told or () if one.segment == segment), None)


def refuse_blocking(findings: Sequence[Finding]) -> None:
    """Raises `InvalidRequest` with every reason that stands against it."""
    reasons = [finding.text for finding in findings if finding.blocks]
    if reasons:
        raise InvalidRequest("; ".join(reasons))


def with_standing(facts: OrderFacts, standing: Standing, *, ahead: int = 0) -> OrderFacts:
    """`facts` with what the ledger says in the intent's own transaction. `ahead`: lines of the same basket, which are
    paced when they are sent."""
    return replace(
        facts,
        own_kill_switch=standing.kill_switch.on,
        orders_last_second=max(0, standing.orders_last_second - ahead),
        orders_today=standing.orders_today,
    )


def refuse_repeat(
    standing: Standing, kind: IntentKind, body: Mapping[str, object] | None = None, *, basket: str = ""
) -> None:
    """The same button is blocked while it is not known what became of its last press, in whatever window or process.
    `body`: what makes it the same; `basket`: the decision that this one is a part of, whose other parts are no repeats.
    """
    for one in standing.open_writes:
        if one.kind is not kind or any(one.body.get(name) != value for name, value in (body or {}).items()):
            continue
        if one.state is IntentState.UNKNOWN:
            raise InvalidRequest(
                "it is not known yet what became of the same action before this one; the desk is looking for it"
            )
        if basket and one.basket == basket:
            continue
        # Several orders of one kind may well leave one after the other. Nothing else is wanted twice.
        if kind is not IntentKind.PLACE or standing.now - one.created_at > timedelta(seconds=QUICK_SECONDS):
            raise InvalidRequest("the same action is on its way already, and no answer has come yet")


def refuse_exit_twice(standing: Standing, segment: str | None) -> None:
    """Positions are not closed a second time while it is not known what became of the first: that would turn them
    round. An exit of all and one of a segment are about the same positions."""
    for one in standing.open_writes:
        other = one.body.get("segment")
        if one.kind is IntentKind.EXIT_ALL and (segment is None or other is None or segment == other):
            raise InvalidRequest(
                "it is not known yet what became of the exit before this one; the desk is looking for it"
            )


def _amount(price: float | None) -> Decimal | None:
    """A quote's price as it is written; 0 and nothing mean "not available"."""
    return Decimal(repr(float(price))) if price else None

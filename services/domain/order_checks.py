"""Everything that is checked before an order is sent, in one place. What is not known and needed blocks.

Pure: the facts are handed in (`OrderFacts`), the findings handed out, each with its reason in plain words. Findings
that do not block are warnings for the ticket.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal

from services.domain.accounts import TokenKind
from services.domain.clock import IST
from services.domain.gtt import GttRequest, Strategy
from services.domain.instruments import Instrument
from services.domain.order_facts import Finding, OrderFacts, OrderLimits, StaticIp
from services.domain.order_price_checks import (
    contract_value,
    entry_checks,
    order_value,
    price_checks,
    quantity_checks,
    quote_checks,
    tick_checks,
    value_checks,
    worst_price,
)
from services.domain.order_words import counted, rupees
from services.domain.orders import OrderRequest, OrderType, Product, Side, Validity
from services.domain.phases import Accepts, Phase

__all__ = [
    "Finding",
    "OrderFacts",
    "OrderLimits",
    "StaticIp",
    "check_gtt",
    "check_order",
    "check_reducing",
    "check_standing",
    "order_value",
    "worst_price",
]

MODES = ("paper", "live", "rehearsal")
SHARES = ("NSE_EQ", "BSE_EQ")
TRADE_FOR_TRADE = {"NSE_EQ": ("BE", "BZ", "ST"), "BSE_EQ": ("T", "XT", "Z", "ZP")}
"""Series that must be delivered: no intraday."""
SQUARE_OFF = {
    "NSE_EQ": time(15, 15), "BSE_EQ": time(15, 15), "NSE_FO": time(15, 20), "BSE_FO": time(15, 20),
    "NCD_FO": time(16, 30), "BCD_FO": time(16, 30), "MCX_FO": time(22, 50), "NSE_COM": time(22, 50),
}  # fmt: skip
"""When the broker closes intraday positions (IST), by its help pages, which give no date: warnings only."""
SQUARE_OFF_WARNING = timedelta(minutes=15)
AUCTION_WARNING = timedelta(minutes=15)
SERVICE_OPENS = time(5, 30)
"""The broker takes orders from then until midnight."""


def check_order(
    request: OrderRequest, facts: OrderFacts, limits: OrderLimits, *, new: bool = True
) -> tuple[Finding, ...]:
    """What is to be said of sending `request` now; nothing blocks = it may go. `new=False`: it is what an order would
    become by a modification, which the day's count does not mind."""
    return (
        *_access(facts, opens=True),
        *_standing(facts, limits, lines=1, new=new),
        *_instrument(request.product, facts),
        *_phase(request, facts),
        *quote_checks(facts, limits),
        *quantity_checks(request.quantity, facts, limits, sliced=request.slice),
        *price_checks(request, facts, limits, new=new),
        *value_checks(order_value(request, facts), limits),
        *(_money(facts) if new else ()),  # what is available has what the order blocks already taken off
        *_warnings(request, facts),
    )


def check_gtt(request: GttRequest, facts: OrderFacts, limits: OrderLimits) -> tuple[Finding, ...]:
    """The same for an order that waits at the broker. It fires some other day: phase, band and distance of today do
    not bind it, unless it would fire at once."""
    findings = [
        *_access(facts, opens=True),
        *_standing(facts, limits, lines=1, new=True),
        *_instrument(request.product, facts),
        *quantity_checks(request.quantity, facts, limits, sliced=False),
    ]
    highest = Decimal(0)
    for leg in request.legs:
        findings += tick_checks(f"{leg.strategy.lower()} price", leg.trigger_price, facts)
        highest = max(highest, leg.trigger_price)
        if leg.strategy is Strategy.ENTRY:
            findings += entry_checks(request.side, leg, facts, limits)
    findings += value_checks(contract_value(highest, request.quantity, facts.instrument), limits)
    share = facts.instrument is not None and facts.instrument.segment in SHARES
    sells = request.side is Side.SELL or any(leg.strategy is not Strategy.ENTRY for leg in request.legs)
    if share and sells and facts.delivery_authorised is not True:
        findings.append(
            Finding.warn(
                "delivery_authorisation", "selling shares when it fires needs DDPI, or EDIS for the waiting order"
            )
        )
    findings.append(
        Finding.warn("gtt", "when it fires a limit order is sent: funds, margin and the market may refuse it")
    )
    return tuple(findings)


def check_reducing(facts: OrderFacts, limits: OrderLimits) -> tuple[Finding, ...]:
    """For what only takes away: cancels, exits, conversions. A kill switch never stands in their way."""
    return (*_access(facts, opens=False), *_standing(facts, limits, lines=1, new=False, killed=False))


def check_standing(
    limits: OrderLimits,
    *,
    killed: bool | None,
    last_second: int | None,
    today: int | None,
    lines: int = 1,
    new: bool = True,
) -> tuple[Finding, ...]:
    """The part that must be asked in the same transaction that records the order: kill switch and counts."""
    return tuple(_counts(limits, killed=killed, last_second=last_second, today=today, lines=lines, new=new))


# -- may anything be sent at all ---------------------------------------------------------------------------------


def _access(facts: OrderFacts, *, opens: bool) -> Iterator[Finding]:
    if facts.mode not in MODES:
        yield Finding.block("mode", "it is not known whether this is paper or live trading")
    if facts.token is None:
        yield Finding.block("token", "nobody is logged in at the broker")
    elif facts.token is not TokenKind.ACCESS:
        yield Finding.block("token", "the token in use may only read: log in to trade")
    if facts.static_ip is None:
        yield Finding.block("static_ip", "it is not known whether the broker takes orders from this address")
    elif facts.static_ip is StaticIp.REFUSED:
        yield Finding.block(
            "static_ip", "the broker refuses orders from this address: it is not the registered static IP"
        )
    elif facts.static_ip is StaticIp.UNTRIED:
        yield Finding.warn(
            "static_ip", "no order has gone out from this address yet: the broker may refuse it (static IP)"
        )
    if facts.now is None:
        yield Finding.block("service_hours", "the time at the broker is not known")
    elif not facts.practice and facts.now.astimezone(IST).time() < SERVICE_OPENS:
        yield Finding.block("service_hours", "the broker takes orders between 05:30 and 24:00 only (UDAPI100074)")
    if not opens:
        return
    switch = facts.broker_switch
    if switch is None:
        yield Finding.block("broker_kill_switch", "it is not known whether the broker's kill switch is on")
    elif switch.killed:
        yield Finding.block("broker_kill_switch", f"the broker's kill switch is on for {switch.segment}")
    elif not switch.active:
        yield Finding.block("broker_kill_switch", f"{switch.segment} is not active for this account at the broker")


def _standing(
    facts: OrderFacts, limits: OrderLimits, *, lines: int, new: bool, killed: bool | None = None
) -> Iterator[Finding]:
    yield from _counts(
        limits,
        killed=facts.own_kill_switch if killed is None else killed,
        last_second=facts.orders_last_second,
        today=facts.orders_today,
        lines=lines,
        new=new,
    )


def _counts(
    limits: OrderLimits, *, killed: bool | None, last_second: int | None, today: int | None, lines: int, new: bool
) -> Iterator[Finding]:
    if killed is None:
        yield Finding.block("own_kill_switch", "it is not known whether the desk's kill switch is on")
    elif killed:
        yield Finding.block("own_kill_switch", "the desk's kill switch is on")
    most = limits.max_orders_per_second
    if last_second is None:
        yield Finding.block("rate_second", "it is not known how many orders went out in the last second")
    elif last_second + lines > most:
        yield Finding.block("rate_second", f"more than {most} orders in a second: wait a moment")
    if not new:
        return
    most = limits.max_orders_per_day
    if today is None:
        yield Finding.block("rate_day", "it is not known how many orders went out today")
    elif today + lines > most:
        yield Finding.block("rate_day", f"the limit of {most} orders a day is reached")


# -- the instrument and the hour ---------------------------------------------------------------------------------


def _instrument(product: Product, facts: OrderFacts) -> Iterator[Finding]:
    one = facts.instrument
    if one is None:
        yield Finding.block("instrument", "the instrument is not in today's list of instruments")
        return
    if one.is_index:
        yield Finding.block("instrument", f"{one.symbol} is an index: only its futures and options can be traded")
    if one.segment == "MCX_FO" and not facts.mcx_orders:
        yield Finding.block("mcx", "the broker takes no MCX orders through its API at present (UDAPI1161)")
    if product is Product.MTF and one.segment not in SHARES:
        yield Finding.block("product", "margin funding (MTF) is for shares only")
    if product is Product.INTRADAY and one.type in TRADE_FOR_TRADE.get(one.segment, ()):
        yield Finding.block("product", f"{one.symbol} is in a trade-for-trade series ({one.type}): no intraday orders")


def _phase(request: OrderRequest, facts: OrderFacts) -> Iterator[Finding]:
    if facts.practice:
        return
    phase = facts.phase
    if phase is None or phase.phase is Phase.UNKNOWN:
        yield Finding.block("market_phase", "it is not known whether this market is open")
    elif phase.phase in {Phase.CLOSED, Phase.POST_CLOSE} and phase.accepts is Accepts.NOTHING:
        yield from _after_market(request)
    elif phase.accepts is Accepts.NOTHING:
        until = "" if phase.until is None else f" until {_clock(phase.until)}"
        yield Finding.block("market_phase", f"no orders are taken in this part of the {phase.phase}{until}")
    elif phase.accepts is not Accepts.ALL:
        yield from _accepted(request, phase.phase, phase.accepts)


def _after_market(request: OrderRequest) -> Iterator[Finding]:
    yield Finding.warn("amo", "the market is closed: the broker keeps it as an after-market order for the next opening")
    if request.order_type.needs_trigger:
        yield Finding.block("amo", "after-market orders are market or limit orders: no stop-loss")
    if request.validity is Validity.IOC:
        yield Finding.block("amo", "an after-market order waits for the opening: it cannot be IOC")
    if request.disclosed_quantity:
        yield Finding.block("amo", "an after-market order discloses all of its quantity")


def _accepted(request: OrderRequest, phase: Phase, accepts: Accepts) -> Iterator[Finding]:
    kinds = {OrderType.LIMIT} if accepts is Accepts.LIMIT else {OrderType.LIMIT, OrderType.MARKET}
    if request.order_type not in kinds:
        yield Finding.block("market_phase", f"in the {phase} the exchange takes {accepts} only")
    if request.validity is Validity.IOC:
        yield Finding.block("market_phase", f"in the {phase} orders wait to be matched: none can be IOC")
    if request.slice and phase is Phase.CLOSING_AUCTION:
        yield Finding.block("market_phase", "in the closing auction orders are not sliced")


def _money(facts: OrderFacts) -> Iterator[Finding]:
    need, have = facts.margin_required, facts.margin_available
    if need is not None and have is not None and need > have:
        yield Finding.block("margin", f"it needs {rupees(need)}, and {rupees(have)} is available")


# -- what does not block -----------------------------------------------------------------------------------------


def _warnings(request: OrderRequest, facts: OrderFacts) -> Iterator[Finding]:
    one, now = facts.instrument, facts.now
    if one is None:
        return
    if request.side is Side.SELL and request.product is Product.DELIVERY and one.segment in SHARES:
        yield from _delivery_sale(request.quantity, facts)
    if request.product is Product.INTRADAY and now is not None and not facts.practice:
        yield from _square_off(one, facts.square_off, now)
    if one.cas_eligible and not facts.practice:
        yield from _closing_auction(facts)
    if one.freeze_quantity and request.slice and request.quantity > one.freeze_quantity:
        children = -(-request.quantity // one.freeze_quantity)
        yield Finding.warn("slice", f"it is split into {children} orders, each with its own brokerage")


def _delivery_sale(quantity: int, facts: OrderFacts) -> Iterator[Finding]:
    """What was bought today is sold again without touching the demat account."""
    rest = quantity - max(0, facts.position_quantity or 0)
    if rest <= 0:
        return
    if facts.sellable is None:
        yield Finding.warn("holdings", "it is not known how many shares you hold")
    elif rest > facts.sellable + facts.t1_quantity:
        yield Finding.warn(
            "holdings",
            f"you have {counted(quantity - rest + facts.sellable + facts.t1_quantity)}: the rest would be sold short",
        )
    elif rest > facts.sellable:
        yield Finding.warn("t1", "part of it is not delivered yet (T1): if it does not arrive, it goes to auction")
    if facts.delivery_authorised is not True:
        yield Finding.warn("delivery_authorisation", "selling holdings needs DDPI, or EDIS authorised for today")


def _square_off(one: Instrument, told: time | None, now: datetime) -> Iterator[Finding]:
    at = told or SQUARE_OFF.get(one.segment)
    if at is None:
        return
    local = now.astimezone(IST)
    closes = datetime.combine(local.date(), at, IST)
    if local >= closes:
        yield Finding.warn(
            "square_off", f"the broker closes intraday positions at {at:%H:%M}: it may refuse this, or close it at once"
        )
    elif local >= closes - SQUARE_OFF_WARNING:
        yield Finding.warn("square_off", f"the broker closes intraday positions at {at:%H:%M} and charges for it")


def _closing_auction(facts: OrderFacts) -> Iterator[Finding]:
    phase = facts.phase
    if phase is None:
        return
    if phase.phase is Phase.CLOSING_AUCTION:
        yield Finding.warn(
            "closing_auction", "the closing auction runs: it fills at the auction's price, within 3% of its reference"
        )
    elif phase.then is not Phase.CLOSING_AUCTION or phase.until is None or facts.now is None:
        return
    elif phase.until - facts.now <= AUCTION_WARNING:
        yield Finding.warn(
            "closing_auction",
            f"continuous trading ends at {_clock(phase.until)}: what is left goes to the closing auction",
        )


def _clock(instant: datetime) -> str:
    return f"{instant.astimezone(IST):%H:%M}"

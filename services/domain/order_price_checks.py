"""The part of the checks before an order that is about its figures: quote, quantity, prices, value."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from services.domain.gtt import GttLeg, TriggerType
from services.domain.instruments import Instrument
from services.domain.order_facts import Finding, OrderFacts, OrderLimits
from services.domain.order_words import counted, rupees
from services.domain.orders import AUTOMATIC_PROTECTION, OrderRequest, Side
from services.domain.phases import TRADING
from services.domain.time_words import duration

IN_LOTS = ("MCX_FO", "NSE_COM", "NCD_FO", "BCD_FO")
"""Segments whose quantities are lots, one lot being `lot_size` times `qty_multiplier` units of what is priced."""
MAX_CHILDREN = 25
"""Of one sliced order."""
ASSUMED_PROTECTION = Decimal(5)
"""Percent. What the broker takes for automatic market protection is not published; used for values, never sent."""
LEAST_TICKS = 5
"""A price so many ticks away is never too far: in the cheapest instruments one tick is many percent."""


def worst_price(request: OrderRequest, facts: OrderFacts) -> Decimal | None:
    """The worst price at which the order can fill, in rupees; `None` where it cannot be told."""
    if request.price is not None:
        return request.price
    base = request.trigger_price or facts.ltp
    if base is None:
        return None
    percent = request.market_protection
    if percent is None or percent == AUTOMATIC_PROTECTION:
        percent = ASSUMED_PROTECTION
    worst = base * (1 + request.side.sign * percent / 100)
    if request.side is Side.BUY:
        return worst if facts.upper_band is None else min(worst, max(facts.upper_band, base))
    return worst if facts.lower_band is None else max(worst, min(facts.lower_band, base))


def order_value(request: OrderRequest, facts: OrderFacts) -> Decimal | None:
    """Rupees that change hands at the worst price (a sale: at the best that is known); the contract's value for
    derivatives. `None` where it cannot be told."""
    worst = worst_price(request, facts)
    if worst is not None and request.side is Side.SELL:
        worst = max(worst, facts.ltp or worst)
    return contract_value(worst, request.quantity, facts.instrument)


def quote_checks(facts: OrderFacts, limits: OrderLimits) -> Iterator[Finding]:
    if facts.ltp is None or facts.ltp <= 0:
        yield Finding.block("quote", "there is no last price to compare with")
    elif not is_trading(facts):
        return  # the last price of a closed market is as old as its close
    elif facts.quote_age_seconds is None:
        yield Finding.block("stale_quote", "it is not known how old the last price is")
    elif facts.quote_age_seconds > limits.max_quote_age_seconds:
        yield Finding.block(
            "stale_quote",
            f"the last price is {duration(facts.quote_age_seconds)} old, more than"
            f" {duration(limits.max_quote_age_seconds)}",
        )


def quantity_checks(quantity: int, facts: OrderFacts, limits: OrderLimits, *, sliced: bool) -> Iterator[Finding]:
    if quantity > limits.max_quantity:
        yield Finding.block(
            "quantity", f"{counted(quantity)} is above the limit of {counted(limits.max_quantity)} for one order"
        )
    one = facts.instrument
    if one is None:
        return
    if one.segment not in IN_LOTS:
        if not one.lot_size:
            yield Finding.block("lot", "the lot size is not known")
        elif quantity % one.lot_size:
            yield Finding.block("lot", f"{counted(quantity)} is not a whole number of lots of {counted(one.lot_size)}")
    freeze = one.freeze_quantity
    if not freeze:
        yield Finding.block("freeze", "the freeze quantity is not known")
    elif quantity > freeze and not sliced:
        yield Finding.block(
            "freeze", f"the exchange takes at most {counted(freeze)} in one order: switch slicing on, or take less"
        )
    elif quantity > freeze * MAX_CHILDREN:
        yield Finding.block("freeze", f"it would be split into more than {MAX_CHILDREN} orders")


def price_checks(request: OrderRequest, facts: OrderFacts, limits: OrderLimits, *, new: bool) -> Iterator[Finding]:
    for name, price in (("price", request.price), ("trigger price", request.trigger_price)):
        if price is not None:
            yield from tick_checks(name, price, facts)
            yield from _in_band(name, price, facts)
    ltp = facts.ltp
    if ltp is None or ltp <= 0:
        return
    if request.trigger_price is not None:
        yield from _trigger_side(request.side, request.trigger_price, ltp, new=new)
    if request.price is not None:
        yield from _distance(request, request.price, request.trigger_price or ltp, facts, limits)


def tick_checks(name: str, price: Decimal, facts: OrderFacts) -> Iterator[Finding]:
    one = facts.instrument
    if one is None:
        return
    if not one.tick_size:
        yield Finding.block("tick", "the price step of this instrument is not known")
    elif price % one.tick_size:
        yield Finding.block("tick", f"the {name} {rupees(price)} is not a multiple of {rupees(one.tick_size)}")


def _in_band(name: str, price: Decimal, facts: OrderFacts) -> Iterator[Finding]:
    low, high = facts.lower_band, facts.upper_band
    if low is None or high is None:
        yield Finding.block("band", "today's circuit limits are not known")
    elif not low <= price <= high:
        yield Finding.block(
            "band", f"the {name} {rupees(price)} is outside today's limits {rupees(low)} to {rupees(high)}"
        )


def _trigger_side(side: Side, trigger: Decimal, ltp: Decimal, *, new: bool) -> Iterator[Finding]:
    if (trigger - ltp) * side.sign >= 0:
        return
    where = "below" if side is Side.BUY else "above"
    text = f"the trigger {rupees(trigger)} is {where} the last price {rupees(ltp)}"
    # A stop that has fired and waits at its limit has its trigger behind it, and may still be changed.
    yield Finding("trigger", f"{text}: it would fire at once" if new else text, blocks=new)


def entry_checks(side: Side, entry: GttLeg, facts: OrderFacts, limits: OrderLimits) -> Iterator[Finding]:
    """An entry that waits for a price which is there already is a limit order of now: the slip of the finger counts."""
    ltp, price = facts.ltp, entry.trigger_price
    if ltp is None or ltp <= 0:
        yield Finding.block("quote", "there is no last price to tell whether it would fire at once")
        return
    met = {TriggerType.ABOVE: ltp >= price, TriggerType.BELOW: ltp <= price, TriggerType.IMMEDIATE: True}
    if not met[entry.trigger_type]:
        return
    yield from _too_far(side, price, ltp, "the last price", facts, limits)
    if entry.trigger_type is not TriggerType.IMMEDIATE:
        yield Finding.warn("trigger", f"the last price {rupees(ltp)} is there already: it fires at once")


def _distance(
    request: OrderRequest, price: Decimal, base: Decimal, facts: OrderFacts, limits: OrderLimits
) -> Iterator[Finding]:
    what = "the last price" if request.trigger_price is None else "its trigger"
    worse, allowed = (price - base) * request.side.sign, _allowed(base, facts, limits)
    if worse > allowed:
        yield from _too_far(request.side, price, base, what, facts, limits)
    elif request.trigger_price is None and -worse > allowed:
        yield Finding.warn(
            "distance", f"{rupees(price)} is {-worse / base * 100:.1f}% away from {what}: it may not fill"
        )


def _too_far(
    side: Side, price: Decimal, base: Decimal, what: str, facts: OrderFacts, limits: OrderLimits
) -> Iterator[Finding]:
    worse = (price - base) * side.sign
    if worse > _allowed(base, facts, limits):
        yield Finding.block(
            "distance",
            f"{rupees(price)} is {worse / base * 100:.1f}% worse than {what} {rupees(base)}; "
            f"the limit is {_percent(facts, limits):g}%",
        )


def _percent(facts: OrderFacts, limits: OrderLimits) -> Decimal:
    option = facts.instrument is not None and facts.instrument.is_option
    return limits.option_distance_percent if option else limits.price_distance_percent


def _allowed(base: Decimal, facts: OrderFacts, limits: OrderLimits) -> Decimal:
    """Rupees that a price may be worse than `base`."""
    one = facts.instrument
    allowed = base * _percent(facts, limits) / 100
    return max(allowed, one.tick_size * LEAST_TICKS) if one is not None and one.tick_size else allowed


def contract_value(price: Decimal | None, quantity: int, one: Instrument | None) -> Decimal | None:
    """Price times quantity in rupees, by the size of the contract where quantities are lots."""
    if price is None or one is None:
        return None
    if one.segment not in IN_LOTS:
        return price * quantity
    if not one.qty_multiplier or not one.lot_size:
        return None
    return price * quantity * one.lot_size * one.qty_multiplier


def value_checks(value: Decimal | None, limits: OrderLimits) -> Iterator[Finding]:
    if value is None:
        yield Finding.block("value", "the value of the order cannot be worked out")
    elif value > limits.max_value:
        yield Finding.block(
            "value",
            f"the value {rupees(round(value, 2))} is above the limit of {rupees(limits.max_value)} for one order",
        )


def is_trading(facts: OrderFacts) -> bool:
    return facts.practice or (facts.phase is not None and facts.phase.phase in TRADING)

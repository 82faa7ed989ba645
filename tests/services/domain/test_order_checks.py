from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.accounts import TokenKind
from services.domain.errors import InvalidRequest
from services.domain.gtt import GttLeg, GttRequest, Strategy, TriggerType
from services.domain.margins import SegmentSwitch
from services.domain.order_checks import (
    Finding,
    OrderFacts,
    OrderLimits,
    StaticIp,
    check_gtt,
    check_order,
    check_reducing,
    check_standing,
    order_value,
    worst_price,
)
from services.domain.orders import OrderRequest, OrderType, Product, Side, Validity
from services.domain.phases import Accepts, Phase, PhaseNow, Stage
from tests.support.orders import RELIANCE, a_request, a_share, an_option

NOON = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
OPEN = PhaseNow(Phase.OPEN, "open", NOON + timedelta(hours=3), Stage.CONTINUOUS, Accepts.ALL, Phase.CLOSED)
FACTS = OrderFacts(
    mode="paper",
    now=NOON,
    instrument=a_share(),
    phase=OPEN,
    ltp=Decimal("1470.00"),
    quote_age_seconds=0.4,
    lower_band=Decimal("1323.00"),
    upper_band=Decimal("1617.00"),
    own_kill_switch=False,
    broker_switch=SegmentSwitch("NSE_EQ", active=True, killed=False),
    token=TokenKind.ACCESS,
    static_ip=StaticIp.NOT_NEEDED,
    orders_last_second=0,
    orders_today=3,
    margin_available=Decimal(100_000),
    margin_required=Decimal(14_700),
    position_quantity=0,
    sellable=0,
    delivery_authorised=True,
)
LIMITS = OrderLimits()


def _blocks(request: OrderRequest | None = None, limits: OrderLimits = LIMITS, **facts: Any) -> set[str]:
    return {one.code for one in check_order(request or a_request(), replace(FACTS, **facts), limits) if one.blocks}


def _warns(request: OrderRequest | None = None, **facts: Any) -> set[str]:
    return {one.code for one in check_order(request or a_request(), replace(FACTS, **facts), LIMITS) if not one.blocks}


def test_an_ordinary_order_at_an_ordinary_moment_has_nothing_against_it() -> None:
    assert check_order(a_request(), FACTS, LIMITS) == ()


def test_of_which_nothing_is_known_nothing_is_sent() -> None:
    blocked = {one.code for one in check_order(a_request(), OrderFacts(), LIMITS) if one.blocks}

    assert blocked >= {
        "mode", "token", "static_ip", "service_hours", "broker_kill_switch", "own_kill_switch", "rate_second",
        "rate_day", "instrument", "market_phase", "quote", "band", "value",
    }  # fmt: skip


NOT_NEEDED = {
    "margin_available",
    "margin_required",
    "position_quantity",
    "sellable",
    "delivery_authorised",
    "square_off",
}


@pytest.mark.parametrize("name", [one.name for one in fields(OrderFacts) if one.name not in NOT_NEEDED])
def test_every_single_fact_that_a_check_needs_blocks_when_it_is_not_known(name: str) -> None:
    if getattr(FACTS, name) in (False, 0) and name in {"practice", "mcx_orders", "t1_quantity"}:
        return  # these are never unknown
    assert _blocks(**{name: None})


@pytest.mark.parametrize("name", sorted(NOT_NEEDED))
def test_the_few_that_no_check_needs_do_not(name: str) -> None:
    assert not _blocks(a_request(side=Side.SELL), **{name: None})


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"mode": "sandbox"}, "mode"),
        ({"token": TokenKind.READ_ONLY}, "token"),
        ({"static_ip": StaticIp.REFUSED}, "static_ip"),
        ({"own_kill_switch": True}, "own_kill_switch"),
        ({"broker_switch": SegmentSwitch("NSE_EQ", active=True, killed=True)}, "broker_kill_switch"),
        ({"broker_switch": SegmentSwitch("NSE_EQ", active=False, killed=False)}, "broker_kill_switch"),
        ({"now": datetime(2026, 11, 19, 20, 0, tzinfo=UTC)}, "service_hours"),
        ({"orders_last_second": 8}, "rate_second"),
        ({"orders_today": 500}, "rate_day"),
        ({"quote_age_seconds": 15.1}, "stale_quote"),
        ({"margin_required": Decimal(100_001)}, "margin"),
        ({"ltp": Decimal(0)}, "quote"),
        ({"instrument": a_share(type="INDEX")}, "instrument"),
        ({"instrument": a_share(lot_size=None)}, "lot"),
        ({"instrument": a_share(freeze_quantity=None)}, "freeze"),
        ({"instrument": a_share(tick_size=None)}, "tick"),
        ({"instrument": a_share(segment="MCX_FO")}, "mcx"),
    ],
)
def test_each_fact_that_speaks_against_it_blocks_with_its_own_reason(facts: dict[str, Any], code: str) -> None:
    assert _blocks(**facts) == {code}


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (a_request(price=Decimal("1470.05")), "tick"),
        (a_request(price=Decimal("1322.90")), "band"),
        (a_request(price=Decimal("1543.60")), "distance"),
        (a_request(side=Side.SELL, price=Decimal("1396.40")), "distance"),
        (a_request(quantity=50_001, price=Decimal("1.00")), "quantity"),
        (a_request(quantity=1_701), "value"),
        (a_request(order_type=OrderType.STOP_MARKET, trigger_price=Decimal("1469.90")), "trigger"),
        (a_request(side=Side.SELL, order_type=OrderType.STOP_MARKET, trigger_price=Decimal("1470.10")), "trigger"),
        (
            a_request(order_type=OrderType.STOP_LIMIT, trigger_price=Decimal("1480.00"), price=Decimal("1555.00")),
            "distance",
        ),
    ],
)
def test_each_figure_that_is_wrong_blocks_with_its_own_reason(request_: OrderRequest, code: str) -> None:
    assert code in _blocks(request_)


def test_lots_and_the_freeze_quantity_of_a_derivative() -> None:
    option = an_option()
    facts = {
        "instrument": option, "ltp": Decimal(187), "lower_band": Decimal("0.05"), "upper_band": Decimal(900),
        "broker_switch": SegmentSwitch("NSE_FO", active=True, killed=False),
    }  # fmt: skip

    def call(quantity: int, **more: Any) -> OrderRequest:
        return a_request(key=option.key, quantity=quantity, price=Decimal(187), **more)

    assert _blocks(call(65), **facts) == set()
    assert _blocks(call(66), **facts) == {"lot"}
    assert _blocks(call(1820), **facts) == {"freeze"}
    assert _blocks(call(1820, slice=True), **facts) == set()
    assert "slice" in _warns(call(1820, slice=True), **facts)
    assert _blocks(call(1755 * 26 + 65 - 1755 * 26 % 65, slice=True), **facts) >= {"freeze"}
    assert _blocks(call(65, product=Product.MTF), **facts) == {"product"}
    # an option may be bought a good way above its last price, a share may not
    assert _blocks(replace(call(65), price=Decimal(220)), **facts) == set()


def test_cheap_instruments_may_always_be_a_few_ticks_away() -> None:
    cheap = a_share(tick_size=Decimal("0.05"))
    facts = {"instrument": cheap, "ltp": Decimal("0.10"), "lower_band": Decimal("0.05"), "upper_band": Decimal("5.00")}

    assert _blocks(a_request(price=Decimal("0.35")), **facts) == set()
    assert _blocks(a_request(price=Decimal("0.40")), **facts) == {"distance"}


def test_a_limit_far_on_the_harmless_side_is_a_warning() -> None:
    assert _blocks(a_request(price=Decimal("1390.00"))) == set()
    assert _warns(a_request(price=Decimal("1390.00"))) == {"distance"}


def test_trade_for_trade_series_have_no_intraday() -> None:
    assert _blocks(a_request(product=Product.INTRADAY), instrument=a_share(type="BE")) == {"product"}
    assert _blocks(a_request(), instrument=a_share(type="BE")) == set()


# -- hours ---------------------------------------------------------------------------------------------------------


def _phase(phase: Phase, accepts: Accepts, **more: Any) -> PhaseNow:
    return PhaseNow(phase, "", NOON + timedelta(minutes=5), accepts=accepts, **more)


CLOSED = _phase(Phase.CLOSED, Accepts.NOTHING)
MARKET = a_request(order_type=OrderType.MARKET)
STOP = a_request(order_type=OrderType.STOP_LIMIT, trigger_price=Decimal(1475), price=Decimal(1476))
IOC = a_request(validity=Validity.IOC)


@pytest.mark.parametrize(
    ("phase", "request_", "blocked"),
    [
        (_phase(Phase.UNKNOWN, Accepts.NOTHING), a_request(), {"market_phase"}),
        (CLOSED, a_request(), set()),
        (CLOSED, MARKET, set()),
        (CLOSED, STOP, {"amo"}),
        (CLOSED, IOC, {"amo"}),
        (CLOSED, a_request(disclosed_quantity=2), {"amo"}),
        (_phase(Phase.PRE_OPEN, Accepts.LIMIT_AND_MARKET), a_request(), set()),
        (_phase(Phase.PRE_OPEN, Accepts.LIMIT_AND_MARKET), STOP, {"market_phase"}),
        (_phase(Phase.PRE_OPEN, Accepts.LIMIT), MARKET, {"market_phase"}),
        (_phase(Phase.PRE_OPEN, Accepts.NOTHING), a_request(), {"market_phase"}),
        (_phase(Phase.CLOSING_AUCTION, Accepts.LIMIT_AND_MARKET), MARKET, set()),
        (_phase(Phase.CLOSING_AUCTION, Accepts.LIMIT_AND_MARKET), STOP, {"market_phase"}),
        (_phase(Phase.CLOSING_AUCTION, Accepts.LIMIT_AND_MARKET), IOC, {"market_phase"}),
        (_phase(Phase.CLOSING_AUCTION, Accepts.LIMIT_AND_MARKET), a_request(slice=True), {"market_phase"}),
        (_phase(Phase.POST_CLOSE, Accepts.CLOSING_PRICE), a_request(), set()),
        (_phase(Phase.POST_CLOSE, Accepts.CLOSING_PRICE), STOP, {"market_phase"}),
    ],
)
def test_what_each_phase_of_the_market_takes(phase: PhaseNow, request_: OrderRequest, blocked: set[str]) -> None:
    assert _blocks(request_, phase=phase) == blocked


def test_outside_hours_it_becomes_an_after_market_order_and_the_price_may_be_old() -> None:
    assert _warns(phase=CLOSED) == {"amo"}
    assert _blocks(phase=CLOSED, quote_age_seconds=60_000.0) == set()


def test_in_practice_every_hour_is_open_but_prices_must_be_fresh() -> None:
    night = {"practice": True, "phase": CLOSED, "now": datetime(2026, 11, 19, 21, 0, tzinfo=UTC)}

    assert check_order(STOP, replace(FACTS, **night), LIMITS) == ()
    assert _blocks(**night, quote_age_seconds=60_000.0) == {"stale_quote"}


def test_the_closing_auction_announces_itself() -> None:
    share = a_share(cas_eligible=True)
    soon = replace(OPEN, until=NOON + timedelta(minutes=10), then=Phase.CLOSING_AUCTION)
    late = replace(soon, until=NOON + timedelta(hours=1))
    running = _phase(Phase.CLOSING_AUCTION, Accepts.LIMIT_AND_MARKET)

    assert _warns(instrument=share, phase=soon) == {"closing_auction"}
    assert _warns(instrument=share, phase=running) == {"closing_auction"}
    assert _warns(instrument=share, phase=late) == set()
    assert _warns(phase=soon) == set()


def test_intraday_orders_near_the_square_off_are_warned_of() -> None:
    intraday = a_request(product=Product.INTRADAY)
    at = datetime(2026, 11, 20, 9, 45, tzinfo=UTC)  # 15:15 in India

    assert _warns(intraday, now=at - timedelta(minutes=16)) == set()
    assert _warns(intraday, now=at - timedelta(minutes=15)) == {"square_off"}
    assert _warns(intraday, now=at + timedelta(minutes=5)) == {"square_off"}
    assert _warns(a_request(), now=at) == set()


# -- sales, values, the rest ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "warned"),
    [
        ({"sellable": 10}, set()),
        ({"sellable": 8, "t1_quantity": 2}, {"t1"}),
        ({"sellable": 8, "position_quantity": 2}, set()),
        ({"sellable": None, "position_quantity": 10, "delivery_authorised": None}, set()),
        ({"sellable": 6, "t1_quantity": 1, "position_quantity": 3}, {"t1"}),
        ({"sellable": 8}, {"holdings"}),
        ({"sellable": 8, "position_quantity": -5}, {"holdings"}),
        ({"sellable": None}, {"holdings"}),
        ({"sellable": 10, "delivery_authorised": None}, {"delivery_authorisation"}),
    ],
)
def test_a_delivery_sale_is_held_against_what_is_there_and_only_warned_of(
    facts: dict[str, Any], warned: set[str]
) -> None:
    sale = a_request(side=Side.SELL)

    assert _warns(sale, **facts) == warned
    assert _blocks(sale, **facts) == set()
    assert _warns(a_request(side=Side.SELL, product=Product.INTRADAY), **facts) == set()


def test_the_worst_price_of_each_type() -> None:
    assert worst_price(a_request(), FACTS) == Decimal("1470.00")
    two = a_request(order_type=OrderType.MARKET, market_protection=Decimal(2))
    assert worst_price(two, FACTS) == Decimal("1499.40")
    assert worst_price(replace(two, side=Side.SELL), FACTS) == Decimal("1440.60")
    wide = a_request(order_type=OrderType.MARKET, market_protection=Decimal(25))
    assert worst_price(wide, FACTS) == Decimal("1617.00")
    stop = a_request(order_type=OrderType.STOP_MARKET, trigger_price=Decimal(1500), market_protection=Decimal(2))
    assert worst_price(stop, FACTS) == Decimal(1530)
    assert worst_price(two, replace(FACTS, ltp=None)) is None


def test_the_value_of_lots_counts_the_size_of_the_contract() -> None:
    dollars = a_share(segment="NCD_FO", lot_size=1, qty_multiplier=Decimal(1000))
    request = a_request(quantity=2, price=Decimal("84.25"))

    assert order_value(request, replace(FACTS, instrument=dollars)) == Decimal("168500.00")
    assert order_value(request, replace(FACTS, instrument=replace(dollars, qty_multiplier=None))) is None
    assert order_value(a_request(side=Side.SELL, price=Decimal(1400)), FACTS) == Decimal("14700.00")


def test_a_modification_does_not_count_as_an_order_of_the_day_and_may_have_its_trigger_behind_it() -> None:
    fired = a_request(order_type=OrderType.STOP_LIMIT, trigger_price=Decimal(1460), price=Decimal("1470"))
    facts = replace(FACTS, orders_today=500)

    assert [one.code for one in check_order(fired, facts, LIMITS, new=False) if one.blocks] == []
    assert _blocks(fired, orders_today=500) == {"rate_day", "trigger"}


def test_what_takes_away_passes_the_kill_switches_but_not_a_dead_login() -> None:
    killed = replace(FACTS, own_kill_switch=True, broker_switch=None, phase=None, instrument=None)

    assert check_reducing(killed, LIMITS) == ()
    assert [one.code for one in check_reducing(replace(killed, token=None, orders_last_second=8), LIMITS)] == [
        "token", "rate_second",
    ]  # fmt: skip


def test_the_counts_look_at_all_lines_that_will_leave() -> None:
    def codes(**more: Any) -> list[str]:
        given: dict[str, Any] = {"killed": False, "last_second": 0, "today": 0} | more
        return [one.code for one in check_standing(LIMITS, **given)]

    assert codes(lines=8) == []
    assert codes(lines=9) == ["rate_second"]
    assert codes(today=495, lines=6) == ["rate_day"]
    assert codes(today=None, new=False) == []
    assert codes(killed=None, last_second=None, today=None) == ["own_kill_switch", "rate_second", "rate_day"]


def test_a_waiting_order_is_checked_without_the_hour_and_todays_band() -> None:
    entry = GttLeg(Strategy.ENTRY, TriggerType.BELOW, Decimal("1200.00"))
    request = GttRequest(RELIANCE, Side.BUY, 10, Product.DELIVERY, (entry,))
    facts = replace(FACTS, phase=None, quote_age_seconds=None, lower_band=None, upper_band=None)

    assert [one for one in check_gtt(request, facts, LIMITS) if one.blocks] == []
    wrong = replace(request, legs=(replace(entry, trigger_price=Decimal("1200.05")),), quantity=60_000)
    blocked = {one.code for one in check_gtt(wrong, replace(facts, own_kill_switch=True), LIMITS) if one.blocks}
    assert blocked == {"tick", "quantity", "value", "own_kill_switch"}
    sale = replace(request, side=Side.SELL)
    warned = {one.code for one in check_gtt(sale, replace(facts, delivery_authorised=None), LIMITS)}
    assert warned == {"gtt", "delivery_authorisation"}


@pytest.mark.parametrize(
    ("side", "trigger", "price", "codes"),
    [
        (Side.BUY, TriggerType.BELOW, 1460, set()),
        (Side.BUY, TriggerType.BELOW, 1500, {"trigger"}),
        (Side.BUY, TriggerType.BELOW, 1600, {"distance", "trigger"}),
        (Side.BUY, TriggerType.IMMEDIATE, 1600, {"distance"}),
        (Side.BUY, TriggerType.IMMEDIATE, 1480, set()),
        (Side.BUY, TriggerType.ABOVE, 1600, set()),
        (Side.BUY, TriggerType.ABOVE, 1400, {"trigger"}),
        (Side.SELL, TriggerType.ABOVE, 1350, {"distance", "trigger"}),
        (Side.SELL, TriggerType.BELOW, 1350, set()),
        (Side.SELL, TriggerType.IMMEDIATE, 1350, {"distance"}),
    ],
)
def test_a_waiting_order_whose_price_is_there_already_is_an_order_of_now(
    side: Side, trigger: TriggerType, price: int, codes: set[str]
) -> None:
    entry = GttLeg(Strategy.ENTRY, trigger, Decimal(price))

    found = check_gtt(GttRequest(RELIANCE, side, 10, Product.DELIVERY, (entry,)), FACTS, LIMITS)

    assert {one.code for one in found} - {"gtt", "delivery_authorisation"} == codes
    assert {one.code for one in found if one.blocks} == codes & {"distance"}


def test_where_there_is_no_price_nobody_knows_whether_a_waiting_order_fires_at_once() -> None:
    entry = GttLeg(Strategy.ENTRY, TriggerType.BELOW, Decimal(1460))

    found = check_gtt(GttRequest(RELIANCE, Side.BUY, 10, Product.DELIVERY, (entry,)), replace(FACTS, ltp=None), LIMITS)

    assert {one.code for one in found if one.blocks} == {"quote"}


def test_the_margin_of_a_change_is_not_held_against_what_the_order_blocks_already() -> None:
    short = replace(FACTS, margin_required=Decimal(14_700), margin_available=Decimal(5_000))

    assert {one.code for one in check_order(a_request(), short, LIMITS) if one.blocks} == {"margin"}
    assert not [one for one in check_order(a_request(), short, LIMITS, new=False) if one.blocks]


@given(
    price=st.integers(1, 40_000).map(lambda ticks: Decimal(ticks) / 20),
    quantity=st.integers(1, 200_000),
    ltp=st.integers(1, 40_000).map(lambda ticks: Decimal(ticks) / 20),
    side=st.sampled_from(Side),
)
def test_what_passes_keeps_every_limit(price: Decimal, quantity: int, ltp: Decimal, side: Side) -> None:
    request = a_request(price=price, quantity=quantity, side=side)
    facts = replace(FACTS, ltp=ltp)

    if any(one.blocks for one in check_order(request, facts, LIMITS)):
        return
    assert quantity <= LIMITS.max_quantity
    assert price * quantity <= LIMITS.max_value
    assert price % Decimal("0.10") == 0
    assert Decimal(1323) <= price <= Decimal(1617)
    assert (price - ltp) * side.sign <= max(ltp * 5 / 100, Decimal("0.5"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_value": Decimal(0)}, {"max_value": Decimal("NaN")}, {"max_quantity": 0}, {"max_quantity": 1.5},
        {"max_orders_per_second": 11}, {"max_orders_per_day": True}, {"price_distance_percent": Decimal(-1)},
        {"max_quote_age_seconds": 0}, {"max_quote_age_seconds": float("nan")},
    ],
)  # fmt: skip
def test_limits_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        OrderLimits(**wrong)


def test_a_finding_says_whether_it_blocks() -> None:
    assert Finding.block("a", "b").blocks
    assert not Finding.warn("a", "b").blocks

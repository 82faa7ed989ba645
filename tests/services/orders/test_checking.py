"""What is gathered for the checks, and that they stand in the way of whatever opens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.domain.accounts import TokenKind
from services.domain.errors import AccessDenied, InvalidRequest, NoAnswer, NotPublished
from services.domain.intents import Intent, IntentState
from services.domain.margins import Margin
from services.domain.order_facts import OrderLimits, StaticIp
from services.domain.orders import OrderChange, OrderRequest, OrderType
from services.domain.phases import Accepts, Phase, PhaseNow
from services.orders.checking import AddressWatch
from services.portfolio.charges.lines import PaiseLines
from tests.support.clocks import FakeMonotonic
from tests.support.ledger import NOW, new_intent
from tests.support.order_desk import ASHA, OPEN_MARKET, Bench, refused
from tests.support.orders import RELIANCE, a_request

CLOSED = PhaseNow(Phase.PRE_OPEN, "buffer", None, accepts=Accepts.NOTHING)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.open()
    yield made
    made.close()


REASONS: dict[str, tuple[Callable[[Bench], object], dict[str, Any], str]] = {
    "token": (lambda bench: setattr(bench, "kind", TokenKind.READ_ONLY), {}, "may only read"),
    "phase": (lambda bench: setattr(bench, "phase", CLOSED), {}, "no orders are taken"),
    "unknown instrument": (lambda bench: bench.instruments.clear(), {}, "not in today's list"),
    "no quote": (lambda bench: bench.quotes.prices.clear(), {}, "no last price"),
    "stale quote": (lambda bench: setattr(bench.quotes, "age", 197.0), {}, "3 min 17 s old"),
    "tick": (lambda bench: None, {"price": Decimal("1470.03")}, "not a multiple"),
    "band": (lambda bench: None, {"price": Decimal(1300)}, "outside today's limits"),
    "distance": (lambda bench: None, {"price": Decimal(1600)}, "worse than the last price"),
    "quantity": (lambda bench: None, {"quantity": 60_000}, "above the limit"),
    "value": (lambda bench: None, {"quantity": 5_000}, "above the limit"),
    "own switch": (lambda bench: bench.desk.set_kill_switch(True, actor=ASHA), {}, "the desk's kill switch"),
    "broker's switch": (lambda bench: bench.broker.killed.add("NSE_EQ"), {}, "the broker's kill switch"),
    "per day": (
        lambda bench: (_places(bench), bench.desk.set_limits(OrderLimits(max_orders_per_day=1), actor=ASHA)),
        {},
        "orders a day",
    ),
}


def _places(bench: Bench) -> None:
    bench.desk.place(a_request(), intent_id="before", actor=ASHA)
    bench.clock.move(seconds=2)


@pytest.mark.parametrize("name", REASONS)
def test_each_reason_keeps_the_order_back(bench: Bench, name: str) -> None:
    arrange, changes, words = REASONS[name]
    arrange(bench)
    sent = bench.broker.sent("place")
    if name == "broker's switch":
        bench.pass_time(70)  # it is asked for once a minute

    with pytest.raises(InvalidRequest, match=words):
        bench.desk.place(a_request(**changes), intent_id="one", actor=ASHA)

    assert bench.broker.sent("place") == sent
    assert bench.intents.get("one") is None


def test_more_orders_in_a_second_than_allowed_are_kept_back_for_all_processes(bench: Bench) -> None:
    for number in range(8):
        bench.desk.place(a_request(quantity=20 + number), intent_id=f"n{number}", actor=ASHA)
    bench.restart()
    bench.open()

    with pytest.raises(InvalidRequest, match="in a second"):
        bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    bench.clock.move(seconds=2)

    assert bench.desk.place(a_request(), intent_id="one", actor=ASHA).accepted


def test_a_change_is_checked_as_the_order_that_it_makes(bench: Bench) -> None:
    order_id = bench.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]

    for change in (
        OrderChange(price=Decimal(1600)),
        OrderChange(quantity=60_000),
        OrderChange(price=Decimal("1470.03")),
    ):
        with pytest.raises(InvalidRequest):
            bench.desk.modify(order_id, change, intent_id="two", actor=ASHA)

    assert bench.broker.sent("modify") == 0


def test_where_the_money_is_known_it_counts_and_where_not_it_does_not(bench: Bench) -> None:
    bench.broker.margin = lambda lines: replace(_margin(), final=Decimal(2_000_000))  # type: ignore[method-assign]

    assert bench.desk.place(a_request(), intent_id="one", actor=ASHA).accepted
    preview = bench.desk.preview(a_request(quantity=11), wait=True)
    with pytest.raises(InvalidRequest, match="is available"):
        bench.desk.place(a_request(quantity=11), intent_id="two", actor=ASHA)

    assert preview.blocked


def _margin() -> Any:
    return Margin(Decimal(1), Decimal(1))


def test_an_address_that_the_broker_refused_is_not_tried_again_at_once(tmp_path: Path) -> None:
    clock = FakeMonotonic()
    watch = AddressWatch(needed=True, monotonic=clock)

    before = watch.state()
    watch.heard(_intent(IntentState.REFUSED, "UDAPI1154"))
    refused = watch.state()
    clock.now += 121
    later = watch.state()
    watch.heard(_intent(IntentState.ACCEPTED, ""))

    assert (before, refused, later, watch.state()) == (
        StaticIp.UNTRIED, StaticIp.REFUSED, StaticIp.UNTRIED, StaticIp.ACCEPTED,
    )  # fmt: skip
    assert AddressWatch(needed=False).state() is StaticIp.NOT_NEEDED


def _intent(state: IntentState, code: str) -> Intent:
    new = new_intent()
    return Intent(
        new.intent_id, new.kind, new.target, new.body, new.actor, new.tag, None, 1, "", state, (), code, "", None,
        None, NOW, NOW,
    )  # fmt: skip


def test_a_refused_address_is_told_in_words(bench: Bench) -> None:
    bench.broker.fail("place", lambda: AccessDenied("blocked", status=403, code="UDAPI1154"))

    told = bench.desk.place(a_request(), intent_id="one", actor=ASHA)

    assert told.state is IntentState.REFUSED
    assert "static IP" in told.reason


# -- a day whose hours the table does not know ----------------------------------------------------------------------

UNKNOWN = PhaseNow(Phase.UNKNOWN, "not published", None)


def test_on_a_day_of_unknown_hours_the_broker_is_asked_before_an_order_is_refused(bench: Bench) -> None:
    bench.phase = UNKNOWN
    bench.learn_hours = lambda: setattr(bench, "phase", OPEN_MARKET)

    assert bench.desk.preview(a_request()).blocked  # it makes no request
    assert bench.desk.place(a_request(), intent_id="one", actor=ASHA).accepted


def _is_silent() -> None:
    raise NoAnswer("no answer within 10 s")


@pytest.mark.parametrize("learn", [lambda: None, _is_silent])
def test_hours_that_the_broker_does_not_tell_keep_the_order_back(bench: Bench, learn: Callable[[], None]) -> None:
    bench.phase, bench.learn_hours = UNKNOWN, learn

    with pytest.raises(InvalidRequest, match="not known whether this market is open"):
        bench.desk.place(a_request(), intent_id="one", actor=ASHA)

    assert bench.broker.sent("place") == 0
    assert bench.intents.get("one") is None


def test_nobody_asks_for_hours_that_are_known(bench: Bench) -> None:
    bench.learn_hours = lambda: pytest.fail("they were asked for")

    assert bench.desk.place(a_request(), intent_id="one", actor=ASHA).accepted


# -- previews ----------------------------------------------------------------------------------------------------


def test_a_preview_makes_no_request_and_has_its_figures_a_moment_later(bench: Bench) -> None:
    bench.open()
    bench.step()
    calls, quotes = list(bench.broker.calls), bench.quotes.asked

    first = bench.desk.preview(a_request())
    asked_at_once = list(bench.broker.calls)
    bench.time.now += 1
    while bench.desk._asker.step() is not None:
        bench.time.now += 0.1
    second = bench.desk.preview(a_request())

    assert asked_at_once == calls
    assert bench.quotes.asked == quotes
    assert first.margin.asked
    assert first.charges.asked
    assert not first.blocked
    assert (second.margin.value, second.charges.value) == (Decimal(14700), Decimal("23.45"))
    assert (second.value, second.worst_price) == (Decimal(14700), Decimal(1470))
    assert "Buy 10 RELIANCE" in second.sentence


def test_what_is_typed_digit_by_digit_is_asked_once(bench: Bench) -> None:
    for quantity in (1, 12, 123):
        bench.desk.preview(a_request(quantity=quantity))
        bench.time.now += 2
    bench.time.now += 1
    while bench.desk._asker.step() is not None:
        bench.time.now += 0.1

    assert bench.broker.sent("margin") <= 2
    assert bench.desk.preview(a_request(quantity=123)).margin.value is not None


def test_margin_that_the_broker_does_not_tell_is_an_error_and_blocks_nothing(bench: Bench) -> None:
    bench.broker.fail("margin", lambda: refused("UDAPI1097", "not a lot"))

    preview = bench.desk.preview(a_request(), wait=True)

    assert preview.margin.value is None
    assert "UDAPI1097" in (preview.margin.error or "")
    assert not preview.blocked


def test_a_basket_is_previewed_leg_by_leg_with_its_margin_together(bench: Bench) -> None:
    told = bench.desk.preview_basket([a_request(), a_request(order_type=OrderType.MARKET)], wait=True)

    assert len(told.legs) == 2
    assert told.margin.value == Decimal(14700)
    assert told.charges.value == Decimal("46.90")
    assert told.value is not None


def test_our_own_estimate_of_charges_is_there_at_once_and_stands_beside_the_broker_s(tmp_path: Path) -> None:
    asked: list[tuple[str, Decimal]] = []

    def own(request: OrderRequest, price: Decimal) -> PaiseLines:
        asked.append((request.key, price))
        return PaiseLines(brokerage=2000, gst=360)

    bench = Bench(tmp_path, own_charges=own)
    try:
        preview = bench.desk.preview(a_request())
        basket = bench.desk.preview_basket([a_request(), a_request()], wait=True)
    finally:
        bench.close()

    assert (preview.own_charges.value, preview.charges.asked) == (Decimal("23.60"), True)
    assert preview.own_detail == PaiseLines(brokerage=2000, gst=360)
    assert asked[0] == (RELIANCE, Decimal(1470))
    assert (basket.own_charges.value, basket.charges.value) == (Decimal("47.20"), Decimal("46.90"))


def test_an_estimate_of_ours_that_is_not_known_says_why(tmp_path: Path) -> None:
    def own(request: OrderRequest, price: Decimal) -> PaiseLines:
        raise NotPublished("no stamp rate is known")

    bench = Bench(tmp_path, own_charges=own)
    try:
        preview = bench.desk.preview(a_request())
    finally:
        bench.close()

    assert (preview.own_charges.value, preview.own_charges.error) == (None, "no stamp rate is known")
    assert preview.own_detail is None


def test_a_stranger_to_the_quotes_has_a_preview_that_says_so(bench: Bench) -> None:
    bench.quotes.prices.pop(RELIANCE)

    preview = bench.desk.preview(a_request())

    assert preview.quote is None
    assert preview.blocked

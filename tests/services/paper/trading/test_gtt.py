from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.clock import epoch_ms
from services.domain.errors import BrokerError
from services.paper.envelope import refusal
from services.paper.trading.gtt import GttBook
from services.paper.trading.gtt_orders import Gtt, GttWanted, RuleStatus, RuleWanted, Strategy, Trigger
from services.paper.trading.order_values import Order, Wanted
from services.paper.trading.values import AUTOMATIC
from tests.support.paper import RELIANCE
from tests.support.paper_market import ist

NOW = ist("2026-11-20 10:00:00")
ENTRY, TARGET, STOPLOSS = Strategy.ENTRY, Strategy.TARGET, Strategy.STOPLOSS


class Desk:
    """Takes orders and changes them as the test says; knows transactions."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, str, bool]] = {}
        self.placed: list[Order] = []
        self.refuses: BrokerError | None = None
        self.fails = False
        self.fills_at_once = False
        self.number = 0
        self._deep = 0
        self._later: list[Callable[[], None]] = []

    def place(self, wanted: Wanted) -> list[Order]:
        if self.refuses is not None:
            raise self.refuses
        number = len(self.placed) + 1
        at = epoch_ms(NOW)
        order = Order(
            order_id=f"2611200{number}", number=number, key=wanted.key, segment="NSE_EQ", exchange="NSE", symbol="X",
            buys=wanted.buys, quantity=wanted.quantity, product=wanted.product, order_type=wanted.order_type,
            validity=wanted.validity, price=wanted.price, trigger=0, disclosed=0, protection=wanted.protection, tag="",
            status="open", day="2026-11-20", placed_ms=at, changed_ms=at, reference_id=wanted.reference_id,
        )  # fmt: skip
        if self.fills_at_once:
            order = replace(order, status="complete", filled=order.quantity)
        self.placed.append(order)
        return [order]

    def cancel(self, order_id: str) -> Order:
        old = self.order(order_id)
        if not old.alive:
            raise refusal("UDAPI100040")
        return self.change(old, status="cancelled")

    def order(self, order_id: str) -> Order:
        return next(order for order in self.placed if order.order_id == order_id)

    def change(self, order: Order, **changed: object) -> Order:
        now = replace(order, **changed)  # type: ignore[arg-type]
        self.placed[order.number - 1] = now
        return now

    def next_number(self, name: str) -> int:
        self.number += 1
        return self.number

    def save_gtt(self, gtt_id: str, body: str, alive: bool) -> None:
        assert self._deep, "outside of a transaction"
        self.kept[gtt_id] = gtt_id, body, alive

    def gtts(self) -> list[tuple[str, str, bool]]:
        return list(self.kept.values())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        before = dict(self.kept), list(self.placed)
        self._deep += 1
        try:
            yield
            if self.fails and self._deep == 1:
                raise OSError("disk full")
        except BaseException:
            self.kept, self.placed = before
            self._later.clear()
            raise
        finally:
            self._deep -= 1
        if not self._deep:
            later, self._later = self._later, []
            for call in later:
                call()

    def after_commit(self, call: Callable[[], None]) -> None:
        self._later.append(call)


class Bench:
    """A book over such a desk, and the price that it sees."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.price: int | None = 1500
        self.told: list[Gtt] = []
        self.book = GttBook(self.desk, lambda key, now: self.price, self.told.append)

    def place(self, *rules: RuleWanted, buys: bool = True, quantity: int = 10) -> str:
        kind = "SINGLE" if len(rules) == 1 else "MULTIPLE"
        return self.book.place(GttWanted(kind, RELIANCE, buys, quantity, "D", rules), NOW).gtt_id

    def at(self, price: int | None, now: datetime = NOW) -> None:
        self.price = price
        with self.desk.transaction():
            self.book.advance(now)

    def child(self, **changed: object) -> None:
        """The order that was sent last changes, and the desk says so."""
        with self.desk.transaction():
            self.book.order_changed(self.desk.change(self.desk.placed[-1], **changed))

    def states(self, gtt_id: str) -> list[str]:
        return [rule.status.value for rule in self.book.get(gtt_id).rules]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def entry(trigger: int, on: Trigger = Trigger.BELOW, protection: int | None = None) -> RuleWanted:
    return RuleWanted(ENTRY, on, trigger, protection=protection)


def target(trigger: int) -> RuleWanted:
    return RuleWanted(TARGET, Trigger.IMMEDIATE, trigger)


def stop(trigger: int, gap: int = 0) -> RuleWanted:
    return RuleWanted(STOPLOSS, Trigger.IMMEDIATE, trigger, gap)


def test_an_entry_waits_for_its_price_and_sends_a_limit_order_there(bench: Bench) -> None:
    gtt_id = bench.place(entry(1440))
    bench.at(1441)
    assert bench.states(gtt_id) == ["SCHEDULED"]

    bench.at(1439)

    [order] = bench.desk.placed
    assert (order.order_type, order.price, order.quantity, order.buys) == ("LIMIT", 1440, 10, True)
    assert order.reference_id == gtt_id
    assert bench.states(gtt_id) == ["OPEN"]
    bench.child(status="complete", filled=10)
    assert bench.states(gtt_id) == ["COMPLETED"]
    assert not bench.book.waits


def test_an_entry_above_fires_at_or_above_its_price(bench: Bench) -> None:
    bench.place(entry(1510, Trigger.ABOVE))

    bench.at(1509)
    assert bench.desk.placed == []
    bench.at(1510)
    assert len(bench.desk.placed) == 1


def test_an_immediate_entry_fires_at_once(bench: Bench) -> None:
    gtt_id = bench.place(entry(1490, Trigger.IMMEDIATE))

    assert bench.states(gtt_id) == ["OPEN"]


def test_a_rule_with_protection_sends_a_market_order(bench: Bench) -> None:
    bench.place(entry(1490, Trigger.IMMEDIATE, AUTOMATIC))

    [order] = bench.desk.placed
    assert (order.order_type, order.price, order.protection) == ("MARKET", 0, AUTOMATIC)


def test_nothing_fires_while_the_market_is_closed(bench: Bench) -> None:
    bench.price = None
    gtt_id = bench.place(entry(1490, Trigger.IMMEDIATE))

    assert bench.states(gtt_id) == ["SCHEDULED"]
    bench.at(1500)
    assert bench.states(gtt_id) == ["OPEN"]


def test_an_entry_fires_once(bench: Bench) -> None:
    bench.place(entry(1440))

    for _ in range(5):
        bench.at(1400)

    assert len(bench.desk.placed) == 1


@pytest.mark.parametrize(("price", "winner"), [(1511, TARGET), (1404, STOPLOSS)])
def test_of_target_and_stop_the_first_to_fire_ends_the_other(bench: Bench, price: int, winner: Strategy) -> None:
    gtt_id = bench.place(entry(1440), target(1510), stop(1405))
    assert bench.states(gtt_id) == ["SCHEDULED", "INACTIVE", "INACTIVE"]
    bench.at(1439)
    bench.at(price)
    assert bench.states(gtt_id) == ["OPEN", "INACTIVE", "INACTIVE"], "the entry is not filled yet"
    bench.child(status="complete", filled=10)
    assert bench.states(gtt_id) == ["COMPLETED", "SCHEDULED", "SCHEDULED"]

    bench.at(price)

    order = bench.desk.placed[-1]
    assert (order.buys, order.quantity) == (False, 10)
    gtt = bench.book.get(gtt_id)
    assert {rule.strategy: rule.status for rule in gtt.rules} == {
        ENTRY: RuleStatus.COMPLETED,
        TARGET: RuleStatus.OPEN if winner is TARGET else RuleStatus.CANCELLED,
        STOPLOSS: RuleStatus.OPEN if winner is STOPLOSS else RuleStatus.CANCELLED,
    }
    bench.child(status="complete", filled=10)
    assert not bench.book.get(gtt_id).alive
    assert len(bench.desk.placed) == 2


def test_a_sold_entry_is_left_by_buying(bench: Bench) -> None:
    bench.place(entry(1560, Trigger.ABOVE), target(1500), stop(1600), buys=False)
    bench.at(1560)
    bench.child(status="complete", filled=10)

    bench.at(1590)
    assert len(bench.desk.placed) == 1
    bench.at(1600)

    assert bench.desk.placed[-1].buys


def test_an_entry_that_is_filled_at_once_wakes_the_others(bench: Bench) -> None:
    bench.desk.fills_at_once = True

    gtt_id = bench.place(entry(1500, Trigger.IMMEDIATE), target(1510))

    assert bench.states(gtt_id) == ["COMPLETED", "SCHEDULED"]


def test_only_what_the_entry_got_is_left_again(bench: Bench) -> None:
    gtt_id = bench.place(entry(1440), target(1510))
    bench.at(1440)
    bench.child(status="cancelled", filled=4)
    assert bench.states(gtt_id) == ["COMPLETED", "SCHEDULED"]
    assert "4 filled" in bench.book.get(gtt_id).rules[0].message

    bench.at(1510)

    assert bench.desk.placed[-1].quantity == 4


@pytest.mark.parametrize(("status", "word"), [("rejected", "FAILED"), ("cancelled", "CANCELLED")])
def test_an_entry_that_gets_nothing_ends_all(bench: Bench, status: str, word: str) -> None:
    gtt_id = bench.place(entry(1440), target(1510), stop(1405))
    bench.at(1440)

    bench.child(status=status, message="no money")

    assert bench.states(gtt_id) == [word, "CANCELLED", "CANCELLED"]
    assert bench.book.get(gtt_id).rules[0].message == "no money"


def test_a_refused_order_is_a_failed_rule_with_its_reason(bench: Bench) -> None:
    bench.desk.refuses = refusal("UDAPI1161")

    gtt_id = bench.place(entry(1500, Trigger.IMMEDIATE), target(1510))

    assert bench.states(gtt_id) == ["FAILED", "CANCELLED"]
    assert "MCX" in bench.book.get(gtt_id).rules[0].message


def test_a_trailing_stop_follows_by_whole_gaps_and_never_goes_back(bench: Bench) -> None:
    bench.desk.fills_at_once = True
    gtt_id = bench.place(entry(1500, Trigger.IMMEDIATE), stop(1450, gap=10))
    bench.desk.fills_at_once = False

    def trigger() -> int:
        return bench.book.get(gtt_id).rules[1].trigger

    bench.at(1500)
    assert trigger() == 1450
    bench.at(1509)
    assert trigger() == 1450
    bench.at(1531)
    assert trigger() == 1480
    bench.at(1490)
    assert trigger() == 1480
    bench.at(1480)
    assert bench.desk.placed[-1].price == 1480
    assert not bench.desk.placed[-1].buys


@given(st.lists(st.integers(1451, 1700), max_size=30))
def test_a_trailing_stop_only_ever_rises_behind_a_bought_position(prices: list[int]) -> None:
    bench = Bench()
    bench.desk.fills_at_once = True
    gtt_id = bench.place(entry(1500, Trigger.IMMEDIATE), stop(1450, gap=10))
    seen = [1450]
    for price in prices:
        bench.at(price)
        seen.append(bench.book.get(gtt_id).rules[1].trigger)

    assert seen == sorted(seen)


def test_a_year_later_it_expires(bench: Bench) -> None:
    gtt_id = bench.place(entry(1440), target(1510))

    bench.at(1500, NOW + timedelta(days=365, hours=13))
    assert bench.states(gtt_id) == ["SCHEDULED", "INACTIVE"]
    bench.at(1400, NOW + timedelta(days=365, hours=15))

    assert bench.states(gtt_id) == ["EXPIRED", "EXPIRED"]
    assert bench.desk.placed == []


def test_cancelling_withdraws_the_order_that_was_sent(bench: Bench) -> None:
    gtt_id = bench.place(entry(1440), target(1510))
    bench.at(1440)

    bench.book.cancel(gtt_id)

    assert bench.desk.placed[0].status == "cancelled"
    assert bench.states(gtt_id) == ["CANCELLED", "CANCELLED"]
    with pytest.raises(BrokerError) as refused:
        bench.book.cancel(gtt_id)
    assert refused.value.code == "UDAPI1140"


def test_cancelling_a_half_filled_entry_does_not_wake_the_others(bench: Bench) -> None:
    gtt_id = bench.place(entry(1440), target(1510))
    bench.at(1440)
    bench.desk.change(bench.desk.placed[0], filled=3)

    bench.book.cancel(gtt_id)

    assert bench.states(gtt_id) == ["COMPLETED", "CANCELLED"]


def test_prices_and_quantity_can_be_changed_before_it_fires(bench: Bench) -> None:
    gtt_id = bench.place(entry(1440), target(1510))

    bench.book.modify(gtt_id, "MULTIPLE", 12, (entry(1435), target(1520)), NOW)

    gtt = bench.book.get(gtt_id)
    assert gtt.quantity == 12
    assert [rule.trigger for rule in gtt.rules] == [1435, 1520]


@pytest.mark.parametrize(
    ("kind", "quantity", "rules", "code"),
    [
        ("MULTIPLE", 11, (entry(1440, Trigger.IMMEDIATE), target(1520)), "UDAPI1145"),
        ("SINGLE", 10, (entry(1440, Trigger.IMMEDIATE),), "UDAPI1145"),
        ("MULTIPLE", 10, (entry(1440), target(1520)), "UDAPI1150"),
        ("MULTIPLE", 10, (entry(1440, Trigger.IMMEDIATE), target(1400)), "UDAPI1144"),
    ],
)
def test_what_may_not_be_changed_once_it_is_open(
    bench: Bench, kind: str, quantity: int, rules: tuple[RuleWanted, ...], code: str
) -> None:
    gtt_id = bench.place(entry(1440), target(1510))
    bench.at(1440)

    with pytest.raises(BrokerError) as refused:
        bench.book.modify(gtt_id, kind, quantity, rules, NOW)

    assert refused.value.code == code


def test_an_open_one_keeps_its_entry_and_takes_another_target(bench: Bench) -> None:
    gtt_id = bench.place(entry(1440), target(1510))
    bench.at(1440)

    bench.book.modify(gtt_id, "MULTIPLE", 10, (entry(1400, Trigger.IMMEDIATE), target(1530)), NOW)

    assert [rule.trigger for rule in bench.book.get(gtt_id).rules] == [1440, 1530]


@pytest.mark.parametrize(
    ("buys", "rules", "code"),
    [
        (True, (entry(1440), target(1430)), "UDAPI1144"),
        (True, (entry(1440), stop(1441)), "UDAPI1144"),
        (False, (entry(1440), target(1450)), "UDAPI1144"),
        (False, (entry(1440), stop(1430)), "UDAPI1144"),
        (True, (entry(1440), stop(1400, gap=9)), "UDAPI1151"),
    ],
)
def test_rules_that_do_not_fit_each_other_are_refused(
    bench: Bench, buys: bool, rules: tuple[RuleWanted, ...], code: str
) -> None:
    with pytest.raises(BrokerError) as refused:
        bench.place(*rules, buys=buys)

    assert refused.value.code == code
    assert bench.desk.kept == {}


def test_everything_survives_a_restart(bench: Bench) -> None:
    gtt_id = bench.place(entry(1440), target(1510), stop(1405, gap=15))
    bench.at(1440)

    again = GttBook(bench.desk, lambda key, now: bench.price, bench.told.append)

    assert again.get(gtt_id) == bench.book.get(gtt_id)


def test_a_commit_that_fails_leaves_no_trace_in_memory(bench: Bench) -> None:
    gtt_id = bench.place(entry(1440))
    told = len(bench.told)
    bench.desk.fails = True

    with pytest.raises(OSError, match="disk full"):
        bench.book.cancel(gtt_id)

    assert bench.states(gtt_id) == ["SCHEDULED"]
    assert len(bench.told) == told, "nothing is published that was not kept"


def test_each_change_is_published_after_its_commit(bench: Bench) -> None:
    gtt_id = bench.place(entry(1440))
    bench.at(1440)
    bench.child(status="complete", filled=10)

    assert [[rule.status.value for rule in told.rules] for told in bench.told] == [
        ["SCHEDULED"],
        ["OPEN"],
        ["COMPLETED"],
    ]
    assert {told.gtt_id for told in bench.told} == {gtt_id}


def test_an_unknown_id_is_named() -> None:
    with pytest.raises(BrokerError) as refused:
        Bench().book.get("GTT-CU1")
    assert refused.value.code == "UDAPI1142"

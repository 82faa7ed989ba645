"""An intent is written down once, before anything is sent, and what became of it never goes backwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from services.domain.errors import InvalidRequest, RateBudgetSpent
from services.domain.intents import IntentKind, IntentState, NewIntent, Witness
from services.domain.order_checks import OrderLimits
from services.domain.orders import Side
from services.ledger.audit import Audit
from services.ledger.conversions import Conversions
from services.ledger.engine import Ledger
from services.ledger.intents import Intents, Standing
from services.ledger.order_settings import OrderSettings
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, RELIANCE, TRADER, new_intent, new_ledger


def free(_: Standing) -> None:
    """Everything is allowed."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        yield made


@pytest.fixture
def intents(ledger: Ledger, clock: FakeClock) -> Intents:
    return Intents(ledger, clock)


def _met(intents: Intents, new: NewIntent) -> Standing:
    seen: list[Standing] = []
    intents.prepare(new, allow=seen.append)
    return seen[0]


def test_a_new_intent_is_written_down_whole(intents: Intents, ledger: Ledger, tmp_path: Path) -> None:
    new = new_intent("first", tag="t1", before={"filled": 0}, lines=3, basket="b1")

    prepared = intents.prepare(new, allow=free)

    intent = prepared.intent
    assert not prepared.repeated
    assert (intent.intent_id, intent.kind, intent.target, intent.tag) == ("first", IntentKind.PLACE, RELIANCE, "t1")
    assert intent.body == {"key": RELIANCE, "side": "BUY", "quantity": 10, "price": "1234.5"}
    assert (intent.before, intent.lines, intent.basket, intent.actor) == ({"filled": 0}, 3, "b1", TRADER)
    assert (intent.state, intent.order_ids, intent.created_at, intent.settled_at) == (
        IntentState.PREPARED, (), NOW, None,
    )  # fmt: skip
    ledger.close()
    with closing(new_ledger(tmp_path)) as again:
        assert Intents(again, FakeClock(NOW)).get("first") == intent


def test_the_same_intent_again_gives_what_became_of_it_and_changes_nothing(intents: Intents, ledger: Ledger) -> None:
    intents.prepare(new_intent("one", tag="t1"), allow=free)
    settled = intents.settle("one", IntentState.ACCEPTED, order_ids=["261120000000001"])
    acts = Audit(ledger, FakeClock(NOW)).recent()

    def refuse(_: Standing) -> None:
        raise AssertionError("nobody asks for leave twice")

    body = {"price": Decimal("1234.5000"), "quantity": 10, "side": "BUY", "key": RELIANCE}
    again = intents.prepare(new_intent("one", tag="another-tag", body=body), allow=refuse)

    assert again.repeated
    assert again.intent == settled
    assert Audit(ledger, FakeClock(NOW)).recent() == acts


@pytest.mark.parametrize(
    "change",
    [
        {"body": {"key": RELIANCE, "side": "BUY", "quantity": 11, "price": Decimal("1234.50")}},
        {"body": {}},
        {"target": "NSE_EQ|INE009A01021"},
        {"kind": IntentKind.GTT_PLACE},
    ],
)
def test_an_id_that_was_used_for_something_else_is_refused(intents: Intents, change: dict[str, object]) -> None:
    first = intents.prepare(new_intent("one"), allow=free).intent

    with pytest.raises(InvalidRequest, match="other particulars"):
        intents.prepare(new_intent("one", **change), allow=free)

    assert intents.recent() == [first]


def test_a_tag_belongs_to_one_intent(intents: Intents) -> None:
    intents.prepare(new_intent("one", tag="t1"), allow=free)

    with pytest.raises(InvalidRequest, match="tag"):
        intents.prepare(new_intent("two", tag="t1"), allow=free)
    for name in ("three", "four"):
        intents.prepare(new_intent(name, tag="", kind=IntentKind.CANCEL, target="1", body={}), allow=free)

    assert intents.of_tag("t1") == intents.get("one")
    assert intents.get("two") is None


def test_a_refusal_is_audited_raised_and_nothing_else(intents: Intents, ledger: Ledger) -> None:
    def refuse(_: Standing) -> None:
        raise InvalidRequest("the kill switch is on")

    with pytest.raises(InvalidRequest, match="kill switch"):
        intents.prepare(new_intent("one"), allow=refuse)

    assert intents.recent() == []
    (act,) = Audit(ledger, FakeClock(NOW)).recent()
    assert (act.what, act.actor, act.intent_id) == ("PLACE refused", TRADER, "one")
    assert act.after == {
        "asked": {"key": RELIANCE, "side": "BUY", "quantity": 10, "price": "1234.5"},
        "refused": "the kill switch is on",
    }
    assert not intents.prepare(new_intent("one"), allow=free).repeated, "after a refusal by us the id is free"


def test_an_intent_meets_limits_switch_counts_and_what_is_open(
    intents: Intents, ledger: Ledger, clock: FakeClock
) -> None:
    settings = OrderSettings(ledger, clock)
    limits = settings.set_limits(replace(OrderLimits(), max_orders_per_second=2), TRADER)
    switch = settings.set_kill_switch(True, "news", TRADER)
    first = intents.prepare(new_intent(lines=3), allow=free).intent
    intents.prepare(new_intent(target="other", lines=2), allow=free)
    intents.settle(intents.prepare(new_intent(), allow=free).intent.intent_id, IntentState.REFUSED)
    unknown = intents.prepare(new_intent(), allow=free).intent
    unknown = intents.settle(unknown.intent_id, IntentState.UNKNOWN)

    standing = _met(intents, new_intent())

    assert standing == Standing(limits, switch, 7, 7, (first, unknown), clock.now())


def test_an_open_exit_of_all_positions_is_met_by_whatever_is_about_one_of_them(intents: Intents) -> None:
    exit_all = intents.prepare(new_intent(kind=IntentKind.EXIT_ALL, target="all", body={}, tag=""), allow=free).intent
    done = intents.prepare(new_intent(kind=IntentKind.EXIT_ALL, target="NSE_FO", body={}, tag=""), allow=free).intent
    intents.settle(done.intent_id, IntentState.ACCEPTED)

    assert _met(intents, new_intent()).open_writes == (exit_all,)


def test_counts_are_of_the_last_second_and_of_the_day_in_india(intents: Intents, clock: FakeClock) -> None:
    _met(intents, new_intent())
    clock.move(seconds=0.999)
    assert _met(intents, new_intent()).orders_last_second == 1
    clock.move(seconds=0.001)
    assert _met(intents, new_intent()).orders_last_second == 1, "the first is a full second old"
    clock.move(hours=14)
    midnight = _met(intents, new_intent())
    assert (midnight.orders_last_second, midnight.orders_today) == (0, 3), "23:45 in India"
    clock.move(minutes=15)
    assert _met(intents, new_intent()).orders_today == 0


def test_what_certainly_never_left_is_no_order_of_today(intents: Intents) -> None:
    for name, state in (("a", IntentState.NOT_SENT), ("b", IntentState.REFUSED), ("c", IntentState.UNKNOWN)):
        intents.prepare(new_intent(name, lines=2), allow=free)
        intents.settle(name, state)

    standing = _met(intents, new_intent())

    assert (standing.orders_last_second, standing.orders_today) == (6, 4)


def test_modifying_and_cancelling_count_by_the_second_but_not_by_the_day(intents: Intents) -> None:
    for kind in (IntentKind.MODIFY, IntentKind.CANCEL, IntentKind.GTT_CANCEL, IntentKind.CANCEL_ALL):
        intents.prepare(new_intent(kind=kind, target="1", body={}), allow=free)
    intents.prepare(new_intent(kind=IntentKind.KILL_SWITCH, target="", body={}), allow=free)

    standing = _met(intents, new_intent())

    assert (standing.orders_last_second, standing.orders_today) == (4, 0)


def test_a_clock_that_was_set_back_does_not_block_for_long(intents: Intents, clock: FakeClock) -> None:
    clock.move(hours=2)
    intents.prepare(new_intent(), allow=free)
    clock.move(hours=-2)

    standing = _met(intents, new_intent())

    assert (standing.orders_last_second, standing.orders_today) == (0, 1)


def test_a_basket_is_written_whole_and_each_leg_meets_those_before_it(intents: Intents) -> None:
    seen: list[int] = []

    prepared = intents.prepare_many(
        [new_intent(f"leg-{n}", basket="b") for n in range(3)],
        allow=lambda new, standing: seen.append(standing.orders_last_second),
    )

    assert seen == [0, 1, 2]
    assert [one.intent for one in prepared] == intents.of_basket("b")
    again = intents.prepare_many([new_intent(f"leg-{n}", basket="b") for n in range(3)], allow=_never)
    assert [one.intent for one in again] == intents.of_basket("b")
    assert all(one.repeated for one in again)


def _never(new: NewIntent, standing: Standing) -> None:
    raise AssertionError("asked for leave twice")


def test_a_basket_of_which_one_leg_is_refused_is_not_written_at_all(intents: Intents, ledger: Ledger) -> None:
    def two_at_most(new: NewIntent, standing: Standing) -> None:
        if standing.orders_last_second >= 2:
            raise RateBudgetSpent("two a second", wait_seconds=1)

    with pytest.raises(RateBudgetSpent):
        intents.prepare_many([new_intent(f"leg-{n}") for n in range(3)], allow=two_at_most)

    assert intents.recent() == []
    assert [act.what for act in Audit(ledger, FakeClock(NOW)).recent()] == ["PLACE refused"]
    assert intents.prepare_many([], allow=two_at_most) == ()


def test_what_became_of_an_intent_is_kept_with_who_told_it(intents: Intents, ledger: Ledger, clock: FakeClock) -> None:
    intents.prepare(new_intent("one"), allow=free)
    clock.move(seconds=3)

    told = intents.settle("one", IntentState.REFUSED, code="UDAPI1052", reason="no funds", result={"lines": []})

    assert told == intents.get("one")
    assert (told.state, told.code, told.reason, told.result) == (
        IntentState.REFUSED, "UDAPI1052", "no funds", {"lines": []},
    )  # fmt: skip
    assert (told.settled_by, told.settled_at) == (Witness.ANSWER, NOW + timedelta(seconds=3))
    act, prepared = Audit(ledger, clock).recent()
    assert (prepared.what, act.what, act.actor) == ("PLACE", "PLACE REFUSED", TRADER)
    assert act.before is not None
    assert act.after is not None
    assert (act.before["state"], act.after["state"], act.after["by"]) == ("PREPARED", "REFUSED", "answer")


def test_an_accepted_intent_stays_accepted_and_learns_of_more_orders(intents: Intents, ledger: Ledger) -> None:
    intents.prepare(new_intent("one"), allow=free)
    intents.settle("one", IntentState.ACCEPTED, order_ids=["1", "2"], by=Witness.STREAM)
    acts = len(Audit(ledger, FakeClock(NOW)).recent())

    for late in (IntentState.UNKNOWN, IntentState.REFUSED, IntentState.NOT_SENT, IntentState.ABSENT):
        assert intents.settle("one", late).state is IntentState.ACCEPTED
    assert intents.settle("one", IntentState.ACCEPTED, order_ids=["2", "1"]).order_ids == ("1", "2")
    assert len(Audit(ledger, FakeClock(NOW)).recent()) == acts, "what changes nothing is no act"

    sliced = intents.settle("one", IntentState.ACCEPTED, order_ids=["3", "1"], by=Witness.BOOK)
    assert sliced == intents.get("one")
    assert sliced.order_ids == ("1", "2", "3")
    assert sliced.settled_by is Witness.STREAM


def test_an_order_in_the_book_is_believed_over_an_answer_that_said_no(intents: Intents) -> None:
    for state in (IntentState.REFUSED, IntentState.NOT_SENT, IntentState.ABSENT, IntentState.ABANDONED):
        name = f"was {state}"
        intents.prepare(new_intent(name), allow=free)
        assert intents.settle(name, state).state is state
        assert intents.settle(name, IntentState.ACCEPTED, by=Witness.BOOK, order_ids=[name]).order_ids == (name,)
        assert intents.of_order(name) == [intents.get(name)]


def test_an_intent_is_settled_as_something_and_must_exist(intents: Intents) -> None:
    intents.prepare(new_intent("one"), allow=free)

    with pytest.raises(ValueError, match="as something"):
        intents.settle("one", IntentState.PREPARED)
    with pytest.raises(InvalidRequest, match="no intent 'two'"):
        intents.settle("two", IntentState.UNKNOWN)
    with pytest.raises(InvalidRequest, match="at least one"):
        intents.recent(0)
    assert intents.get("two") is None


def test_those_whose_fate_is_open_come_oldest_first(intents: Intents) -> None:
    made = [intents.prepare(new_intent(name), allow=free).intent for name in ("a", "b", "c", "d")]
    intents.settle("b", IntentState.ACCEPTED)
    unknown = intents.settle("c", IntentState.UNKNOWN, reason="no answer within 10 s")

    assert intents.open() == [made[0], unknown, made[3]]
    assert [one.intent_id for one in intents.recent(2)] == ["d", "c"]


def test_an_order_knows_the_intent_it_came_of_and_those_about_it(intents: Intents) -> None:
    intents.prepare(new_intent("place"), allow=free)
    intents.settle("place", IntentState.ACCEPTED, order_ids=["77"])
    intents.prepare(new_intent("other"), allow=free)
    intents.prepare(new_intent("cancel", kind=IntentKind.CANCEL, target="77", body={}), allow=free)

    assert [one.intent_id for one in intents.of_order("77")] == ["place", "cancel"]
    assert intents.of_order("78") == []


def test_a_conversion_is_kept_and_settled_with_its_intent(intents: Intents, ledger: Ledger) -> None:
    conversions = Conversions(ledger)
    body = {"key": RELIANCE, "side": Side.SELL, "quantity": 5, "from_product": "I", "to_product": "D"}
    intents.prepare(new_intent("c1", kind=IntentKind.CONVERT, body=body, tag=""), allow=free)
    intents.settle("c1", IntentState.REFUSED, code="UDAPI1067", reason="not a position of today")

    (kept,) = conversions.recent()

    assert (kept.intent_id, kept.key, kept.side, kept.quantity) == ("c1", RELIANCE, Side.SELL, 5)
    assert (kept.from_product, kept.to_product, kept.state) == ("I", "D", IntentState.REFUSED)
    assert (kept.code, kept.actor, kept.asked_at, kept.settled_at) == ("UDAPI1067", TRADER, NOW, NOW)
    assert conversions.of_day(NOW.date()) == [kept]
    assert conversions.of_day(NOW.date() + timedelta(days=1)) == []


def test_a_conversion_that_lacks_a_part_is_not_written(intents: Intents, ledger: Ledger) -> None:
    with pytest.raises(InvalidRequest, match="from_product"):
        intents.prepare(new_intent("c1", kind=IntentKind.CONVERT, body={"key": RELIANCE}), allow=free)

    assert intents.recent() == []
    assert Conversions(ledger).recent() == []


def test_a_float_is_no_amount(intents: Intents) -> None:
    with pytest.raises(InvalidRequest, match="exact"):
        intents.prepare(new_intent(body={"price": 1234.5}), allow=free)
    assert intents.recent() == []

"""Baskets, cancel all and exit all: each line's fate for itself, and never "all" where it was not all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.domain.errors import BrokerFault, InvalidRequest
from services.domain.intents import IntentState
from services.domain.orders import Side, Status
from services.domain.positions import Position
from services.orders.views import BasketOutcome, BulkOutcome
from tests.support.order_desk import ASHA, Bench, no_answer, refused
from tests.support.orders import RELIANCE, a_request


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.open()
    yield made
    made.close()


def lay(bench: Bench, count: int, quantity: int = 10) -> None:
    """So many orders that lie open."""
    for _ in range(count):
        bench.broker._new(a_request(quantity=quantity), "elsewhere")
    bench.desk.refresh()


def test_each_leg_of_a_basket_is_a_decision_of_its_own(bench: Bench) -> None:
    told = bench.desk.place_basket(
        [a_request(), a_request(quantity=13), a_request(quantity=14)], intent_id="b", actor=ASHA
    )

    assert [leg.outcome.state for leg in told.legs] == [
        IntentState.ACCEPTED, IntentState.REFUSED, IntentState.UNKNOWN,
    ]  # fmt: skip
    assert told.legs[1].outcome.code == "UDAPI1052"
    assert len({leg.outcome.tag for leg in told.legs}) == 3
    assert bench.broker.sent("place_many") == 1
    assert told.text == "1 of 3 orders accepted, of 1 it is not known yet"


def test_a_basket_again_sends_nothing(bench: Bench) -> None:
    first = bench.desk.place_basket([a_request(), a_request(quantity=11)], intent_id="b", actor=ASHA)

    again = bench.desk.place_basket([a_request(), a_request(quantity=11)], intent_id="b", actor=ASHA)

    assert again.repeated
    assert [leg.outcome.order_ids for leg in again.legs] == [leg.outcome.order_ids for leg in first.legs]
    assert bench.broker.sent("place_many") == 1
    known = bench.desk.outcome("b")
    assert isinstance(known, BasketOutcome)
    assert known.accepted == 2


def test_one_leg_that_is_refused_by_the_checks_keeps_the_whole_basket_back(bench: Bench) -> None:
    with pytest.raises(InvalidRequest, match="order 2 of 2"):
        bench.desk.place_basket([a_request(), a_request(quantity=60_000)], intent_id="b", actor=ASHA)

    assert bench.broker.sent("place_many") == 0
    assert bench.intents.of_basket("b") == []


def test_a_basket_leaves_no_faster_than_the_limit_a_second(bench: Bench) -> None:
    told = bench.desk.place_basket([a_request(quantity=20 + n) for n in range(10)], intent_id="b", actor=ASHA)

    assert told.text == "all 10 orders accepted"
    assert bench.broker.sent("place_many") == 2
    assert len(bench.slept) == 1
    assert bench.slept[0] > 1


def test_a_basket_with_a_lost_answer_is_found_leg_by_leg(bench: Bench) -> None:
    bench.broker.fail("place_many", no_answer, acts=True)

    told = bench.desk.place_basket([a_request(), a_request(quantity=14)], intent_id="b", actor=ASHA)
    bench.pass_time(60)

    assert [leg.outcome.state for leg in told.legs] == [IntentState.UNKNOWN] * 2
    assert bench.intent("b/1").state is IntentState.ACCEPTED
    assert bench.intent("b/2").state is IntentState.ABSENT


def test_a_basket_that_is_interrupted_sends_no_more_and_says_so(bench: Bench) -> None:
    bench.broker.fail("place_many", KeyboardInterrupt, acts=True)

    with pytest.raises(KeyboardInterrupt):
        bench.desk.place_basket([a_request(quantity=20 + n) for n in range(10)], intent_id="b", actor=ASHA)

    states = [one.state for one in bench.intents.of_basket("b")]
    assert states == [IntentState.UNKNOWN] * 8 + [IntentState.NOT_SENT] * 2


@pytest.mark.parametrize("count", [0, 11])
def test_a_basket_holds_one_to_ten(bench: Bench, count: int) -> None:
    with pytest.raises(InvalidRequest, match="1 to 10"):
        bench.desk.place_basket([a_request()] * count, intent_id="b", actor=ASHA)


def test_all_open_orders_are_cancelled_with_one_call(bench: Bench) -> None:
    lay(bench, 3)

    told = bench.desk.cancel_all(intent_id="c", actor=ASHA)

    assert told.text == "all 3 orders cancelled"
    assert bench.broker.sent("cancel_many") == 1
    assert bench.desk.cancel_all(intent_id="c", actor=ASHA).repeated


def test_a_207_is_told_line_by_line_and_never_as_all(bench: Bench) -> None:
    lay(bench, 2)
    lay(bench, 1, quantity=13)

    told = bench.desk.cancel_all(intent_id="c", actor=ASHA)
    again = bench.desk.outcome("c")

    assert told.text == "2 of 3 orders cancelled"
    assert [line.state for line in told.lines] == [IntentState.ACCEPTED] * 2 + [IntentState.REFUSED]
    assert "UDAPI100040" in told.lines[2].reason
    assert isinstance(again, BulkOutcome)
    assert again.lines == told.lines


def test_more_than_one_call_takes_are_cancelled_one_by_one(bench: Bench) -> None:
    lay(bench, 23)

    told = bench.desk.cancel_all(intent_id="c", actor=ASHA)

    assert told.text == "all 23 orders cancelled"
    assert bench.broker.sent("cancel_many") == 0
    assert bench.broker.sent("cancel") == 23
    assert bench.desk.cancel_all(intent_id="c", actor=ASHA).repeated


def test_a_lost_answer_to_cancel_all_is_found_by_each_order(bench: Bench) -> None:
    lay(bench, 3)
    bench.broker.fail("cancel_many", no_answer, acts=True)

    told = bench.desk.cancel_all(intent_id="c", actor=ASHA)
    bench.pass_time(10)

    assert told.state is IntentState.UNKNOWN
    assert bench.intent("c").state is IntentState.ACCEPTED
    assert len(bench.intent("c").order_ids) == 3


def test_a_cancel_all_that_never_arrived_is_absent_in_the_end(bench: Bench) -> None:
    lay(bench, 3)
    bench.broker.fail("cancel_many", no_answer)

    bench.desk.cancel_all(intent_id="c", actor=ASHA)
    bench.pass_time(60)

    assert bench.intent("c").state is IntentState.ABSENT


def test_with_nothing_open_nothing_is_sent(bench: Bench) -> None:
    with pytest.raises(InvalidRequest, match="no open order"):
        bench.desk.cancel_all(intent_id="c", actor=ASHA)
    with pytest.raises(InvalidRequest, match="no open position"):
        bench.desk.exit_all(intent_id="e", actor=ASHA)

    assert bench.broker.sent("cancel_many") == bench.broker.sent("exit_positions") == 0


def test_where_the_book_cannot_be_read_the_broker_is_asked_to_cancel_whatever_is_open(bench: Bench) -> None:
    bench.broker._new(a_request(), "unseen")
    bench.broker.fail("book", lambda: BrokerFault("trouble", status=500), times=100)

    told = bench.desk.cancel_all(intent_id="c", actor=ASHA)

    assert told.accepted == 1


def test_all_positions_are_closed_and_a_lost_answer_is_found_by_the_positions(bench: Bench) -> None:
    bench.broker.held = [Position(RELIANCE, "I", 10), Position("NSE_FO|56983", "D", -65), Position("NSE_EQ|X", "D", 0)]
    bench.broker.fail("exit_positions", no_answer, acts=True)

    told = bench.desk.exit_all(intent_id="e", actor=ASHA)
    bench.pass_time(10)

    assert told.state is IntentState.UNKNOWN
    assert bench.intent("e").state is IntentState.ACCEPTED
    assert bench.broker.sent("exit_positions") == 1


def test_positions_that_stand_as_before_were_never_exited(bench: Bench) -> None:
    bench.broker.held = [Position(RELIANCE, "I", 10)]
    bench.broker.fail("exit_positions", no_answer)

    bench.desk.exit_all(intent_id="e", actor=ASHA)
    bench.pass_time(60)

    assert bench.intent("e").state is IntentState.ABSENT


def test_a_position_that_changed_meanwhile_is_left_to_a_person(bench: Bench) -> None:
    bench.broker.held = [Position(RELIANCE, "I", 10)]
    bench.broker.fail("exit_positions", no_answer)

    bench.desk.exit_all(intent_id="e", actor=ASHA)
    bench.broker.held = [Position(RELIANCE, "I", 4)]
    bench.pass_time(120)

    [unknown] = bench.desk.open_intents()
    assert not unknown.may_send_anew
    assert "still open" in unknown.evidence
    assert bench.intent("e").state is IntentState.UNKNOWN


def test_more_than_ten_positions_are_closed_by_an_order_each_buys_first(bench: Bench) -> None:
    bench.broker.held = [Position(RELIANCE, "I", 10 if n % 2 else -20 - n) for n in range(12)]

    told = bench.desk.exit_all(intent_id="e", actor=ASHA)

    assert told.text == "all 12 positions sent to be closed"
    sides = [order.side for order in bench.broker.orders.values()]
    assert sides == [Side.BUY] * 6 + [Side.SELL] * 6
    assert bench.broker.sent("exit_positions") == 0


def test_the_desks_kill_switch_lets_cancels_and_exits_pass(bench: Bench) -> None:
    lay(bench, 1)
    order_id = bench.desk.book().orders[0].order_id
    bench.broker.held = [Position(RELIANCE, "I", 10)]
    bench.desk.set_kill_switch(True, reason="lunch", actor=ASHA)

    with pytest.raises(InvalidRequest, match="kill switch"):
        bench.desk.place(a_request(), intent_id="p", actor=ASHA)
    with pytest.raises(InvalidRequest, match="kill switch"):
        bench.desk.place_basket([a_request()], intent_id="b", actor=ASHA)

    assert bench.desk.cancel(order_id, intent_id="c", actor=ASHA).accepted
    assert bench.desk.exit_all(intent_id="e", actor=ASHA).accepted == 1
    assert bench.broker.orders[order_id].status == Status.CANCELLED


def test_a_refusal_of_the_whole_call_is_told_with_its_reason(bench: Bench) -> None:
    lay(bench, 1)
    bench.broker.fail("cancel_many", lambda: refused("UDAPI1110", "too many"))

    told = bench.desk.cancel_all(intent_id="c", actor=ASHA)

    assert told.state is IntentState.REFUSED
    assert "UDAPI1110" in told.text

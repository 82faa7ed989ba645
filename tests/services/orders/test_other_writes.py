"""Waiting orders, conversions, the broker's kill switch: how each one's lost answer is settled."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from services.domain.errors import InvalidRequest
from services.domain.gtt import GttLeg, GttRequest, Strategy, TriggerType
from services.domain.intents import IntentState
from services.domain.orders import Product, Side
from services.domain.positions import Position
from tests.support.order_desk import ASHA, Bench, no_answer
from tests.support.orders import RELIANCE, a_request

WAITING = GttRequest(
    RELIANCE,
    Side.BUY,
    10,
    Product.DELIVERY,
    (GttLeg(Strategy.ENTRY, TriggerType.BELOW, Decimal(1400)),),
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.open()
    yield made
    made.close()


def test_a_waiting_order_is_placed_changed_and_cancelled(bench: Bench) -> None:
    gtt_id = bench.desk.gtt_place(WAITING, intent_id="one", actor=ASHA).order_ids[0]
    changed = bench.desk.gtt_modify(gtt_id, WAITING, intent_id="two", actor=ASHA)
    shown = bench.desk.gtts().gtts
    bench.step()
    shown = bench.desk.gtts().gtts
    cancelled = bench.desk.gtt_cancel(gtt_id, intent_id="three", actor=ASHA)

    assert [one.gtt_id for one in shown] == [gtt_id]
    assert changed.accepted
    assert cancelled.accepted
    assert bench.desk.gtt_place(WAITING, intent_id="one", actor=ASHA).repeated


@pytest.mark.parametrize("arrived", [True, False])
def test_a_lost_answer_of_a_waiting_order_is_confirmed_by_a_person(bench: Bench, arrived: bool) -> None:
    bench.desk.gtt_place(WAITING, intent_id="before", actor=ASHA)
    bench.broker.fail("gtt_place", no_answer, acts=arrived)

    told = bench.desk.gtt_place(WAITING, intent_id="one", actor=ASHA)
    bench.pass_time(120)
    [unknown] = bench.desk.open_intents()

    assert told.state is unknown.state is IntentState.UNKNOWN
    assert len(unknown.candidates) == (1 if arrived else 0)
    assert unknown.may_send_anew is not arrived
    assert bench.desk.resolve("one", arrived, order_ids=unknown.candidates, actor=ASHA).accepted is arrived


def test_a_position_is_converted(bench: Bench) -> None:
    bench.broker.held = [Position(RELIANCE, "I", 10)]

    told = bench.desk.convert(RELIANCE, Side.BUY, 10, "MIS", "CNC", intent_id="one", actor=ASHA)

    assert told.accepted
    assert bench.desk.convert(RELIANCE, Side.BUY, 10, "MIS", "CNC", intent_id="one", actor=ASHA).repeated
    assert bench.broker.sent("convert") == 1
    assert bench.filled == 1


@pytest.mark.parametrize(("arrived", "state"), [(True, IntentState.ACCEPTED), (False, IntentState.ABSENT)])
def test_a_lost_answer_of_a_conversion_is_settled_by_the_positions(
    bench: Bench, arrived: bool, state: IntentState
) -> None:
    bench.broker.held = [Position(RELIANCE, "I", 10), Position(RELIANCE, "D", 5)]
    bench.broker.fail("convert", no_answer, acts=arrived)

    told = bench.desk.convert(RELIANCE, Side.BUY, 6, "I", "D", intent_id="one", actor=ASHA)
    with pytest.raises(InvalidRequest, match="not known yet"):
        bench.desk.convert(RELIANCE, Side.BUY, 6, "I", "D", intent_id="two", actor=ASHA)
    bench.pass_time(60)

    assert told.state is IntentState.UNKNOWN
    assert bench.intent("one").state is state


def test_a_position_that_moved_otherwise_is_left_to_a_person(bench: Bench) -> None:
    bench.broker.held = [Position(RELIANCE, "I", 10)]
    bench.broker.fail("convert", no_answer)

    bench.desk.convert(RELIANCE, Side.BUY, 6, "I", "D", intent_id="one", actor=ASHA)
    bench.broker.held = [Position(RELIANCE, "I", 8)]
    bench.pass_time(120)

    assert bench.intent("one").state is IntentState.UNKNOWN
    assert bench.desk.resolve("one", None, actor=ASHA).state is IntentState.ABANDONED


def test_the_brokers_kill_switch_stops_its_segment_and_no_other(bench: Bench) -> None:
    assert bench.desk.set_broker_kill_switch({"NSE_FO": True}, intent_id="one", actor=ASHA).accepted
    bench.step()

    assert bench.broker.killed == {"NSE_FO"}
    assert bench.desk.place(a_request(), intent_id="two", actor=ASHA).accepted
    with pytest.raises(InvalidRequest, match="kill switch"):
        bench.desk.place(a_request(key="NSE_FO|56983", quantity=65, price=Decimal(120)), intent_id="three", actor=ASHA)


@pytest.mark.parametrize(("arrived", "state"), [(True, IntentState.ACCEPTED), (False, IntentState.ABSENT)])
def test_a_lost_answer_of_the_switch_is_settled_by_asking_for_it(
    bench: Bench, arrived: bool, state: IntentState
) -> None:
    bench.broker.fail("set_kill_switch", no_answer, acts=arrived)

    bench.desk.set_broker_kill_switch({"NSE_FO": True}, intent_id="one", actor=ASHA)
    bench.pass_time(60)

    assert bench.intent("one").state is state


def test_where_the_brokers_switch_is_not_known_nothing_is_sent(bench: Bench) -> None:
    bench.broker.fail("kill_switch", no_answer, times=100)
    bench.restart()
    bench.open()

    with pytest.raises(InvalidRequest, match="not known whether the broker's kill switch"):
        bench.desk.place(a_request(), intent_id="one", actor=ASHA)

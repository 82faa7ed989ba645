"""The exit of one position: what only closes passes the desk's kill switch, and nothing that opens does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.domain.errors import InvalidRequest
from services.domain.intents import IntentState
from services.domain.orders import Side
from services.domain.positions import Position
from services.orders.checking import Held
from services.orders.desk import OrderDesk
from services.orders.views import BulkOutcome, Outcome
from tests.support.order_desk import ASHA, Bench, no_answer
from tests.support.orders import RELIANCE, a_request


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.open()
    made.desk.set_kill_switch(True, actor=ASHA)
    made.broker.held = [Position(RELIANCE, "D", 10)]
    yield made
    made.close()


def sell(quantity: int = 10, **more: Any) -> Any:
    return a_request(side=Side.SELL, quantity=quantity, **more)


def test_an_order_that_only_closes_a_position_passes_the_kill_switch(bench: Bench) -> None:
    assert bench.desk.place(sell(), intent_id="x", actor=ASHA).accepted


def test_several_positions_are_closed_together(bench: Bench) -> None:
    told = bench.desk.place_basket([sell(4), sell(6)], intent_id="x", actor=ASHA)

    assert told.accepted == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda bench: bench.broker.held.clear(),
        lambda bench: bench.broker.held.__setitem__(0, Position(RELIANCE, "D", 9)),
        lambda bench: bench.broker.held.__setitem__(0, Position(RELIANCE, "I", 10)),
        lambda bench: bench.broker.held.__setitem__(0, Position(RELIANCE, "D", -10)),
        lambda bench: bench.broker._new(sell(1), "elsewhere"),  # it waits, and would be too much
    ],
)
def test_what_would_open_anything_does_not_pass(bench: Bench, change: Callable[[Bench], None]) -> None:
    change(bench)

    with pytest.raises(InvalidRequest, match="kill switch is on"):
        bench.desk.place(sell(), intent_id="x", actor=ASHA)
    with pytest.raises(InvalidRequest, match="kill switch is on"):
        bench.desk.place_basket([sell(5), sell(5)], intent_id="y", actor=ASHA)
    assert bench.broker.sent("place") + bench.broker.sent("place_many") == 0


def test_legs_that_close_more_than_is_held_do_not_pass(bench: Bench) -> None:
    with pytest.raises(InvalidRequest, match="order 2 of 2: the desk's kill switch is on"):
        bench.desk.place_basket([sell(6), sell(6)], intent_id="x", actor=ASHA)


def test_nothing_passes_where_the_broker_does_not_tell_what_is_held(bench: Bench) -> None:
    bench.broker.fail("positions", no_answer)

    with pytest.raises(type(no_answer())):
        bench.desk.place(sell(), intent_id="x", actor=ASHA)
    assert bench.broker.sent("place") == 0


def test_a_position_is_not_closed_twice_by_windows_that_looked_at_once(bench: Bench) -> None:
    def in_between(operation: str) -> None:
        if operation == "positions":
            bench.broker.meanwhile = lambda operation: None
            assert bench.desk.place(sell(), intent_id="other window", actor=ASHA).accepted

    bench.broker.meanwhile = in_between

    with pytest.raises(InvalidRequest, match="has just been sent"):
        bench.desk.place(sell(), intent_id="x", actor=ASHA)
    assert bench.broker.sent("place") == 1


def test_more_than_ten_positions_are_not_closed_twice_by_windows_that_looked_at_once(bench: Bench) -> None:
    bench.broker.held = [Position(RELIANCE, "D", 10) for _ in range(12)]

    def in_between(operation: str) -> None:
        if operation == "positions":
            bench.broker.meanwhile = lambda operation: None
            assert bench.desk.exit_all(intent_id="other window", actor=ASHA).accepted == 12

    bench.broker.meanwhile = in_between

    with pytest.raises(InvalidRequest, match="has just been sent"):
        bench.desk.exit_all(intent_id="x", actor=ASHA)
    assert len(bench.broker.orders) == 12


@pytest.mark.parametrize(
    "other",
    [
        lambda desk: desk.exit_all(intent_id="other window", actor=ASHA),
        lambda desk: desk.exit_all("NSE_EQ", intent_id="other window", actor=ASHA),
        lambda desk: desk.convert(RELIANCE, Side.BUY, 10, "CNC", "MIS", intent_id="other window", actor=ASHA),
    ],
)
def test_a_position_is_not_closed_where_an_exit_of_all_or_a_conversion_has_just_taken_it(
    bench: Bench, other: Callable[[OrderDesk], Outcome | BulkOutcome]
) -> None:
    told = bench.broker.positions

    def and_then() -> list[Position]:
        held, bench.broker.positions = told(), told  # type: ignore[method-assign]
        assert other(bench.desk).state is IntentState.ACCEPTED
        return held

    bench.broker.positions = and_then  # type: ignore[method-assign]

    with pytest.raises(InvalidRequest, match="has just been sent"):
        bench.desk.place(sell(), intent_id="x", actor=ASHA)
    assert bench.broker.sent("place") == 0


def test_an_exit_of_all_waits_for_orders_that_close_the_same_positions_one_after_the_other(bench: Bench) -> None:
    bench.broker.held = [Position(RELIANCE, "D", 10) for _ in range(12)]

    def other_window(seconds: float) -> None:
        bench.on_sleep = lambda seconds: None
        bench.broker.held = bench.broker.held[:2]  # the first ten are closed, the orders for two are still to leave
        with pytest.raises(InvalidRequest, match="being closed already"):
            bench.desk.exit_all(intent_id="other window", actor=ASHA)

    bench.on_sleep = other_window
    told = bench.desk.exit_all(intent_id="x", actor=ASHA)

    assert told.accepted == 12
    assert bench.broker.sent("exit_positions") == 0


def test_the_preview_of_a_closing_order_says_that_it_passes(bench: Bench) -> None:
    bench.held = Held(position=10)

    def blocked(quantity: int) -> bool:
        return any(one.code == "own_kill_switch" for one in bench.desk.preview(sell(quantity)).findings if one.blocks)

    assert not blocked(10)
    assert blocked(11)

from __future__ import annotations

from dataclasses import replace

import pytest

from services.domain.orders import TERMINAL, Status
from services.paper.trading.order_values import Order
from services.paper.trading.states import FOLLOWS, cancelled, step
from tests.support.trading import STARTS

ORDER = Order(
    "1", 1, "NSE_EQ|X", "NSE_EQ", "NSE", "X", True, 10, "D", "LIMIT", "DAY", 100, 0, 0, None, "", "open", "2026-11-20",
    0, 0, "1",
)  # fmt: skip


def test_every_documented_state_can_be_reached_and_no_order_leaves_its_end() -> None:
    reached, before = set(STARTS), set()
    while reached != before:
        before = set(reached)
        reached |= {after for state in before for after in FOLLOWS[state]}

    documented = set(Status) - {Status.UNTOLD}  # that one is the desk's own
    assert reached == documented == set(FOLLOWS)
    assert {state for state, after in FOLLOWS.items() if not after} == TERMINAL & documented


def test_a_step_that_no_order_takes_is_a_fault() -> None:
    with pytest.raises(AssertionError):
        step(replace(ORDER, status="complete"), Status.OPEN, 1)


def test_an_order_that_was_kept_is_cancelled_in_its_own_words() -> None:
    assert (
        cancelled(replace(ORDER, status=Status.AMO_RECEIVED.value), 1, "why").status == "cancelled after market order"
    )
    ended = cancelled(ORDER, 1, "why")
    assert (ended.status, ended.message, ended.pending, ended.left) == ("cancelled", "why", 0, 10)

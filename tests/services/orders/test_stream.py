"""The order stream as it may come: out of order, twice, in part, between two reads of the book. Desk, ledger and
announcements end in the true state, and never show a step back on the way."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.domain.clock import IST
from services.domain.orders import BookOrder, Status
from services.orders.views import News
from tests.support.ledger import NOW
from tests.support.order_desk import ASHA, Bench
from tests.support.orders import a_request

STEPS = (
    (Status.VALIDATING, 0), (Status.OPENING, 0), (Status.OPEN, 0), (Status.OPEN, 3),
    (Status.MODIFY_VALIDATING, 3), (Status.MODIFIED, 3), (Status.OPEN, 3), (Status.OPEN, 7),
)  # fmt: skip
ENDS = ((Status.COMPLETE, 10), (Status.CANCELLED, 7))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.open()
    made.stream_up = True
    yield made
    made.close()


def _life(order: BookOrder, end: tuple[str, int]) -> list[BookOrder]:
    """Every state of the order, as the broker knows it one after the other."""
    lived: list[BookOrder] = []
    for second, (status, filled) in enumerate((*STEPS, end)):
        at_the_exchange = status not in {Status.VALIDATING, Status.OPENING}
        lived.append(
            replace(
                order,
                status=status,
                filled_quantity=filled,
                pending_quantity=0 if status in {s for s, _ in ENDS} else 10 - filled,
                average_price=a_request().price or order.price if filled else order.average_price,
                request_id="1" if second < 5 else "2",
                exchange_at=NOW + timedelta(seconds=second) if at_the_exchange else None,
            )
        )
    return lived


def _update(order: BookOrder) -> dict[str, Any]:
    """As the stream says it."""

    def clock(at: Any) -> str | None:
        return None if at is None else at.astimezone(IST).strftime("%Y-%m-%d %H:%M:%S")

    return {
        "update_type": "order", "order_id": order.order_id, "instrument_token": order.key,
        "instrument_key": order.key, "transaction_type": order.side.value, "quantity": order.quantity,
        "order_type": order.order_type, "product": order.product, "validity": order.validity,
        "price": float(order.price), "trigger_price": 0.0, "status": order.status,
        "filled_quantity": order.filled_quantity, "pending_quantity": order.pending_quantity,
        "average_price": float(order.average_price), "disclosed_quantity": 0, "trading_symbol": order.symbol,
        "exchange": order.exchange, "tag": order.tag, "status_message": "", "status_message_raw": None,
        "exchange_order_id": "", "parent_order_id": None, "order_request_id": order.request_id, "order_ref_id": "",
        "variety": "SIMPLE", "is_amo": False, "order_timestamp": clock(order.placed_at),
        "exchange_timestamp": clock(order.exchange_at),
    }  # fmt: skip


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end[0])
@pytest.mark.parametrize("seed", range(5))
def test_however_the_stream_comes_the_desk_ends_in_the_true_state(
    bench: Bench, seed: int, end: tuple[str, int]
) -> None:
    chance = random.Random(seed)
    order_id = bench.desk.place(a_request(), intent_id="one", actor=ASHA).order_ids[0]
    life = _life(bench.broker.orders[order_id], end)
    messages = [one for one in life for _ in range(chance.choice([0, 1, 1, 2, 3]))]
    chance.shuffle(messages)
    shown: list[tuple[str, int]] = []

    for message in messages:
        bench.desk.heard(_update(message))
        if chance.random() < 0.2:  # a poll in between tells where the broker is by then, which may be anywhere later
            bench.broker.orders[order_id] = life[-1]
            bench.desk.refresh()
        known = bench.desk.order(order_id)
        assert known is not None
        shown.append((known.status, known.filled_quantity))
    bench.broker.orders[order_id] = life[-1]
    bench.desk.refresh()

    known = bench.desk.order(order_id)
    assert known is not None
    assert (known.status, known.filled_quantity, known.request_id) == (*end, "2")
    filled = [quantity for _, quantity in shown]
    assert filled == sorted(filled), "what is filled never falls"
    ended = [status == end[0] for status, _ in shown]
    assert ended == sorted(ended), "what has ended stays so"
    assert bench.orders.get(order_id) == known
    assert [event.status for event in bench.desk.timeline(order_id)].count(end[0]) >= 1
    told = [one for one in bench.desk.announcements(0) if one.order_id == order_id]
    assert [one.kind for one in told].count(News.CANCEL) == (end[0] == Status.CANCELLED)
    assert len({one.text for one in told}) == len(told), "nothing is announced twice"
    bench.desk.heard(_update(chance.choice(life)))
    assert bench.desk.order(order_id) == known
    assert bench.intent("one").order_ids == (order_id,)


def test_steps_that_the_stream_did_not_tell_come_by_the_brokers_own_history_once(bench: Bench) -> None:
    placed = bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    (order_id,) = placed.order_ids
    known = len(bench.desk.timeline(order_id))
    told = replace(bench.broker.orders[order_id], status=Status.VALIDATING, placed_at=NOW - timedelta(seconds=1))
    bench.broker.steps = [told, bench.broker.orders[order_id]]

    found = bench.desk.load_history(order_id)

    assert len(found) > known
    assert ("history", Status.VALIDATING) in {(step.source, step.status) for step in found}
    assert bench.desk.load_history(order_id) == found

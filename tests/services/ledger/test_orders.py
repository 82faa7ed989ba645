"""Orders end in their true state whatever the order of telling, and every change is kept once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.domain.errors import InvalidRequest
from services.domain.intents import IntentKind, IntentState
from services.domain.orders import BookOrder, Side, Status
from services.ledger.engine import Ledger
from services.ledger.intents import Intents
from services.ledger.order_tables import orders_v3
from services.ledger.orders import Orders
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, book_order, new_intent, new_ledger
from tests.support.ledger_engines import prepare_folder


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        yield made


@pytest.fixture
def orders(ledger: Ledger, clock: FakeClock) -> Orders:
    return Orders(ledger, clock)


FULL = book_order(
    side=Side.SELL,
    order_type="SL-M",
    trigger_price=Decimal("82.0025"),
    status="after market order req received",
    filled_quantity=4,
    average_price=Decimal("1234.5667"),
    disclosed_quantity=2,
    tag="t1",
    message="सब ठीक है",
    raw_message="raw",
    exchange_order_id="1100000012345678",
    parent_order_id="261120000000000",
    reference_id="GTT-C26112000000001",
    amo=True,
    exchange_at=NOW + timedelta(seconds=1),
    market_protection=Decimal(-1),
)


@pytest.mark.parametrize("order", [FULL, book_order(tag=None, placed_at=None, market_protection=None)])
def test_an_order_comes_back_as_it_was_told(orders: Orders, order: BookOrder) -> None:
    applied = orders.apply(order, source="book")

    assert applied.changed
    assert orders.get(order.order_id) == order == applied.order
    assert type(orders.get(order.order_id).side) is Side  # type: ignore[union-attr]


def test_every_member_of_an_order_has_its_column() -> None:
    assert {field.name for field in fields(BookOrder)} <= set(orders_v3.c.keys())


def test_each_real_change_is_one_event_with_source_word_and_payload(orders: Orders, clock: FakeClock) -> None:
    payload = {"status": "OPEN ", "average_price": 0.1}
    orders.apply(book_order(status="open"), source="stream", raw=payload)
    clock.move(seconds=2)
    orders.apply(book_order(status="open"), source="book")
    orders.apply(book_order(status="open pending"), source="book")
    at = NOW + timedelta(seconds=1)
    orders.apply(book_order(status="complete", filled_quantity=10, pending_quantity=0, exchange_at=at), source="book")

    first, last = orders.timeline("261120000000001")

    assert (first.source, first.status, first.raw) == ("stream", "open", payload)
    assert (first.recorded_at, first.told_at, first.at) == (NOW, NOW, NOW)
    assert (last.source, last.status, last.filled_quantity, last.raw) == ("book", "complete", 10, None)
    assert (last.recorded_at, last.told_at) == (NOW + timedelta(seconds=2), at)
    assert orders.timeline("unknown") == ()


def test_a_word_that_nobody_documented_is_kept_and_means_alive(orders: Orders) -> None:
    orders.apply(book_order(status="frozen by the moon"), source="stream")

    assert [order.status for order in orders.alive()] == ["frozen by the moon"]
    assert orders.timeline("261120000000001")[0].status == "frozen by the moon"


def test_an_average_with_many_places_is_the_same_when_it_is_told_again(orders: Orders) -> None:
    order = book_order(filled_quantity=3, average_price=Decimal("1234.56666666666667"))

    assert orders.apply(order, source="book").changed
    assert not orders.apply(order, source="book").changed
    assert len(orders.timeline(order.order_id)) == 1


def test_a_book_is_applied_in_the_order_given(orders: Orders) -> None:
    history = [
        book_order(status="put order req received"),
        book_order(status="open"),
        book_order("other"),
        book_order(status="cancelled", exchange_at=NOW),
    ]

    applied = orders.apply_many(history, "history")

    assert [one.changed for one in applied] == [True, True, True, True]
    assert [event.status for event in orders.timeline("261120000000001")] == [
        "put order req received", "open", "cancelled",
    ]  # fmt: skip
    assert not any(one.changed for one in orders.apply_many(history, "history"))
    assert orders.apply_many([], "book") == []


def test_lists_are_newest_first(orders: Orders, clock: FakeClock) -> None:
    evening = book_order("amo", placed_at=NOW - timedelta(hours=14), status="after market order req received")
    clock.move(hours=-14)
    orders.apply(evening, source="book")
    clock.move(hours=14)
    orders.apply_many(
        [book_order(str(n), placed_at=NOW + timedelta(seconds=n), tag=f"t{n % 2}") for n in range(4)], "x"
    )
    orders.apply(book_order("2", placed_at=NOW + timedelta(seconds=2), status="rejected"), source="book")
    today, yesterday = NOW.date(), NOW.date() - timedelta(days=1)

    assert [order.order_id for order in orders.of_day(today)] == ["3", "2", "1", "0"]
    assert [order.order_id for order in orders.of_day(yesterday)] == ["amo"]
    assert [order.order_id for order in orders.alive()] == ["3", "1", "0", "amo"]
    assert [order.order_id for order in orders.by_tag("t1")] == ["3", "1"]
    assert [order.order_id for order in orders.search(2)] == ["3", "2"]
    assert [order.order_id for order in orders.search(2, offset=3)] == ["0", "amo"]
    orders.apply(replace(evening, status="open"), source="stream")
    assert "amo" in [order.order_id for order in orders.of_day(today)], "it was released this morning"


def test_orders_are_found_by_what_they_are_called_and_when_they_were_placed(orders: Orders) -> None:
    orders.apply_many(
        [
            book_order("1", symbol="M&M"),
            book_order("2", symbol="NIFTY 26000 CE", key="NSE_FO|56983", tag="100%_sure", status="complete"),
            book_order("3", symbol="INFY", placed_at=NOW - timedelta(days=3)),
        ],
        "book",
    )
    day = NOW.date()

    def found(**asked: object) -> list[str]:
        return [order.order_id for order in orders.search(**asked)]  # type: ignore[arg-type]

    assert found(text="m&m") == ["1"]
    assert found(text="nse_fo|5") == ["2"]
    assert found(text="%_s") == ["2"]
    assert found(text="%") == ["2"]
    assert found(text=" 26000 ") == ["2"]
    assert found(first=day) == ["2", "1"]
    assert found(last=day - timedelta(days=1)) == ["3"]
    assert found(first=day - timedelta(days=3), last=day - timedelta(days=3)) == ["3"]
    assert found(alive=True) == ["1", "3"]
    assert found(alive=False) == ["2"]
    with pytest.raises(InvalidRequest):
        orders.search(0)


def test_steps_that_nobody_heard_are_added_to_the_timeline_once(orders: Orders, clock: FakeClock) -> None:
    def step(status: str, seconds: int, **changes: object) -> BookOrder:
        return book_order(status=status, placed_at=NOW + timedelta(seconds=seconds), **changes)

    filled = {"filled_quantity": 10, "pending_quantity": 0}
    orders.apply(step("open", 2), source="stream")
    clock.move(minutes=1)
    orders.apply(step("complete", 9, **filled), source="stream")
    history = [
        step("put order req received", 0), step("validation pending", 1), step("open", 2),
        step("modify pending", 5), step("open", 6), step("complete", 9, **filled),
    ]  # fmt: skip

    assert orders.record_history(history) == 4
    assert orders.record_history(history) == 0

    timeline = orders.timeline("261120000000001")
    assert [event.status for event in timeline] == [one.status for one in history]
    assert [event.source for event in timeline] == ["history", "history", "stream", "history", "history", "stream"]
    assert orders.get("261120000000001") == history[-1], "the past moves nothing"


def test_the_history_of_an_order_that_nobody_knew_makes_it_known(orders: Orders) -> None:
    history = [book_order(status=status) for status in ("put order req received", "open", "rejected")]

    assert orders.record_history(history) == 0
    assert orders.get("261120000000001") == history[-1]
    assert len(orders.timeline("261120000000001")) == 3


def test_the_event_log_is_read_on_from_where_one_was(orders: Orders) -> None:
    assert orders.last_event() == 0
    orders.apply_many([book_order("1"), book_order("2")], "book")
    seen = orders.last_event()
    orders.apply(book_order("2", status="cancelled"), source="stream")

    last, (order,) = orders.changed_after(seen)

    assert (order.order_id, order.status) == ("2", "cancelled")
    assert last == orders.last_event()
    assert {one.order_id for one in orders.changed_after(0, limit=2)[1]} == {"1", "2"}


def test_an_order_is_tied_to_its_intent_by_tag_by_id_or_by_its_gtt(
    orders: Orders, ledger: Ledger, clock: FakeClock
) -> None:
    intents = Intents(ledger, clock)
    for name, kind, order_id in (
        ("by-tag", IntentKind.PLACE, "x"),
        ("by-id", IntentKind.PLACE, "2"),
        ("by-gtt", IntentKind.GTT_PLACE, "GTT-3"),
        ("cancelling", IntentKind.CANCEL, "4"),
    ):
        intents.prepare(new_intent(name, kind=kind, tag=name), allow=lambda met: None)
        intents.settle(name, IntentState.ACCEPTED, order_ids=[order_id])
    orders.apply_many(
        [
            book_order("1", tag="by-tag"),
            book_order("2"),
            book_order("3", reference_id="GTT-3"),
            book_order("4"),
            book_order("5", tag="of somebody else"),
        ],
        "book",
    )

    assert _ties(ledger) == {"1": "by-tag", "2": "by-id", "3": "by-gtt", "4": None, "5": None}
    assert orders.timeline("1")[0].intent_id == "by-tag"
    intents.prepare(new_intent("late", tag="late"), allow=lambda met: None)
    intents.settle("late", IntentState.ACCEPTED, order_ids=["5", "1"])
    assert _ties(ledger)["5"] == "late", "the book may be faster than the answer"
    assert _ties(ledger)["1"] == "by-tag"
    orders.apply(book_order("4", status="cancelled"), source="answer", intent_id="by-id")
    assert _ties(ledger)["4"] == "by-id"


def _ties(ledger: Ledger) -> dict[str, str | None]:
    with ledger.read() as connection:
        rows = connection.exec_driver_sql("SELECT order_id, intent_id FROM orders_v3").all()
    return {row.order_id: row.intent_id for row in rows}


PATH = [
    ("put order req received", 0), ("validation pending", 0), ("open pending", 0), ("open", 0),
    ("open", 3), ("open", 7), ("complete", 10),
]  # fmt: skip
STEPS = [
    book_order(
        status=status,
        filled_quantity=filled,
        pending_quantity=10 - filled,
        average_price=Decimal(filled) / 3,
        exchange_at=None if number < 3 else NOW + timedelta(seconds=number),
    )
    for number, (status, filled) in enumerate(PATH)
]


def _another_ledger(folder: Path, engine: str) -> Ledger:
    prepare_folder(folder, engine)
    return new_ledger(folder)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.lists(st.tuples(st.integers(0, len(STEPS) - 2), st.sampled_from(["apply", "book", "history"])), max_size=10)
)
def test_any_order_of_telling_with_losses_and_repeats_ends_in_the_true_state(
    ledger_engine: str, told: list[tuple[int, str]]
) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(_another_ledger(Path(folder), ledger_engine)) as ledger:
        orders = Orders(ledger, FakeClock(NOW))
        for number, way in told:
            if way == "apply":
                orders.apply(STEPS[number], source="stream")
            elif way == "book":
                orders.apply_many([book_order("other"), STEPS[number]], "book")
            else:
                orders.record_history(STEPS[: number + 1])
        orders.apply(STEPS[-1], source="stream")
        orders.apply_many(STEPS, "book")

        final = orders.get("261120000000001")
        assert final is not None
        assert (final.status, final.filled_quantity, final.pending_quantity) == (Status.COMPLETE, 10, 0)
        assert final.average_price == Decimal("3.3333")
        assert orders.alive() == ([book_order("other")] if any(way == "book" for _, way in told) else [])
        events = orders.timeline("261120000000001")
        counted = [(event.status, event.filled_quantity) for event in events]
        assert counted.count(("complete", 10)) == 1
        applied = sorted((e for e in events if e.source != "history"), key=lambda event: event.number)
        fills = [event.filled_quantity for event in applied]
        assert fills == sorted(fills), "what was applied never fell back"

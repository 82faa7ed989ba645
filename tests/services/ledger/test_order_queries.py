"""Every query that orders, intents, trades, audit and settings ship finds its rows by an index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from services.domain.intents import IntentKind, IntentState
from services.domain.order_checks import OrderLimits
from services.domain.orders import Side
from services.ledger.audit import Audit
from services.ledger.conversions import Conversions
from services.ledger.engine import Ledger
from services.ledger.intents import Intents
from services.ledger.order_settings import OrderSettings
from services.ledger.orders import Orders
from services.ledger.trades import Trades
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, RELIANCE, TRADER, book_order, new_intent, new_ledger, trade

FILES_ONLY = True
"""SQLite tells how it will look; the indexes are the same on PostgreSQL (`test_upgrade`)."""

TODAY = NOW.date()
CLOCK = FakeClock(NOW)
BODY = {"key": RELIANCE, "side": Side.BUY, "quantity": 1, "from_product": "I", "to_product": "D"}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        yield made


@contextmanager
def _listening(ledger: Ledger) -> Iterator[list[tuple[str, Any]]]:
    said: list[tuple[str, Any]] = []

    def hear(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        said.append((statement, parameters[0] if many else parameters))

    sa.event.listen(ledger._engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        sa.event.remove(ledger._engine, "before_cursor_execute", hear)


def _write(ledger: Ledger) -> None:
    """Every write once, and again where a second one takes another way."""
    intents, orders, trades = Intents(ledger, CLOCK), Orders(ledger, CLOCK), Trades(ledger, CLOCK)
    intents.prepare(new_intent("place", tag="t1"), allow=lambda met: None)
    intents.prepare(new_intent("convert", kind=IntentKind.CONVERT, body=BODY, tag=""), allow=lambda met: None)
    orders.apply_many([book_order("1", tag="t1", reference_id="GTT-1"), book_order("2")], "book")
    intents.settle("place", IntentState.ACCEPTED, order_ids=["1", "2"])
    orders.apply(book_order("1", status="complete", filled_quantity=10), source="stream")
    orders.record_history([book_order("1", status="open pending")])
    trades.add([trade("1", order_id=""), trade("2")], "trades")
    trades.add([trade("1"), trade("2", quantity=3)], "trades")
    settings = OrderSettings(ledger, CLOCK)
    for number in (1, 2):
        settings.set_limits(replace(OrderLimits(), max_quantity=number), TRADER)
        settings.set_kill_switch(number == 1, "", TRADER)
    Audit(ledger, CLOCK).add(TRADER, "looked")


READS: dict[str, Callable[[Ledger], object]] = {
    "open intents": lambda ledger: Intents(ledger, CLOCK).open(),
    "one intent": lambda ledger: Intents(ledger, CLOCK).get("place"),
    "intent of a tag": lambda ledger: Intents(ledger, CLOCK).of_tag("t1"),
    "intents of a basket": lambda ledger: Intents(ledger, CLOCK).of_basket("b"),
    "intents of an order": lambda ledger: Intents(ledger, CLOCK).of_order("1"),
    "one order": lambda ledger: Orders(ledger, CLOCK).get("1"),
    "orders of a day": lambda ledger: Orders(ledger, CLOCK).of_day(TODAY),
    "orders alive": lambda ledger: Orders(ledger, CLOCK).alive(),
    "orders of a tag": lambda ledger: Orders(ledger, CLOCK).by_tag("t1"),
    "a book again": lambda ledger: Orders(ledger, CLOCK).apply_many([book_order("2")], "book"),
    "search": lambda ledger: Orders(ledger, CLOCK).search(text="rel", first=TODAY, last=TODAY, alive=True),
    "timeline": lambda ledger: Orders(ledger, CLOCK).timeline("1"),
    "changed orders": lambda ledger: Orders(ledger, CLOCK).changed_after(0),
    "last event": lambda ledger: Orders(ledger, CLOCK).last_event(),
    "fills of a day": lambda ledger: Trades(ledger, CLOCK).of_day(TODAY),
    "fills of days": lambda ledger: Trades(ledger, CLOCK).between(TODAY - timedelta(days=9), TODAY),
    "fills of an order": lambda ledger: Trades(ledger, CLOCK).of_order("1"),
    "count of a day": lambda ledger: Trades(ledger, CLOCK).count(TODAY),
    "audit of a target": lambda ledger: Audit(ledger, CLOCK).about(RELIANCE),
    "conversions of a day": lambda ledger: Conversions(ledger).of_day(TODAY),
    "limits": lambda ledger: OrderSettings(ledger, CLOCK).limits(),
}
NEWEST: dict[str, Callable[[Ledger], object]] = {
    "intents": lambda ledger: Intents(ledger, CLOCK).recent(),
    "orders": lambda ledger: Orders(ledger, CLOCK).search(),
    "audit": lambda ledger: Audit(ledger, CLOCK).recent(),
    "conversions": lambda ledger: Conversions(ledger).recent(),
}


def _plans(ledger: Ledger, said: list[tuple[str, Any]]) -> list[list[str]]:
    plans = []
    with ledger.read() as connection:
        for statement, parameters in said:
            if statement.startswith(("SELECT", "UPDATE", "DELETE")):
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                plans.append([row[3] for row in rows])
    assert plans
    return plans


@pytest.mark.parametrize("name", READS)
def test_each_read_has_its_index(ledger: Ledger, name: str) -> None:
    _write(ledger)
    with _listening(ledger) as said:
        READS[name](ledger)

    for plan in _plans(ledger, said):
        assert any(step.startswith("SEARCH") for step in plan), plan
        assert not [step for step in plan if step.startswith("SCAN ") and "CONSTANT" not in step], plan


def test_each_write_has_its_index(ledger: Ledger) -> None:
    with _listening(ledger) as said:
        _write(ledger)

    for plan in _plans(ledger, said):
        assert not [step for step in plan if step.startswith("SCAN ") and "CONSTANT" not in step], plan


@pytest.mark.parametrize("name", NEWEST)
def test_the_newest_are_read_along_an_index_and_no_farther(ledger: Ledger, name: str) -> None:
    _write(ledger)
    with _listening(ledger) as said:
        NEWEST[name](ledger)

    plan = _plans(ledger, said[:2])[0]  # after BEGIN; what follows looks up the orders of those found
    assert not [step for step in plan if "TEMP B-TREE" in step], plan

"""The audit grows and nothing else; the other tables that hold money refuse to lose a row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.domain.actors import Actor, Role
from services.domain.errors import InvalidRequest
from services.domain.intents import IntentKind, IntentState
from services.domain.orders import Side
from services.ledger.audit import Audit
from services.ledger.engine import Ledger
from services.ledger.intents import Intents
from services.ledger.orders import Orders
from services.ledger.pnl_tables import ALL_GUARDS
from services.ledger.server_figures import server_guards, wanted_guards
from services.ledger.trades import Trades
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, RELIANCE, TRADER, book_order, new_intent, new_ledger, trade
from tests.support.ledger_engines import SERVER


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        yield made


@pytest.fixture
def audit(ledger: Ledger) -> Audit:
    return Audit(ledger, FakeClock(NOW))


def test_an_act_is_kept_with_who_what_when_before_and_after(audit: Audit) -> None:
    who = Actor("ravi", Role.OPERATOR, "notebook 7")

    written = audit.add(who, "limits", "limits", {"max_value": Decimal("10.50")}, {"max_value": None})

    assert audit.recent() == [written]
    assert (written.at, written.actor, written.what, written.target) == (NOW, who, "limits", "limits")
    assert (written.before, written.after) == ({"max_value": "10.5"}, {"max_value": None})


def test_acts_come_newest_first_and_by_target(audit: Audit) -> None:
    first = audit.add(TRADER, "CANCEL", "1")
    other = audit.add(TRADER, "CANCEL", "2")
    last = audit.add(TRADER, "MODIFY", "1")

    assert audit.recent() == [last, other, first]
    assert audit.recent(limit=1) == [last]
    assert audit.about("1") == [last, first]


def test_an_act_without_a_name_is_refused(audit: Audit) -> None:
    for change in (
        lambda: audit.add(TRADER, ""),
        lambda: audit.add(TRADER, "x" * 81),
        lambda: audit.add(TRADER, "x", "t" * 201),
        lambda: audit.add(TRADER, "x", "t", {"amount": 0.1}),
        lambda: audit.recent(0),
    ):
        with pytest.raises(InvalidRequest):
            change()
    assert audit.recent() == []


def _fill(ledger: Ledger) -> None:
    """A row in every table that is guarded."""
    clock = FakeClock(NOW)
    intents = Intents(ledger, clock)
    intents.prepare(new_intent("place", tag="t-1"), allow=lambda standing: None)
    intents.settle("place", IntentState.ACCEPTED, order_ids=["1"])
    body = {"key": RELIANCE, "side": Side.BUY, "quantity": 1, "from_product": "I", "to_product": "D"}
    intents.prepare(new_intent("convert", kind=IntentKind.CONVERT, body=body, tag=""), allow=lambda standing: None)
    Orders(ledger, clock).apply(book_order("1"), source="book")
    Trades(ledger, clock).add([trade()], "trades")


CHANGES = [
    "UPDATE audit SET actor = 'nobody'",
    "DELETE FROM audit",
    "INSERT OR REPLACE INTO audit SELECT * FROM audit LIMIT 1",
    "UPDATE order_events SET status = 'complete'",
    "DELETE FROM order_events",
    "INSERT OR REPLACE INTO order_events SELECT * FROM order_events LIMIT 1",
    "UPDATE order_intents SET body = '{}'",
    "UPDATE order_intents SET tag = NULL",
    "UPDATE order_intents SET actor = 'nobody'",
    "UPDATE order_intents SET state = 'UNKNOWN' WHERE state = 'ACCEPTED'",
    "DELETE FROM order_intents",
    "INSERT OR REPLACE INTO order_intents SELECT * FROM order_intents LIMIT 1",
    "DELETE FROM orders_v3",
    "INSERT OR REPLACE INTO orders_v3 SELECT * FROM orders_v3 LIMIT 1",
    "UPDATE trades SET quantity = quantity + 1",
    "UPDATE trades SET price = 0",
    "DELETE FROM trades",
    "INSERT OR REPLACE INTO trades SELECT * FROM trades LIMIT 1",
    "UPDATE position_conversions SET quantity = 0",
    "DELETE FROM position_conversions",
    "INSERT OR REPLACE INTO position_conversions SELECT * FROM position_conversions LIMIT 1",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_the_database_itself_refuses_to_change_or_lose_what_is_kept(
    ledger: Ledger, ledger_engine: str, statement: str
) -> None:
    _fill(ledger)
    if ledger_engine == SERVER and statement.startswith("INSERT OR REPLACE"):  # there, another way to lose all
        statement = f"TRUNCATE {statement.split()[4]} CASCADE"

    with pytest.raises(sa.exc.IntegrityError), ledger.write() as connection:
        connection.exec_driver_sql(statement)


def test_the_guards_are_those_that_a_check_looks_for(ledger: Ledger, ledger_engine: str) -> None:
    with ledger.read() as connection:
        if ledger_engine == SERVER:
            assert server_guards(connection) == wanted_guards()
            return
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()

    assert sorted(names) == sorted(f"{table}_{guard}" for table, guards in ALL_GUARDS.items() for guard in guards)


def test_an_act_is_rolled_back_with_what_it_tells_of(ledger: Ledger, audit: Audit) -> None:
    def refuse(_: object) -> None:
        raise KeyError("a fault in the caller's own check")

    with pytest.raises(KeyError):
        Intents(ledger, FakeClock(NOW)).prepare(new_intent(), allow=refuse)

    assert audit.recent() == []

"""The ledger's database is away, or slow: nothing is sent that could not be written down, what is known stays with its
age, and nothing has to be started anew."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.domain.errors import StorageError
from services.domain.intents import IntentState
from services.ledger.opening import open_ledger
from services.ledger.postgres import ServerLedger
from services.ledger.server_link import Waits
from tests.support.order_desk import ASHA, Bench, One, Seat, eventually
from tests.support.orders import a_request
from tests.support.postgres import PostgresServer, require_postgres


@pytest.fixture(scope="module")
def one_server() -> Iterator[PostgresServer]:
    with PostgresServer(require_postgres()) as made:
        yield made


@pytest.fixture
def server(one_server: PostgresServer) -> PostgresServer:
    one_server.stop(signal.SIGQUIT)  # whatever the test before has left
    return one_server.start()


@pytest.fixture
def bench(server: PostgresServer, tmp_path: Path) -> Iterator[Bench]:
    """A desk that has sent one order and asks the broker for all."""
    among = One()
    seat = Seat(among)
    seat.take()
    url = server.new_database()
    open_ledger(url, backups=tmp_path, now=datetime.now(UTC)).close()
    ledger = ServerLedger(url, waits=Waits(connect=2, ping=2.0, answer=3.0))
    made = Bench(tmp_path, ledger=ledger, together=seat)
    made.open()
    made.desk.place(a_request(), intent_id="before", actor=ASHA)
    made.pass_time(5)
    yield made
    made.close()


def _is_back(bench: Bench) -> bool:
    """Whether it is back is found out once a second."""
    try:
        bench.desk.kill_switch()
    except StorageError:
        return False
    return True


def test_without_the_database_no_order_leaves_and_what_is_known_stays_with_its_age(
    server: PostgresServer, bench: Bench
) -> None:
    known = bench.desk.book()
    [order] = known.orders
    server.stop(signal.SIGQUIT)
    bench.broker.fill(order.order_id)

    with pytest.raises(StorageError, match="PostgreSQL"):
        bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    with pytest.raises(StorageError):
        bench.desk.refresh()
    away = bench.desk.book()
    server.start()
    eventually(lambda: _is_back(bench))
    bench.desk.refresh()
    again = bench.desk.place(a_request(), intent_id="one", actor=ASHA)

    assert bench.broker.sent("place") == 2, "the one of before, and the one of after"
    assert (away.orders, away.as_of) == (known.orders, known.as_of)
    assert away.error is not None
    assert "could not be kept" in away.error
    assert again.accepted
    assert not again.repeated
    assert bench.desk.book().error is None
    assert bench.desk.book().orders[-1].filled_quantity == order.quantity


def test_a_desk_that_starts_without_the_database_says_why_it_sends_nothing_and_opens_by_itself(
    server: PostgresServer, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.orders.kit.FIRST_PASS_SECONDS", 0.1)
    server.stop(signal.SIGQUIT)
    bench.restart().start()
    eventually(lambda: "PostgreSQL" in bench.desk.ready())
    with pytest.raises(StorageError, match="PostgreSQL"):
        bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    server.start()
    eventually(lambda: bench.desk.ready() == "")

    assert bench.desk.place(a_request(), intent_id="one", actor=ASHA).accepted


def test_the_thread_says_that_the_book_is_old_and_why_and_goes_on_by_itself(
    server: PostgresServer, bench: Bench
) -> None:
    server.stop(signal.SIGQUIT)
    bench.desk.start()
    eventually(lambda: "PostgreSQL" in (bench.desk.book().error or "") and "PostgreSQL" in bench.desk.ready())
    away, ready = bench.desk.book(), bench.desk.ready()
    server.start()
    eventually(lambda: bench.desk.book().error is None and bench.desk.ready() == "")

    assert len(away.orders) == 1
    assert away.as_of is not None
    assert "nothing is sent" in ready
    assert "PostgreSQL" in ready


def test_a_database_that_goes_while_the_order_is_on_its_way_does_not_hide_what_came_of_it(
    server: PostgresServer, bench: Bench
) -> None:
    bench.broker.meanwhile = lambda operation: server.stop(signal.SIGQUIT) if operation == "place" else None

    told = bench.desk.place(a_request(), intent_id="one", actor=ASHA)
    bench.broker.meanwhile = lambda operation: None
    server.start()
    eventually(lambda: _is_back(bench))
    left = bench.intent("one").state
    bench.pass_time(5)

    assert told.accepted
    assert "could not write this down" in told.reason
    assert left is IntentState.PREPARED
    assert bench.intent("one").state is IntentState.ACCEPTED
    assert bench.intent("one").order_ids == told.order_ids
    assert bench.desk.place(a_request(), intent_id="one", actor=ASHA).repeated
    assert bench.broker.sent("place") == 2


def test_a_database_that_stands_still_holds_nobody_up_for_ever(server: PostgresServer, bench: Bench) -> None:
    server.pause()
    try:
        with pytest.raises(StorageError):
            bench.desk.place(a_request(), intent_id="one", actor=ASHA)
        view = bench.desk.book()
    finally:
        server.wake()

    assert len(view.orders) == 1
    assert bench.broker.sent("place") == 1
    eventually(lambda: _is_back(bench))
    assert bench.desk.place(a_request(), intent_id="one", actor=ASHA).accepted
    assert bench.broker.sent("place") == 2

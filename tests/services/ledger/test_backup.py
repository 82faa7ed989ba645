"""A copy is a copy, while orders go out; what is restored equals it; what is damaged is said."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from services.domain.errors import ConfigurationError, DataFolderTooNew, StorageError
from services.domain.intents import IntentKind, IntentState
from services.domain.orders import Side
from services.ledger.backup import back_up_ledger, check, restore
from services.ledger.engine import Ledger
from services.ledger.figures import figures_of
from services.ledger.intents import Intents
from services.ledger.orders import Orders
from services.ledger.trades import Trades
from services.ledger.upgrade import HEAD
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, RELIANCE, book_order, new_intent, new_ledger, trade

FILES_ONLY = True

CLOCK = FakeClock(NOW)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        _trade(made, 1, 4)
        yield made


def _trade(ledger: Ledger, first: int, last: int) -> None:
    intents, orders, trades = Intents(ledger, CLOCK), Orders(ledger, CLOCK), Trades(ledger, CLOCK)
    for n in range(first, last):
        intents.prepare(new_intent(f"i{n}", tag=f"t{n}"), allow=lambda met: None)
        intents.settle(f"i{n}", IntentState.ACCEPTED, order_ids=[str(n)])
        orders.apply(book_order(str(n), tag=f"t{n}", filled_quantity=10, status="complete"), source="book")
        trades.add([trade(str(n), order_id=str(n), price=Decimal("0.0025"))], "trades")


def _change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_copy_equals_the_ledger_to_the_last_row_and_is_for_its_owner_only(ledger: Ledger, tmp_path: Path) -> None:
    copy = back_up_ledger(ledger.path, tmp_path / "copies", now=NOW)

    assert copy.path == tmp_path / "copies" / "ledger-backup-20261120T041500Z.db"
    assert copy.figures == check(ledger.path).figures == check(copy.path).figures
    assert copy.figures.revision == HEAD
    assert (copy.figures.counts["orders_v3"], copy.figures.counts["trades"], copy.figures.counts["audit"]) == (3, 3, 6)
    assert (copy.figures.filled, copy.figures.traded, copy.figures.turnover) == (30, 30, Decimal("0.075"))
    assert "for ₹0.0750" in copy.figures.in_words()
    assert os.listdir(copy.path.parent) == [copy.path.name], "one file, complete by itself"  # noqa: PTH208
    if os.name == "posix":
        assert copy.path.stat().st_mode & 0o777 == 0o600
    again = back_up_ledger(ledger.path, tmp_path / "copies", now=NOW)
    assert again.path.name == "ledger-backup-20261120T041500Z-2.db"


def test_a_copy_is_of_one_instant_while_orders_go_out_and_nobody_waits_for_it(ledger: Ledger, tmp_path: Path) -> None:
    stop, numbers = threading.Event(), iter(range(1000, 100_000))
    failed: list[BaseException] = []

    def go_on() -> None:
        try:
            while not stop.is_set():
                number = next(numbers)
                _trade(ledger, number, number + 1)
        except BaseException as error:  # noqa: BLE001  # told below
            failed.append(error)

    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        copies = [back_up_ledger(ledger.path, tmp_path / "copies", now=NOW) for _ in range(5)]
    finally:
        stop.set()
        writer.join(30)

    assert not failed
    for copy in copies:
        assert check(copy.path) == copy
        counts = copy.figures.counts
        assert counts["trades"] <= counts["orders_v3"] <= counts["order_intents"] <= counts["trades"] + 1


def test_a_restored_ledger_equals_the_copy_and_what_was_there_is_kept(ledger: Ledger, tmp_path: Path) -> None:
    copy = back_up_ledger(ledger.path, tmp_path / "copies", now=NOW)
    _trade(ledger, 4, 6)
    later = check(ledger.path).figures

    done = restore(copy.path, ledger.path, tmp_path / "copies", now=NOW)

    assert done.now.figures == copy.figures
    assert done.before is not None
    assert done.before.name == "ledger-before-restore-20261120T041500Z.db"
    assert check(done.before).figures == later
    assert Trades(ledger, CLOCK).count() == 3, "whoever has it open sees what was restored"
    _trade(ledger, 6, 7)
    assert check(ledger.path).trouble == ()


def test_a_copy_makes_a_ledger_where_there_is_none(ledger: Ledger, tmp_path: Path) -> None:
    copy = back_up_ledger(ledger.path, tmp_path / "copies", now=NOW)
    target = tmp_path / "new" / "folder" / "ledger.db"

    done = restore(copy.path, target, tmp_path / "copies", now=NOW)

    assert (done.before, done.now.figures) == (None, copy.figures)
    assert [path.name for path in target.parent.iterdir()] == ["ledger.db"]
    with closing(new_ledger(target.parent)) as opened:
        assert Orders(opened, CLOCK).get("1") is not None


def _scribble(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 4)


def test_a_damaged_ledger_is_moved_aside_and_replaced(ledger: Ledger, tmp_path: Path) -> None:
    copy = back_up_ledger(ledger.path, tmp_path / "copies", now=NOW)
    ledger.close()
    _scribble(ledger.path)
    with pytest.raises(StorageError, match="damaged"):
        check(ledger.path)

    done = restore(copy.path, ledger.path, tmp_path / "copies", now=NOW)

    assert done.before == tmp_path / "ledger.db.damaged-20261120T041500Z"
    assert done.before.is_file()
    assert done.now.figures == copy.figures


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_scribble, "damaged|malformed"),
        (lambda path: path.write_bytes(b"nonsense" * 1000), "damaged"),
        (lambda path: path.unlink(), "no ledger at"),
        (lambda path: _change(path, "DROP TRIGGER audit_update"), "audit has lost its guards"),
        (lambda path: _change(path, "DROP TRIGGER order_events_delete", "DELETE FROM order_events WHERE number = 2"),
         "orders without an event: 2"),
        (lambda path: _change(path, "UPDATE orders_v3 SET filled_quantity = 11 WHERE order_id = '3'"),
         "filled beyond their quantity: 3"),
        (lambda path: _change(path, "DROP TRIGGER orders_v3_delete", "DELETE FROM orders_v3 WHERE order_id = '1'"),
         "points to a row of orders_v3"),
        (lambda path: _change(path, "DROP TRIGGER audit_delete", "DELETE FROM audit WHERE intent_id = 'i2'"),
         "audit does not know: i2"),
        (lambda path: _change(path, "DROP TABLE alembic_version"), "no ledger"),
    ],
)  # fmt: skip
def test_a_copy_that_is_not_sound_is_not_restored(
    ledger: Ledger, tmp_path: Path, damage: Callable[[Path], object], words: str
) -> None:
    copy = back_up_ledger(ledger.path, tmp_path / "copies", now=NOW).path
    damage(copy)
    before = check(ledger.path)

    with pytest.raises(StorageError, match=words):
        restore(copy, ledger.path, tmp_path / "copies", now=NOW)

    assert check(ledger.path) == before
    assert not list((tmp_path / "copies").glob("*before-restore*"))


def test_a_ledger_that_is_not_sound_is_not_copied(ledger: Ledger, tmp_path: Path) -> None:
    _change(ledger.path, "UPDATE orders_v3 SET filled_quantity = 11")

    with pytest.raises(StorageError, match="beyond their quantity"):
        back_up_ledger(ledger.path, tmp_path / "copies", now=NOW)

    assert list((tmp_path / "copies").iterdir()) == []
    with pytest.raises(StorageError, match="no ledger at"):
        back_up_ledger(tmp_path / "nowhere.db", tmp_path / "other", now=NOW)
    assert not (tmp_path / "other").exists()


def test_a_copy_of_a_newer_desk_and_the_ledger_itself_are_refused(ledger: Ledger, tmp_path: Path) -> None:
    copy = back_up_ledger(ledger.path, tmp_path / "copies", now=NOW).path
    _change(copy, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(DataFolderTooNew, match="9999"):
        restore(copy, ledger.path, tmp_path / "copies", now=NOW)
    with pytest.raises(ConfigurationError, match="itself"):
        restore(ledger.path, ledger.path, tmp_path / "copies", now=NOW)


def test_one_letter_makes_other_figures(ledger: Ledger, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    shutil.copy(back_up_ledger(ledger.path, tmp_path / "copies", now=NOW).path, other)
    before = check(other).figures
    _change(other, "UPDATE order_intents SET reason = 'x' WHERE id = 1")

    after = check(other).figures

    assert after != before
    assert replace(after, digests=before.digests) == before


def test_sums_beyond_64_bits_are_exact() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE trades (quantity INTEGER, price INTEGER)")
        connection.executemany("INSERT INTO trades VALUES (?, ?)", [(10**9, 10**12)] * 10)

        assert figures_of(connection).turnover == 10 ** (22 - 4)


def test_a_conversion_belongs_to_the_figures(ledger: Ledger) -> None:
    body = {"key": RELIANCE, "side": Side.BUY, "quantity": 1, "from_product": "I", "to_product": "D"}
    Intents(ledger, CLOCK).prepare(new_intent("c", kind=IntentKind.CONVERT, body=body, tag=""), allow=lambda met: None)

    found = check(ledger.path)

    assert (found.trouble, found.figures.counts["position_conversions"]) == ((), 1)

"""The tables of profit and loss: an older ledger gets them with its data, and the database guards them itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from services.ledger.backup import back_up_ledger, check, restore
from services.ledger.engine import Ledger
from services.ledger.files import FileLedger
from services.ledger.opening import open_ledger
from services.ledger.pnl_tables import PNL_GUARDS, PNL_TABLES
from services.ledger.trades import Trades
from services.ledger.upgrade import HEAD, upgrade_ledger
from services.pnl.actions import Actions
from services.pnl.imports import Imports
from services.portfolio.lots.actions import Rename
from services.portfolio.readers.tradebooks import write_ours
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, TRADER, new_ledger, trade
from tests.support.lots import FIRST, fill

FILES_ONLY = True

CLOCK = FakeClock(NOW)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        imports = Imports(made, CLOCK, account=lambda: "A")
        data = write_ours([fill("BUY", 5, "100", n) for n in range(3)]).encode()
        imports.commit(imports.preview(data, "trades.csv"), TRADER)
        Actions(made, CLOCK).add(Rename("A", FIRST, "B"), TRADER)
        yield made


def test_a_ledger_of_orders_is_copied_and_gets_the_tables_with_its_orders_kept(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(FileLedger(path)) as old:
        upgrade_ledger(old, backups=tmp_path / "backups", now=NOW, head="0002")
        with old.write() as connection:
            connection.exec_driver_sql(
                "INSERT INTO trades (day, segment, trade_id, side, key, quantity, price, product, exchange, symbol, "
                "order_type, exchange_order_id, reference_id, source, recorded_at) VALUES ('2026-11-19', 'NSE_EQ', "
                "'7', 'BUY', 'NSE_EQ|INE002A01018', 10, 12344500, 'D', 'NSE', 'RELIANCE', 'LIMIT', '', '', 'trades', "
                "'2026-11-19 04:00:00.000000')"
            )
    assert check(path).trouble == ()

    with closing(open_ledger(path, backups=tmp_path / "backups", now=NOW)) as ledger:
        (kept,) = Trades(ledger, CLOCK).of_day(NOW.date() - timedelta(days=1))
        assert (kept.trade_id, kept.quantity, kept.account) == ("7", 10, "")
        assert Imports(ledger, CLOCK, account=lambda: "A").fills() == []

    (copy,) = (tmp_path / "backups").iterdir()
    assert copy.name.startswith("ledger-v0002-")
    assert (check(path).figures.revision, check(path).trouble) == (HEAD, ())
    assert (check(copy).figures.revision, check(copy).trouble) == ("0002", ())
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError, match="stays what it was"):
        connection.execute("UPDATE trades SET price = 1")


def test_a_trade_gets_its_account_once_and_nobody_else_takes_it(ledger: Ledger) -> None:
    trades = Trades(ledger, CLOCK)
    trades.add([trade("1"), trade("2")], "trades", "UP1/1")
    assert [one.account for one in trades.of_day(NOW.date())] == ["UP1/1", "UP1/1"]
    trades.add([trade("3")], "trades")

    assert trades.add([trade("1"), trade("3")], "history", "UP1/2") == 0

    assert {one.trade_id: one.account for one in trades.of_day(NOW.date())} == {
        "1": "UP1/1",
        "2": "UP1/1",
        "3": "UP1/2",
    }


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE imported_files SET taken = 2", "stays as it was"),
        ("UPDATE imported_files SET state = 'arriving'", "stays as it was"),
        ("DELETE FROM imported_files", "kept in the record"),
        ("INSERT OR REPLACE INTO imported_files SELECT * FROM imported_files", "UNIQUE"),
        ("UPDATE imported_fills SET price = 1", "stay as they were"),
        ("DELETE FROM imported_fills WHERE number = 1", "go with the file"),
        ("INSERT OR REPLACE INTO imported_fills SELECT * FROM imported_fills", "UNIQUE"),
        ("UPDATE corporate_actions SET new = 9", "taken back and entered anew"),
        ("INSERT OR REPLACE INTO corporate_actions SELECT * FROM corporate_actions", "UNIQUE"),
    ],
)
def test_the_database_refuses_to_change_what_was_imported_or_entered(
    ledger: Ledger, statement: str, words: str
) -> None:
    with (
        closing(sqlite3.connect(ledger.path, isolation_level=None)) as connection,
        pytest.raises(sqlite3.IntegrityError, match=words),
    ):
        connection.execute(statement)


def test_what_is_gone_does_not_come_back(ledger: Ledger) -> None:
    Imports(ledger, CLOCK, account=lambda: "A").remove(1, TRADER)

    with (
        closing(sqlite3.connect(ledger.path, isolation_level=None)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="stays as it was"),
    ):
        connection.execute("UPDATE imported_files SET state = 'here'")


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["DROP TRIGGER imported_fills_delete"], "imported_fills has lost its guards"),
        (["DROP TRIGGER imported_fills_delete", "DELETE FROM imported_fills WHERE number = 1"], "rows are missing: 1"),
        (["DROP TABLE journal_tags"], "the table journal_tags is missing"),
        (["DROP TRIGGER audit_delete", "DELETE FROM audit"], "imported files that the audit does not know: 1"),
        (["DROP TRIGGER audit_delete", "DELETE FROM audit"], "corporate actions that the audit does not know: 1"),
    ],
)
def test_a_look_over_tells_what_is_wrong_with_them(ledger: Ledger, statements: list[str], words: str) -> None:
    with closing(sqlite3.connect(ledger.path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)

    assert any(words in one for one in check(ledger.path).trouble)


def test_a_copy_holds_them_and_brings_them_back(ledger: Ledger, tmp_path: Path) -> None:
    imports = Imports(ledger, CLOCK, account=lambda: "A")
    fills = imports.fills()
    copy = back_up_ledger(ledger.path, tmp_path / "copies", now=NOW)
    assert (copy.figures.counts["imported_fills"], copy.figures.counts["corporate_actions"]) == (3, 1)
    assert "3 imported_fills" in copy.figures.in_words()
    imports.remove(1, TRADER)

    restore(copy.path, ledger.path, tmp_path / "copies", now=NOW)

    assert imports.fills() == fills


def test_every_guard_and_table_is_where_the_program_expects_it(ledger: Ledger) -> None:
    with closing(sqlite3.connect(ledger.path)) as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}

    assert {f"{table}_{guard}" for table, guards in PNL_GUARDS.items() for guard in guards} <= names
    assert set(PNL_TABLES) <= names


QUERIES = (
    "SELECT * FROM imported_files WHERE state = 'here' AND account = 'A' AND digest = 'd'",
    "SELECT r.* FROM imported_files f CROSS JOIN imported_fills r ON r.file_id = f.id WHERE f.state = 'here' "
    "ORDER BY f.id, r.number",
    "SELECT * FROM corporate_actions WHERE instrument = 'A' AND day = '2026-01-01'",
    "SELECT trade_id FROM journal_tags WHERE tag = 'a'",
    "SELECT * FROM pnl_reports WHERE account = 'A' AND segment = 'EQ' AND financial_year = '2627' "
    "AND closed_on BETWEEN '2026-04-01' AND '2026-05-01'",
    "SELECT * FROM trade_charges WHERE trade_id = '1'",
    "SELECT * FROM trade_charges WHERE account = 'A'",
    "SELECT * FROM charge_rates WHERE line = 'a' AND kind = 'b' AND exchange = '' AND side = '' AND rate_group = '' "
    "AND since = '2026-01-01'",
)


@pytest.mark.parametrize("query", QUERIES)
def test_every_question_has_its_index(ledger: Ledger, query: str) -> None:
    with ledger.read() as connection:
        plan = [str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]

    assert plan
    assert not [step for step in plan if "SCAN" in step or "TEMP B-TREE" in step], plan

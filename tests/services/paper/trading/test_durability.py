"""What was told is in the file, whatever becomes of the process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.domain.errors import StorageError
from services.domain.orders import is_terminal
from services.paper.accounts import FILE, VERSION, AccountBook
from services.paper.trading.store import TradingStore
from services.paper.trading.values import rupees
from tests.checks import stage_environment
from tests.support.shared_data import ROOT
from tests.support.trading import CALL, PLAIN, Account
from tests.support.trading_process import INSTANT

VERSION_1 = """
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE account (user_id TEXT PRIMARY KEY, user_name TEXT NOT NULL, email TEXT NOT NULL,
                      opening_paise INTEGER NOT NULL, used_paise INTEGER NOT NULL);
CREATE TABLE apps (client_id TEXT PRIMARY KEY, secret_digest BLOB NOT NULL);
CREATE TABLE revoked_tokens (token_id TEXT PRIMARY KEY, expires_at_ms INTEGER NOT NULL);
INSERT INTO secrets VALUES ('signing', x'00112233');
INSERT INTO account VALUES ('PAPER1', 'PAPER TRADER', 'paper.trader@example.com', 1000000000, 0);
PRAGMA user_version=1;
"""


def _killed(folder: Path, seed: int, lines: int) -> list[dict[str, list[Any]]]:
    """Let a process trade, kill it after so many lines, and tell what it had said."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.trading_process", str(folder), str(seed)],
        cwd=ROOT,
        env=stage_environment({"PYTHONPATH": str(ROOT), "PATH": ""}),
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    said = [child.stdout.readline() for _ in range(lines)]
    os.kill(child.pid, signal.SIGKILL)
    rest = child.stdout.read()  # not `communicate`, which passes over what this reader has taken from the pipe already
    child.stdout.close()
    child.wait(60)
    whole = [line for line in (*said, *rest.splitlines(keepends=True)) if line.endswith(b"\n")]
    assert len(whole) >= lines
    return [json.loads(line) for line in whole]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="a kill that nobody can catch is POSIX")
def test_a_killed_broker_comes_back_with_everything_that_it_told_and_nothing_by_halves(tmp_path: Path) -> None:
    told: dict[str, list[Any]] = {}
    for seed, lines in ((1, 7), (2, 23), (3, 41)):
        for line in _killed(tmp_path, seed, lines):
            # An order id is never given twice, not even after a crash.
            assert not {order_id for order_id in line if order_id in told}
            told.update(line)

    account = Account(tmp_path, INSTANT)

    account.check()
    known = {order.order_id: order for order in account.desk.orders()}
    for order_id, (status, filled) in told.items():
        order = known[order_id]
        assert order.filled >= filled
        if is_terminal(status):
            assert (order.status, order.filled) == (status, filled)
    trades = account.desk.trades()
    assert len({fill.trade_id for fill in trades}) == len(trades) > 10
    assert len({order.exchange_id for order in known.values() if order.exchange_id}) == len(
        [order for order in known.values() if order.exchange_id]
    )
    account.close()


class Camera:
    """A connection that keeps a copy of the account's files as they are after each statement."""

    def __init__(self, db: sqlite3.Connection, folder: Path, album: Path) -> None:
        self._db = db
        self._folder = folder
        self._album = album
        self.taken: list[Path] = []

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        found = self._db.execute(statement, values)
        if not statement.startswith("SELECT"):
            self._take()
        return found

    def executemany(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        self._db.executemany(statement, rows)
        self._take()

    def close(self) -> None:
        self._db.close()

    def _take(self) -> None:
        self.taken.append(self._album / str(len(self.taken)))
        shutil.copytree(self._folder, self.taken[-1])


@pytest.mark.skipif(os.name != "posix", reason="open files cannot be copied elsewhere")
def test_whenever_the_process_is_killed_in_the_middle_of_fills_the_file_holds_a_whole_account(tmp_path: Path) -> None:
    (tmp_path / "account").mkdir()
    account = Account(tmp_path / "account")
    account.buy(40, 99.0)
    account.buy(40, 98.0)
    account.sell(20, product="I")
    before = account.desk.orders(), account.desk.trades(), account.desk.positions()
    camera = Camera(account._store._db, tmp_path / "account", tmp_path / "album")
    account._store._db = camera  # type: ignore[assignment]
    account.market.set(PLAIN, 98.0, asks=[(97.9, 60)])  # both rest there, the second is filled in part

    account.go("1")

    after = account.desk.orders(), account.desk.trades(), account.desk.positions()
    assert len(after[1]) == len(before[1]) + 2
    found = []
    for copy in camera.taken:
        killed = Account(copy)
        told = killed.desk._state
        found.append((list(told.orders.values()), told.fills, list(told.positions.values())))
        killed.check()
        killed.close()
    assert len(found) > 6
    assert found == [before] * (len(found) - 1) + [after]
    account.close()


def test_the_same_account_is_there_after_a_restart(tmp_path: Path) -> None:
    account = Account(tmp_path)
    account.buy(10)
    account.buy(65, key=CALL, product="I")
    account.buy(100, 99.0)
    account.market.set(PLAIN, 99.0, asks=[(99.0, 40)])
    account.go("1")
    before = account.desk.orders(), account.desk.trades(), account.desk.positions(), account.desk.funds()

    again = account.reopen()

    assert (again.orders(), again.trades(), again.positions(), again.funds()) == before
    account.check()
    account.close()


def test_a_file_of_the_first_version_is_upgraded_and_opens_a_whole_account(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / FILE)
    old.executescript(VERSION_1)
    old.close()

    account = Account(tmp_path)

    assert rupees(account.desk.funds().available) == 1_000_000
    assert account.buy(1).status == "complete"
    account.close()
    book = AccountBook(tmp_path)
    assert book.signing_secret() == bytes.fromhex("00112233")
    book.close()
    file = sqlite3.connect(tmp_path / FILE)
    assert file.execute("PRAGMA user_version").fetchone() == (VERSION,)
    file.close()


def test_what_cannot_be_written_has_not_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(tmp_path)
    order = account.buy(10, 90.0)
    before = account.desk.orders(), account.desk.funds()
    account.published.clear()

    def fails(self: TradingStore, work: object) -> None:
        raise StorageError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(TradingStore, "save", fails)
        with pytest.raises(StorageError):
            account.buy(10)
        with pytest.raises(StorageError):
            account.desk.cancel(order.order_id)

    assert (account.desk.orders(), account.desk.funds()) == before
    assert account.published == []
    assert account.desk.cancel(order.order_id).status == "cancelled"
    account.check()
    account.close()


def test_a_reset_puts_the_old_account_away_and_begins_anew(tmp_path: Path) -> None:
    account = Account(tmp_path)
    first = account.buy(10)
    account.buy(10, 90.0)

    archive = account.desk.reset(5_00_000_00)

    assert (archive.number, archive.orders, archive.trades, rupees(archive.opening)) == (1, 2, 1, 1_000_000)
    assert account.desk.archives() == [archive]
    assert (account.desk.orders(), account.desk.positions(), account.desk.trades()) == ([], [], [])
    assert rupees(account.desk.funds().available) == 500_000
    account.reopen()
    second = account.buy(10)
    assert second.order_id > first.order_id
    assert second.status == "complete"
    account.check()
    account.close()


def test_a_file_that_takes_the_place_of_another_tells_none_of_its_ids(tmp_path: Path) -> None:
    told: list[str] = []
    for folder, instant in (("damaged", "2026-11-20 11:15:00"), ("fresh", "2026-11-20 11:16:00")):
        (tmp_path / folder).mkdir()
        account = Account(tmp_path / folder, instant)
        account.buy(5)
        account.buy(5)
        told += [order.order_id for order in account.desk.orders()]
        told += [trade.trade_id for trade in account.desk.trades()]
        account.close()

    assert len(told) == len(set(told)) == 8

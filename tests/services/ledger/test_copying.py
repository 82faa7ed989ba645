"""A ledger moves from a file into PostgreSQL whole, row by row the same, or not at all."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from services.__main__ import main
from services.domain.errors import ConfigurationError, StorageError
from services.domain.intents import IntentKind, IntentState
from services.domain.orders import Side
from services.ledger.alerts import Alerts
from services.ledger.audit import Audit
from services.ledger.backup import check
from services.ledger.copying import copy_ledger
from services.ledger.intents import Intents
from services.ledger.opening import open_ledger
from services.ledger.orders import Orders
from services.ledger.server_figures import TABLES, plain_rows, server_figures, server_trouble
from services.ledger.trades import Trades
from services.ledger.upgrade import HEAD
from services.ledger.users import Users
from services.ledger.watchlists import Watchlists
from services.pnl.actions import Actions
from services.pnl.imports import Imports
from services.portfolio.lots.actions import Rename
from services.portfolio.readers.tradebooks import write_ours
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, RELIANCE, TRADER, book_order, new_intent, new_ledger, trade
from tests.support.lots import FIRST, fill
from tests.support.postgres import server_of_worker
from tests.support.programs import finish, start

FILES_ONLY = True
"""Not parametrised: it needs both engines at once."""

CLOCK = FakeClock(NOW)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A ledger with a row in most tables, one of them deleted again."""
    with closing(new_ledger(tmp_path)) as ledger:
        intents = Intents(ledger, CLOCK)
        intents.prepare(new_intent("place", tag="t-1", before={"note": "ü ✓ \u2028 \\ \t"}), allow=lambda met: None)
        intents.settle("place", IntentState.ACCEPTED, order_ids=["1"])
        body = {"key": RELIANCE, "side": Side.BUY, "quantity": 1, "from_product": "I", "to_product": "D"}
        intents.prepare(new_intent("convert", kind=IntentKind.CONVERT, body=body, tag=""), allow=lambda met: None)
        Orders(ledger, CLOCK).apply(book_order("1", symbol="Ä" * 200), source="book", raw={"b": 1, "a": [1.5, None]})
        Trades(ledger, CLOCK).add([trade(), trade("50091503")], "trades")
        Alerts(ledger, CLOCK).raise_alert("stale", "no\tticks\nat all", context={"seconds": 12.25})
        lists = Watchlists(ledger, CLOCK)
        lists.create("Mine", [RELIANCE])
        lists.delete(lists.create("Gone").id)
        imports = Imports(ledger, CLOCK, account=lambda: "A")
        data = write_ours([fill("BUY", 5, "100", n) for n in range(30)]).encode()
        imports.commit(imports.preview(data, "trades.csv"), TRADER)
        Actions(ledger, CLOCK).add(Rename("A", FIRST, "B"), TRADER)
        return ledger.path


@pytest.fixture
def empty() -> Iterator[str]:
    """The address of a database that holds nothing at all."""
    url = server_of_worker().new_database()
    yield url
    server_of_worker().drop(url)


def _tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def _copy(source: Path, url: str) -> None:
    copy_ledger(source, url, backups=source.parent / "backups", now=NOW)


def test_every_row_arrives_as_it_was_and_the_file_stays(source: Path, empty: str) -> None:
    before = check(source).figures

    copied = copy_ledger(source, empty, backups=source.parent, now=NOW)

    assert check(source).figures == before
    assert (copied.figures.filled, copied.figures.traded) == (before.filled, before.traded)
    assert copied.figures.turnover == before.turnover
    counts = {name: count for name, count in before.counts.items() if name != "alembic_version"}
    assert copied.figures.counts == counts
    assert sum(counts.values()) > 40
    with (
        closing(open_ledger(source, backups=source.parent, now=NOW)) as old,
        closing(open_ledger(empty, backups=source.parent, now=NOW)) as new,
        old.read() as was,
        new.read() as now,
    ):
        for table in TABLES:
            assert list(plain_rows(was, table)) == list(plain_rows(now, table)), table.name
        assert server_trouble(now) == []


def test_the_moved_ledger_goes_on_and_gives_no_number_out_again(source: Path, empty: str) -> None:
    _copy(source, empty)

    with closing(open_ledger(empty, backups=source.parent, now=NOW)) as ledger:
        newest = Audit(ledger, CLOCK).recent(1)[0].number
        assert Audit(ledger, CLOCK).add(TRADER, "after").number == newest + 1
        assert Watchlists(ledger, CLOCK).create("Next").id == 3, "2 was somebody's, though it is gone"
        assert (
            Intents(ledger, CLOCK)
            .prepare(new_intent("place", tag="t-1", before={"note": "ü ✓ \u2028 \\ \t"}), allow=lambda met: None)
            .repeated
        )
        assert Users(ledger, CLOCK).all() == []


def test_a_fresh_ledger_that_nobody_wrote_to_may_be_the_target(source: Path, ledger_url: str) -> None:
    _copy(source, ledger_url)

    with closing(open_ledger(ledger_url, backups=source.parent, now=NOW)) as ledger:
        assert [one.name for one in Watchlists(ledger, CLOCK).all()] == ["Mine"]


def test_a_database_that_holds_anything_is_refused(source: Path, ledger_url: str, empty: str) -> None:
    with closing(open_ledger(ledger_url, backups=source.parent, now=NOW)) as ledger:
        Watchlists(ledger, CLOCK).create("Theirs")
        with pytest.raises(ConfigurationError, match=r"not empty \(there are rows in watchlists\)"):
            _copy(source, ledger_url)
        assert [one.name for one in Watchlists(ledger, CLOCK).all()] == ["Theirs"]

    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("CREATE TABLE strangers (id integer)")
    with pytest.raises(ConfigurationError, match="another program"):
        _copy(source, empty)
    assert _tables(empty) == {"strangers"}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE alerts SET raised_at = 'yesterday'", "alerts holds what cannot be read"),
        ("UPDATE alerts SET message = 'a' || char(0) || 'b'", "alerts, about row 1, cannot be kept"),
        ("UPDATE watchlists SET position = 'first'", "watchlists, about row 1, cannot be kept"),
        ("UPDATE orders_v3 SET filled_quantity = 11", "is not sound, nothing was copied"),
    ],
)
def test_what_cannot_be_kept_as_it_is_is_said_and_nothing_is_kept(
    source: Path, empty: str, damage: str, words: str
) -> None:
    with closing(sqlite3.connect(source, isolation_level=None)) as connection:
        connection.execute(damage)

    with pytest.raises(StorageError, match=words):
        _copy(source, empty)

    assert _tables(empty) == set()


def test_an_unequal_row_is_found(source: Path, empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proof that the comparison compares: somebody changes what was written."""
    from services.ledger import copying

    def spoil(reading: object, writing: object) -> None:
        writing.exec_driver_sql("UPDATE alerts SET message = message || '.'")  # type: ignore[attr-defined]

    monkeypatch.setattr(copying, "_set_counters", spoil)
    with pytest.raises(StorageError, match="row 1 of alerts is not the same"):
        _copy(source, empty)
    assert _tables(empty) == set()


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from services.ledger.copying import copy_ledger
    from tests.support.ledger import NOW

    def progress(words):
        if words == "keeping it":
            os.kill(os.getpid(), signal.SIGKILL)

    copy_ledger(Path(sys.argv[1]), sys.argv[2], backups=Path(sys.argv[1]).parent, now=NOW, progress=progress)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_a_kill_leaves_nothing_half_done_and_the_next_copy_goes_through(source: Path, empty: str) -> None:
    finish(start(KILLED, source, empty), code=-signal.SIGKILL)

    _copy(source, empty)
    with closing(open_ledger(empty, backups=source.parent, now=NOW)) as ledger, ledger.read() as connection:
        assert server_figures(connection).revision == HEAD


def test_the_command_copies_looks_over_and_says_whose_programs_make_backups(
    source: Path, empty: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["ledger", "copy", "--ledger", str(source)]) == 2
    assert "DESK_LEDGER_URL" in capsys.readouterr().err

    monkeypatch.setenv("DESK_LEDGER_URL", empty)
    assert main(["ledger", "copy", "--ledger", str(source)]) == 0
    assert "every row was compared" in capsys.readouterr().out
    assert main(["ledger", "copy", "--ledger", str(source)]) == 2
    assert "not empty" in capsys.readouterr().err

    data = ["--data-dir", str(source.parent)]
    assert main(["ledger", "check", *data]) == 0
    assert "sound: PostgreSQL database" in capsys.readouterr().out
    assert main(["ledger", "backup", *data]) == 2
    said = capsys.readouterr().err
    assert "pg_dump --format=custom" in said
    assert "hunter2" not in said
    assert main(["ledger", "check", "--ledger", str(source)]) == 0
    assert f"sound: {source}" in capsys.readouterr().out

    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("DROP TRIGGER audit_delete ON audit")
    assert main(["ledger", "check", *data]) == 1
    assert "the guard audit_delete is missing" in capsys.readouterr().out
    assert main(["burn"]) == 2
    assert main(["--help"]) == 0

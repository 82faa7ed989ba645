"""What is kept how long, and what goes when somebody says so: what is past its time, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.commands import backup, retention
from services.domain.clock import epoch_ms, ist_date
from services.ledger.backup import check
from services.runtime import Runtime
from services.runtime.feeds import RECORDINGS
from services.runtime.retention import Kept, apply, kept
from services.self_check import on_paper
from services.storage.health_history import HealthHistory
from services.storage.recordings import file_name
from tests.support.health_history import row

TIMED = {
    "errors": 30,
    "history of the desk's health": 7,
    "how quotes were found": 7,
    "connections of the feeds": 90,
    "ticks, packed": 30,
    "recordings of the feed": 30,
}
_ROWS = {
    "errors": "INSERT INTO error_log (at_ms, error_type, message, retry_count) VALUES (?, 'E', 'm', 0)",
    "how quotes were found": """
        INSERT INTO quote_metrics (at_ms, keys, memory_hits, db_hits, misses, api_calls) VALUES (?, 1, 1, 0, 0, 0)
    """,
    "connections of the feeds": """
        INSERT INTO websocket_metrics (feed, started_ms, seen_ms, reconnect, messages, ticks, bad_frames, dropped)
        VALUES ('market', ?1, ?1, 0, 0, 0, 0, 0)
    """,
}


@pytest.fixture
def paper() -> Iterator[Runtime]:
    with on_paper() as runtime:
        yield runtime


def by_name(runtime: Runtime) -> dict[str, Kept]:
    return {one.what: one for one in kept(runtime)}


def test_only_what_is_past_its_time_goes_and_only_when_told(
    paper: Runtime, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = paper.clock.now()
    paper.watchlists.create("Mine")
    _fill(paper, now)
    assert backup.main(["--data-dir", str(paper.settings.data_dir)]) == 0
    ledger, others = check(paper.folder / "ledger.db").figures, _others(paper.folder)
    monkeypatch.setenv("DESK_DATA_DIR", str(paper.settings.data_dir))

    assert retention.main([]) == 0
    before = by_name(paper)
    assert retention.main(["apply"]) == 0
    after = by_name(paper)

    for what in TIMED:
        assert (before[what].amount.items, before[what].amount.past) == (2, 1), what
        assert (after[what].amount.items, after[what].amount.past) == (1, 0), what
    assert check(paper.folder / "ledger.db").figures == ledger
    assert _others(paper.folder) == others
    assert after["copies that somebody made"].amount.items == 1
    said = capsys.readouterr()
    assert "errors: 2 before, 1 now" in said.err
    assert "python -m services retention apply" in said.err


def test_recordings_stay_while_one_of_them_is_replayed(paper: Runtime) -> None:
    _fill(paper, paper.clock.now())
    replayed = paper.settings.model_copy(
        update={"paper_prices": f"replay:{paper.folder / RECORDINGS / 'feed-2020-01-01.rec'}"}
    )

    with Runtime(replayed) as guest:
        apply(guest)
        told = by_name(guest)

    assert (told["recordings of the feed"].amount.items, told["recordings of the feed"].goes) == (2, False)
    assert told["errors"].amount.items == 1


def _fill(runtime: Runtime, now: datetime) -> None:
    """One of each that may stay, and one that is a day past its time."""
    folder = runtime.folder / RECORDINGS
    folder.mkdir()
    for what, days in TIMED.items():
        for at in (now - timedelta(hours=1), now - timedelta(days=days + 1)):
            if what == "ticks, packed":
                day = ist_date(at).isoformat()
                statement = "INSERT INTO packed_ticks (instrument, day, ticks, columns) VALUES (1, ?, 1, ?)"
                with runtime.market_pool.get_connection() as connection:
                    connection.execute(statement, (day, b"columns"))
            elif what == "recordings of the feed":
                (folder / file_name(ist_date(at))).write_bytes(b"frames")
            elif what in _ROWS:
                with runtime.market_pool.get_connection() as connection:
                    connection.execute(_ROWS[what], (epoch_ms(at),))
            else:
                HealthHistory(runtime.market_pool).add([row(epoch_ms(at), 10.0)])


def _others(folder: Path) -> dict[str, bytes]:
    """The files that nobody may lose, but for the ledger that is in use."""
    names = [*folder.glob("tokens.db"), *folder.glob("token.key"), *(folder / "backups").glob("*")]
    return {path.name: path.read_bytes() for path in names}

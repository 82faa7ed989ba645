"""`get_db_pool` as the guide uses it. Live mode, because it needs no broker to tell the time; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.database_pool import get_db_pool
from services.domain.errors import PoolClosed
from services.runtime import Runtime, use_runtime
from services.settings import load_settings


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    with Runtime(load_settings(data_dir=tmp_path, mode="live")) as made, use_runtime(made):
        yield made


@pytest.mark.usefixtures("runtime")
def test_the_guides_example_runs_on_a_new_folder() -> None:
    db_pool = get_db_pool("market_data.db", pool_size=5)

    with db_pool.get_connection() as conn:
        cursor = conn.cursor()
        cursor.execute("SELECT * FROM ohlc_data")
        results = cursor.fetchall()

    assert results == []


@pytest.mark.usefixtures("runtime")
def test_25_inserts_by_5_workers() -> None:
    pool = get_db_pool("inserts.db", pool_size=5)
    with pool.get_connection() as conn:
        conn.cursor().execute("CREATE TABLE inserted (worker INTEGER, number INTEGER)")

    def work(worker: int) -> None:
        for number in range(5):
            with get_db_pool("inserts.db").get_connection() as conn:
                conn.cursor().execute("INSERT INTO inserted VALUES (?, ?)", (worker, number))

    with ThreadPoolExecutor(5) as workers:
        list(workers.map(work, range(5)))

    with pool.get_connection() as conn:
        rows = conn.execute("SELECT worker, count(*) AS n FROM inserted GROUP BY worker").fetchall()
    assert [row["n"] for row in rows] == [5] * 5


def test_there_is_one_pool_per_file_and_relative_names_live_in_the_data_folder(
    runtime: Runtime, tmp_path: Path
) -> None:
    pool = get_db_pool()

    assert get_db_pool("market_data.db", 3) is pool
    assert get_db_pool(runtime.folder / "market_data.db") is pool
    assert pool.path == (runtime.folder / "market_data.db").resolve()
    assert get_db_pool(str(tmp_path / "other.db")) is not pool


@pytest.mark.usefixtures("runtime")
def test_a_pool_that_was_closed_is_made_anew() -> None:
    closed = get_db_pool()
    closed.close_all()

    with pytest.raises(PoolClosed), closed.get_connection():
        pass
    with get_db_pool().get_connection(timeout=1) as conn:
        assert conn.execute("SELECT count(*) AS n FROM ohlc_data").fetchone()["n"] == 0

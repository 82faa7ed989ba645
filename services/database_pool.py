"""Connections to the market file: fair, bounded in time, one transaction per block.

from services.database_pool import get_db_pool

with get_db_pool("market_data.db").get_connection() as conn:
    rows = conn.execute("SELECT * FROM ohlc_data").fetchall()
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

if __name__ == "__main__":  # run as a file, Python looks for `services` beside it and not where it is
    import sys

    sys.path[0] = str(Path(__file__).resolve().parents[1])

from services.runtime import get_runtime
from services.self_check import assure, main
from services.storage.pool import Pool

__all__ = ["Pool", "get_db_pool"]


def get_db_pool(db_path: str | Path = "market_data.db", pool_size: int = 5) -> Pool:
    """The pool of that file, one per file; a relative name lives in the data folder. The desk's tables are in it.

    `pool_size` counts when the file is opened for the first time. Raises `DataFolderTooNew`, `ConfigurationError` or
    `StorageError`, in plain words.
    """
    return get_runtime().pool(db_path, pool_size)


def check_itself() -> Iterator[str]:
    """25 inserts by 5 workers, in a file that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        pool = Pool(Path(folder) / "check.db")
        with pool.get_connection() as connection:
            connection.execute("CREATE TABLE checked (worker INTEGER, number INTEGER)")

        def insert_five(worker: int) -> None:
            for number in range(5):
                with pool.get_connection() as connection:
                    connection.execute("INSERT INTO checked VALUES (?, ?)", (worker, number))

        with ThreadPoolExecutor(5) as workers:
            list(workers.map(insert_five, range(5)))
        with pool.get_connection(write=False) as connection:
            count = connection.execute("SELECT count(*) AS rows FROM checked").fetchone()["rows"]
        pool.close_all()
    assure(count == 25, f"25 rows were written, {count} stored")
    yield f"25 inserts by 5 workers: {count} rows stored"


if __name__ == "__main__":
    main(check_itself)

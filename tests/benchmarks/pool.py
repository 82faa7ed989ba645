"""The pool against the usual way: connect, set up and close for every call; and a queue of connections with the
driver's deferred BEGIN. What the guide claims has a row each."""

from __future__ import annotations

import queue
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from services.storage.pool import Pool
from tests.benchmarks.table import Row
from tests.support.pool_load import CREATE, START, Checkout, Load, run_load

RUNS = 5
CALLS = 1000
THREADS = 32
SECONDS = 3.0


def run() -> list[Row]:
    """All rows; some 25 seconds."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        return [*_overhead(folder), *_locks(folder), *_inserts(folder)]


# -- what a connection costs ---------------------------------------------------------------------------------------


def _overhead(folder: Path) -> list[Row]:
    usual = _median_us(lambda: _read_usual(folder / "usual.db"), CALLS // 4)
    with closing(Pool(folder / "pooled.db")) as pool:
        reading = _median_us(lambda: _read_pooled(pool, write=False), CALLS)
        writing = _median_us(lambda: _read_pooled(pool, write=True), CALLS)
    return [
        _cheaper("a connection for one read", reading, usual, "peer: connect, 3 PRAGMAs, close per call"),
        _cheaper("a connection that may write", writing, usual, "the same, with BEGIN IMMEDIATE and COMMIT in ours"),
    ]


def _cheaper(name: str, ours: float, peer: float, note: str) -> Row:
    return Row(name, ours, peer, peer / ours, ">= 8x less", peer / ours >= 8, "us", note)


def _read_usual(path: Path) -> None:
    with closing(_connect(path)) as connection:
        connection.execute("SELECT 1").fetchone()


def _read_pooled(pool: Pool, *, write: bool) -> None:
    with pool.get_connection(write=write) as connection:
        connection.execute("SELECT 1").fetchone()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30.0, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA busy_timeout=30000")
    return connection


def _median_us(call: Callable[[], None], calls: int) -> float:
    call()
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        for _ in range(calls):
            call()
        times.append((time.perf_counter() - began) / calls * 1e6)
    return median(times)


# -- 32 threads that read and then write one row --------------------------------------------------------------------


def _locks(folder: Path) -> list[Row]:
    with closing(Pool(folder / "fair.db")) as pool:
        _prepare(pool.get_connection)
        fair = run_load(pool.get_connection, threads=THREADS, seconds=SECONDS)
    with closing(_QueuePool(folder / "queue.db")) as control:
        _prepare(control.get_connection)
        deferred = run_load(control.get_connection, threads=THREADS, seconds=SECONDS)
    exact = fair.total == fair.rounds
    fewer = 100.0 * (1 - fair.locked / deferred.locked) if deferred.locked else 0.0
    load = f"{THREADS} threads, {SECONDS:g} s"
    return [
        Row(
            "database is locked",
            fair.locked,
            deferred.locked,
            None,
            "0, control > 0",
            fair.locked == 0 and deferred.locked > 0,
            "times",
            f"{load}; peer: queue.Queue and deferred BEGIN",
        ),
        Row("read-then-write rounds", fair.rounds, deferred.rounds, _ratio(fair, deferred), "", None, "", load),
        Row(
            "sum in the file, short of the rounds",
            fair.rounds - fair.total,
            deferred.rounds - deferred.total,
            None,
            "0",
            exact,
            "",
            "updates that were lost",
        ),
        Row(
            "least : most served thread",
            fair.fairness,
            deferred.fairness,
            None,
            ">= 0.5",
            fair.fairness >= 0.5,
            "",
            "",
        ),
        Row(
            "worst wait for a connection",
            fair.worst_wait_seconds * 1000,
            deferred.worst_wait_seconds * 1000,
            None,
            "",
            None,
            "ms",
            f"99 of 100: {fair.p99_wait_seconds * 1000:.1f} ms",
        ),
        Row("guide: 95 % fewer database locks", fewer, 95, None, ">= 95", fewer >= 95, "%", "measured, claimed"),
    ]


def _ratio(ours: Load, peer: Load) -> float | None:
    return ours.rounds / peer.rounds if peer.rounds else None


def _prepare(checkout: Checkout) -> None:
    with checkout() as connection:
        connection.execute(CREATE)
        connection.execute(START)


class _QueuePool:
    """The usual pool: connections in a `queue.Queue`, transactions begun by the driver at the first write."""

    def __init__(self, path: Path, size: int = 5) -> None:
        self._free: queue.Queue[sqlite3.Connection] = queue.Queue()
        for _ in range(size):
            connection = _connect(path)
            connection.isolation_level = None
            self._free.put(connection)

    @contextmanager
    def get_connection(self) -> Iterator[sqlite3.Connection]:
        connection = self._free.get(timeout=30)
        try:
            connection.execute("BEGIN")  # deferred: a reader first, a writer when it is too late
            yield connection
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._free.put(connection)

    def close(self) -> None:
        while not self._free.empty():
            self._free.get().close()


# -- the guide's own check ------------------------------------------------------------------------------------------


def _inserts(folder: Path) -> list[Row]:
    times, stored = [], []
    for number in range(RUNS):
        with closing(Pool(folder / f"inserts-{number}.db")) as pool:
            with pool.get_connection() as connection:
                connection.execute("CREATE TABLE inserted (worker INTEGER, number INTEGER)")
            began = time.perf_counter()
            with ThreadPoolExecutor(5) as workers:
                list(workers.map(lambda worker, pool=pool: _insert_five(pool, worker), range(5)))
            times.append((time.perf_counter() - began) * 1000)
            with pool.get_connection(write=False) as connection:
                stored.append(connection.execute("SELECT count(*) FROM inserted").fetchone()[0])
    note = f"measured, claimed; {median(times):.1f} ms"
    return [Row("guide: 25 inserts by 5 workers", min(stored), 25, None, "25", min(stored) == 25, "rows", note)]


def _insert_five(pool: Pool, worker: int) -> None:
    for number in range(5):
        with pool.get_connection() as connection:
            connection.execute("INSERT INTO inserted VALUES (?, ?)", (worker, number))

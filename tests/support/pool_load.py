"""The load that a pool must bear: many threads, each reads a number and writes it back one higher."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import quantiles

CREATE = "CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY, total INTEGER NOT NULL)"
START = "INSERT INTO counter VALUES (1, 0)"
READ = "SELECT total FROM counter WHERE id = 1"
WRITE = "UPDATE counter SET total = ? WHERE id = 1"

Checkout = Callable[[], AbstractContextManager[sqlite3.Connection]]


@dataclass(frozen=True)
class Load:
    """What came of it. `served`: successful rounds per thread; `total`: the number that stands in the file."""

    served: Sequence[int]
    locked: int
    worst_wait_seconds: float
    p99_wait_seconds: float
    total: int

    @property
    def rounds(self) -> int:
        return sum(self.served)

    @property
    def fairness(self) -> float:
        """Least-served thread against the most-served one."""
        return min(self.served) / max(self.served) if max(self.served) else 0.0


def raise_counter(connection: sqlite3.Connection) -> None:
    """One round: read, then write."""
    total = connection.execute(READ).fetchone()[0]
    connection.execute(WRITE, (total + 1,))


def run_load(checkout: Checkout, *, threads: int, seconds: float) -> Load:
    """`threads` threads, started at once, go round for `seconds`. "database is locked" is counted, all else raises."""
    served, locked, waits = [0] * threads, [0] * threads, [[0.0] for _ in range(threads)]
    failures: list[BaseException] = []
    start, stop = threading.Barrier(threads + 1), threading.Event()

    def go_round(number: int) -> None:
        start.wait()
        while not stop.is_set():
            asked = time.perf_counter()
            try:
                with checkout() as connection:
                    waits[number].append(time.perf_counter() - asked)
                    raise_counter(connection)
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    failures.append(error)
                    return
                locked[number] += 1
            except BaseException as error:  # noqa: BLE001  # handed to the thread that asked for the load
                failures.append(error)
                return
            else:
                served[number] += 1

    workers = [threading.Thread(target=go_round, args=(n,), name=f"load-{n}") for n in range(threads)]
    for worker in workers:
        worker.start()
    start.wait()
    stop.wait(seconds)
    stop.set()
    for worker in workers:
        worker.join(60)
    if failures:
        raise failures[0]
    with checkout() as connection:
        total = connection.execute(READ).fetchone()[0]
    every = [wait for own in waits for wait in own]
    return Load(served, sum(locked), max(every), quantiles(every, n=100)[-1], total)

"""The tick store, held against the usual way: a table with key and time as text and an index on both, an `executemany`
for each batch. Same ticks, same transactions, same run."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from services.storage.pool import Pool
from services.storage.tick_packing import TickPacker
from services.storage.tick_rows import Batch
from services.storage.tick_store import TickStore
from services.storage.tick_writer import TickWriter
from tests.benchmarks.surroundings import as_the_desk_runs
from tests.benchmarks.table import Row
from tests.support.ticks import DAY, MIDNIGHT, a_market, open_pool

TURNS = 3
TICKS, BUSY_TICKS = 200_000, 10_000
PER_TRANSACTION = 10_000
"""What 50,000 ticks a second bring in 0.2 s."""
DAY_TICKS, DAY_KEYS = 300_000, 100
KEYS = [f"NSE_EQ|INE{number:06d}018" for number in range(2_000)]


def run() -> list[Row]:
    """All rows; some 20 seconds."""
    frames = a_market(KEYS, TICKS)
    with as_the_desk_runs(), TemporaryDirectory() as name:
        folder = Path(name)
        return [*_rates(folder, frames), *_busy(folder, frames[: BUSY_TICKS // 100]), *_a_day(folder)]


# -- writing -------------------------------------------------------------------------------------------------------


def _rates(folder: Path, frames: Sequence[Batch]) -> list[Row]:
    ours: list[tuple[float, int]] = []
    usual: list[tuple[float, int]] = []
    put: list[float] = []
    for turn in range(TURNS):
        ours.append(_ours(folder / f"ours-{turn}", frames, put))
        usual.append(_usual(folder / f"usual-{turn}", frames))
    rate, usual_rate = (TICKS / median(seconds for seconds, _ in runs) for runs in (ours, usual))
    size, usual_size = (median(size for _, size in runs) / TICKS for runs in (ours, usual))
    ratio, note = rate / usual_rate, "peer: key and time as text, indexed"
    load = f"{len(KEYS):,} instruments, {PER_TRANSACTION:,} ticks a transaction"
    return [
        Row("ticks stored", rate, usual_rate, ratio, ">= 5x", ratio >= 5, "/s", note),
        Row("a tick in the log", size, usual_size, usual_size / size, "<= 36", size <= 36, "bytes", load),
        Row("put of 100 ticks, on the feed's thread", median(put) * 1e6, None, None, "", None, "us", _worst(put)),
    ]


def _worst(seconds: list[float]) -> str:
    seconds.sort()
    return f"99 of 100: {seconds[len(seconds) * 99 // 100] * 1e6:.1f} us"


def _busy(folder: Path, frames: Sequence[Batch]) -> list[Row]:
    with _busy_thread():
        ours = [_ours(folder / f"busy-{turn}", frames, [])[0] for turn in range(TURNS)]
        usual = [_usual(folder / f"busy-usual-{turn}", frames)[0] for turn in range(2)]
    rate, usual_rate = BUSY_TICKS / median(ours), BUSY_TICKS / median(usual)
    note = "a row a statement waits for the interpreter each time"
    return [Row("ticks stored beside a busy thread", rate, usual_rate, rate / usual_rate, "", None, "/s", note)]


def _ours(folder: Path, frames: Sequence[Batch], put: list[float]) -> tuple[float, int]:
    """Seconds from the first `put` to the last commit, and bytes of the file."""
    folder.mkdir()
    with open_pool(folder) as pool:
        empty = _size(pool.path)
        with closing(TickWriter(pool, flush_seconds=3600)) as writer:  # flushed here, so that each side commits alike
            waiting, began = 0, time.perf_counter()
            for received_ms, ticks in frames:
                asked = time.perf_counter()
                writer.put(received_ms, ticks)
                put.append(time.perf_counter() - asked)
                waiting += len(ticks)
                if waiting >= PER_TRANSACTION:
                    waiting = 0
                    assert writer.flush()
            assert writer.flush()
            seconds = time.perf_counter() - began
        return seconds, _size(pool.path) - empty


def _usual(folder: Path, frames: Sequence[Batch]) -> tuple[float, int]:
    folder.mkdir()
    path = folder / "usual.db"
    with closing(_usual_file(path)) as connection:
        empty = _size(path)
        batch: list[tuple[object, ...]] = []
        began = time.perf_counter()
        for received_ms, ticks in frames:
            received = _text(received_ms)
            batch += [(key, received, price, _text(at), quantity, volume) for key, price, at, quantity, volume in ticks]
            if len(batch) >= PER_TRANSACTION:
                _insert_usual(connection, batch)
                batch = []
        _insert_usual(connection, batch)
        seconds = time.perf_counter() - began
        return seconds, _size(path) - empty


def _usual_file(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(
        "CREATE TABLE ticks (id INTEGER PRIMARY KEY, instrument_key TEXT NOT NULL, timestamp TEXT NOT NULL, ltp REAL, "
        "ltt TEXT, ltq INTEGER, volume INTEGER)"
    )
    connection.execute("CREATE INDEX ticks_by_key ON ticks (instrument_key, timestamp)")
    connection.commit()
    return connection


def _insert_usual(connection: sqlite3.Connection, batch: list[tuple[object, ...]]) -> None:
    connection.executemany(
        "INSERT INTO ticks (instrument_key, timestamp, ltp, ltt, ltq, volume) VALUES (?, ?, ?, ?, ?, ?)", batch
    )
    connection.commit()


def _text(at_ms: int | None) -> str:
    return datetime.fromtimestamp((at_ms or 0) / 1000, UTC).isoformat(timespec="milliseconds")


def _size(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size


@contextmanager
def _busy_thread() -> Iterator[None]:
    stop = threading.Event()

    def spin() -> None:
        while not stop.is_set():
            sum(range(1_000))

    thread = threading.Thread(target=spin, name="busy")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


# -- packing and reading ---------------------------------------------------------------------------------------------


def _a_day(folder: Path) -> list[Row]:
    (folder / "day").mkdir()
    frames = a_market(KEYS[:DAY_KEYS], DAY_TICKS, every_ms=6)
    with open_pool(folder / "day") as pool, closing(TickWriter(pool)) as writer:
        for received_ms, ticks in frames:
            writer.put(received_ms, ticks)
            if writer.stats().waiting > PER_TRANSACTION:
                assert writer.flush()
        assert writer.flush()
        log_ms = _read_ms(TickStore(pool))
        packed_seconds, waits = _pack_beside_a_writer(pool, writer)
        packed_ms = _read_ms(TickStore(pool))
        with pool.get_connection(write=False) as connection:
            size, ticks = connection.execute("SELECT sum(length(columns)), sum(ticks) FROM packed_ticks").fetchone()
    _usual(folder / "usual day", frames)
    usual_ms = _read_usual_ms(folder / "usual day" / "usual.db")
    each = f"one of {DAY_KEYS} instruments out of {DAY_TICKS:,} ticks"
    return [
        Row("a tick packed", size / ticks, None, None, "", None, "bytes", f"{ticks // DAY_KEYS:,} ticks a blob"),
        Row(
            "ticks packed and merged", DAY_TICKS / packed_seconds, None, None, "", None, "/s", "the log's rows deleted"
        ),
        Row("a flush meanwhile, the longest", max(waits) * 1000, None, None, "", None, "ms", _worst_ms(waits)),
        Row("a day read, packed", packed_ms, usual_ms, usual_ms / packed_ms, "", None, "ms", each),
        Row("a day read, from the log", log_ms, usual_ms, usual_ms / log_ms, "", None, "ms", "no index, so all of it"),
    ]


def _pack_beside_a_writer(pool: Pool, writer: TickWriter) -> tuple[float, list[float]]:
    """Seconds that packing takes while ticks of the next day come in, and how long their flushes take."""
    waits: list[float] = []
    stop = threading.Event()
    tomorrow = [(at_ms + 86_400_000, ticks) for at_ms, ticks in a_market(KEYS[:DAY_KEYS], 1_000, per_frame=50)]

    def go_on() -> None:
        while not stop.wait(0.02):
            for received_ms, ticks in tomorrow:
                writer.put(received_ms, ticks)
            asked = time.perf_counter()
            assert writer.flush()
            waits.append(time.perf_counter() - asked)

    thread = threading.Thread(target=go_on, name="next-day")
    thread.start()
    began = time.perf_counter()
    TickPacker(pool).tidy(MIDNIGHT + DAY, log_days=0)
    seconds = time.perf_counter() - began
    stop.set()
    thread.join()
    return seconds, waits


def _worst_ms(seconds: list[float]) -> str:
    return f"median {median(seconds) * 1000:.1f} ms of {len(seconds)}, 1,000 ticks each"


def _read_ms(store: TickStore) -> float:
    return _median_ms(lambda key: len(store.ticks(key, MIDNIGHT, MIDNIGHT + DAY)))


def _read_usual_ms(path: Path) -> float:
    query = "SELECT timestamp, ltp, ltt, ltq, volume FROM ticks WHERE instrument_key = ? ORDER BY timestamp"
    with closing(sqlite3.connect(path)) as connection:
        return _median_ms(lambda key: len(connection.execute(query, (key,)).fetchall()))


def _median_ms(read: Callable[[str], int]) -> float:
    times = []
    for key in KEYS[:11]:
        began = time.perf_counter()
        assert read(key) > 0
        times.append((time.perf_counter() - began) * 1000)
    return median(times)

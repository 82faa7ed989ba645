"""Figures that docs/scale.md needs and no other part measures: what a page costs that stays open, how many decisions a
ledger takes on either engine, what a point of a question costs."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

from dashboard.graphql_api.engine import Engine
from services.domain.actors import Actor
from services.domain.clock import HostClock
from services.domain.quote_batch import BatchResult
from services.domain.quotes import PriceSource
from services.ledger.audit import Audit
from services.ledger.opening import open_ledger
from tests.benchmarks.open_page import OpenPage
from tests.benchmarks.processes import cpu_seconds
from tests.benchmarks.table import Row
from tests.support import quotes as samples
from tests.support.desk import Desk
from tests.support.postgres import PostgresServer, find_postgres

PAGES_OPEN = 20
SETTLE_SECONDS, SECONDS = 3.0, 6.0
ACTS, TURNS = 150, 3
ACTOR = Actor("benchmark")


def run() -> list[Row]:
    """The rows of this part."""
    return [*_pages(), *_ledgers(), *_questions()]


# -- pages that stay open --------------------------------------------------------------------------------------


def _pages() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, Desk(Path(folder) / "desk", timeout=120) as desk:
        desk.opened()
        alone, _, memory = _spent(desk, [])
        pages = [OpenPage(desk.url, "quotes") for _ in range(PAGES_OPEN)]
        while not all(page.ready for page in pages):
            _serve(pages, 0.1)
        cpu, runs, more = _spent(desk, pages)
        for page in pages:
            page.close()
    one = (cpu - alone) / PAGES_OPEN
    note = f"{PAGES_OPEN} of them, {runs / PAGES_OPEN:.1f} runs/s each; the desk without any {alone:.1f} %"
    return [
        Row("a page that stays open, CPU", one, None, None, "", None, "% of a core", note),
        Row("  memory", (more - memory) / PAGES_OPEN, None, None, "", None, "MiB", f"without any {memory:.0f} MiB"),
    ]


def _spent(desk: Desk, pages: list[OpenPage]) -> tuple[float, float, float]:
    """Percent of a core, runs a second and MiB of the desk while these are open."""
    _serve(pages, SETTLE_SECONDS)
    began, used, runs = time.monotonic(), cpu_seconds(desk.pid), sum(page.runs for page in pages)
    _serve(pages, SECONDS)
    took = time.monotonic() - began
    return (
        100 * (cpu_seconds(desk.pid) - used) / took,
        (sum(page.runs for page in pages) - runs) / took,
        _memory(desk.pid),
    )


def _serve(pages: list[OpenPage], seconds: float) -> None:
    end = time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        for page in pages:
            page.serve(now)
            page.ask_what_is_due(now)
        time.sleep(0.02)


def _memory(pid: int) -> float:
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


# -- ledgers ---------------------------------------------------------------------------------------------------


def _ledgers() -> list[Row]:
    rows = []
    with ExitStack() as closing_all:
        place = Path(closing_all.enter_context(tempfile.TemporaryDirectory()))
        addresses: dict[str, str | Path] = {"SQLite": place / "ledger.db"}
        programs = find_postgres()
        if programs is None:
            print("PostgreSQL is not measured: it is not installed", file=sys.stderr)
        else:
            server = PostgresServer(programs, "-c", "fsync=on", "-c", "full_page_writes=on")
            shutil.rmtree(server.folder)
            server.folder = Path(tempfile.mkdtemp(prefix="desk-postgres-", dir=place))  # on the disk, not in memory
            place.chmod(0o755)
            closing_all.enter_context(server)
            addresses["PostgreSQL"] = server.new_database()
        for name, address in addresses.items():
            rows += [_committed(name, address, place / "backups", threads) for threads in (1, 4)]
    return rows


def _committed(name: str, address: str | Path, backups: Path, threads: int) -> Row:
    clock = HostClock(time.time)
    with closing(open_ledger(address, backups=backups, now=clock.now())) as ledger:
        audit = Audit(ledger, clock)
        audit.add(ACTOR, "warm-up")
        rates = [_acts(audit, threads) for _ in range(TURNS)]
    what = f"acts committed to {name} by {threads} thread{'s' if threads > 1 else ''}"
    note = f"each its own transaction, on this disk; median of {TURNS} turns, {min(rates):.0f} to {max(rates):.0f}"
    return Row(what, median(rates), None, None, "", None, "/s", note)


def _acts(audit: Audit, threads: int) -> float:
    def work() -> None:
        for _ in range(ACTS // threads):
            audit.add(ACTOR, "benchmark", "one act")

    workers = [threading.Thread(target=work) for _ in range(threads)]
    began = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return ACTS / (time.monotonic() - began)


# -- questions -------------------------------------------------------------------------------------------------


def _questions() -> list[Row]:
    """The CPU of a point, where nobody has to be asked: everything that a question costs besides its calls."""
    clock, keys = HostClock(time.time), [f"NSE_EQ|INE{number:06d}018" for number in range(500)]
    found = {key: samples.row(key, received_at=clock.now()) for key in keys}
    quotes = SimpleNamespace(get=lambda asked: BatchResult({key: found[key] for key in asked}))
    runtime: Any = SimpleNamespace(clock=clock, quotes=quotes, source=PriceSource("simulated", "simulated"))
    engine = Engine(lambda: runtime)
    fields = "ltp high low volume source ageSeconds"
    question = f"query Q($keys: [String!]!) {{ instruments(keys: $keys) {{ key quote {{ {fields} }} }} }}"
    points = engine.cost(question, None, {"keys": keys})
    engine.answer(question, None, {"keys": keys})
    began = time.process_time()
    for _ in range(5):
        engine.cost(question, None, {"keys": keys})
        engine.answer(question, None, {"keys": keys})
    used = (time.process_time() - began) / 5
    note = f"500 quotes of six fields, {points:,} points"
    return [Row("a question, CPU of 1,000 points", used / points * 1e6, None, None, "", None, "ms", note)]

"""The daily file of all instruments: how much memory its import takes, and how long, in a process of its own."""

from __future__ import annotations

import json
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from services.domain.clock import HostClock
from services.instrument_master import InstrumentMaster
from services.storage.pool import Pool
from services.storage.schema import migrate_market
from tests.benchmarks.processes import process
from tests.benchmarks.table import Row
from tests.support.instruments import long_file, on_disk
from tests.support.memory import highest_mib

ROWS = 120_000
MOST_MIB = 150.0


def run() -> list[Row]:
    """A file as long as the real complete one."""
    with process("tests.benchmarks.master") as importing:
        told = importing.hear()
    note = f"the process at its largest, less before; a file of {told['file_mib']:.0f} MiB, {ROWS:,} rows"
    return [
        Row("memory to import the instruments", told["mib"], None, None, f"<= {MOST_MIB:g} MiB",
            told["mib"] <= MOST_MIB, "MiB", note),
        Row("  time", told["seconds"], None, None, "", None, "s", "with its search index"),
    ]  # fmt: skip


def main() -> None:
    """One import."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "complete.json"
        rows = long_file(file, rows=ROWS)
        migrate_market(folder / "market_data.db", backups=folder, now=datetime.now(UTC))
        with closing(Pool(folder / "market_data.db")) as pool:
            master = InstrumentMaster(
                pool=pool, download=on_disk(file), clock=HostClock(time.time), files=("complete",)
            )
            began = time.monotonic()
            _, mib = highest_mib(master.refresh_if_due)
            seconds = time.monotonic() - began
            assert master.state().rows == rows
        told = {"mib": mib, "seconds": seconds, "file_mib": file.stat().st_size / 2**20}
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()

"""`python -m tests.benchmarks [PART ...]`: measure, print one table, exit 1 if a bar is missed. Without a part:
all, and docs/figures.md is written anew."""

from __future__ import annotations

import importlib
import sys
import time
from datetime import UTC, datetime

from tests.benchmarks import figures
from tests.benchmarks.table import Row, print_table

PARTS = (
    "quotes", "cache", "pool", "start", "feed", "board", "ticks", "push", "calendar", "candles", "chart", "orders",
    "order_page", "pnl", "health", "warming", "many", "scale", "capacity",
)  # fmt: skip


def main(asked: list[str]) -> int:
    """Run the parts asked for, all of them if none is named."""
    unknown = [part for part in asked if part not in PARTS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    measured: dict[str, list[Row]] = {}
    began = time.monotonic()
    for part in asked or PARTS:
        print(f"measuring {part} ...", file=sys.stderr, flush=True)
        at = time.monotonic()
        measured[part] = list(importlib.import_module(f"tests.benchmarks.{part}").run())
        print(f"  {time.monotonic() - at:.0f} s", file=sys.stderr, flush=True)
    rows = [row for part in measured.values() for row in part]
    print_table(rows)
    if not asked:
        figures.write(measured, time.monotonic() - began, datetime.now(UTC).date())
    return 1 if any(row.met is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

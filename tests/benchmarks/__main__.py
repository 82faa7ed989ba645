"""`python -m tests.benchmarks [PART ...]`: measure, print one table, exit 1 if a bar is missed. Without a part:
all, and docs/figures.md is written anew."""

from __future__ import annotations

import importlib
import logging
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from tests.benchmarks import figures
from tests.benchmarks.processes import used_by_others
from tests.benchmarks.table import Row, print_table

PARTS = (
    "start", "quotes", "cache", "pool", "master", "feed", "board", "ticks", "push", "calendar", "candles", "orders",
    "order_page", "pnl", "health", "warming", "many", "scale", "capacity",
)  # fmt: skip
PIECES = ("feed_path", "chart", "pnl_page", "candle_sharing")
"""Pieces of those, and what no goal asks for: only where they are named."""

log = logging.getLogger(__name__)

MOST_MINUTES = 10.0


def main(asked: list[str]) -> int:
    """Run the parts asked for, all of them if none is named."""
    known = (*PARTS, *PIECES)
    unknown = [part for part in asked if part not in known]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    measured: dict[str, list[Row]] = {}
    spent: dict[str, float] = {}
    began = time.monotonic()
    for part in asked or PARTS:
        print(f"measuring {part} ...", file=sys.stderr, flush=True)
        at, used = time.monotonic(), used_by_others()
        rows = _measured(part)
        seconds = time.monotonic() - at
        measured[part] = [_with_reason(row, 100 * (used_by_others() - used) / seconds) for row in rows]
        spent[part] = seconds
        print(f"  {seconds:.0f} s", file=sys.stderr, flush=True)
    seconds = time.monotonic() - began
    if not asked:
        measured["whole"] = [_whole(seconds, spent)]
    rows = [row for part in measured.values() for row in part]
    print_table(rows)
    if not asked:
        figures.write(measured, seconds, datetime.now(UTC).date())
    return 1 if any(row.met is False for row in rows) else 0


def _measured(part: str) -> list[Row]:
    """The rows of a part. One that cannot be measured to its end is a goal that is missed, and the others go on."""
    try:
        rows = list(importlib.import_module(f"tests.benchmarks.{part}").run())
    except Exception as error:  # the outermost loop: figures of the other parts are not lost
        log.exception("%s was not measured", part)
        return [Row(f"{part} as a whole", 0, None, None, "measured", False, "", f"{type(error).__name__}: {error}")]
    if not rows:
        return [Row(f"{part} as a whole", 0, None, None, "measured", False, "", "a program that it needs is missing")]
    return rows


def _with_reason(row: Row, others: float) -> Row:
    """A goal that is missed tells what else the machine did: work beside it takes time, caches and clock away."""
    if row.met is not False:
        return row
    remark = (
        f"what is not this program, nor waited for by it (browsers), used {max(0.0, others):.0f} % of a core meanwhile"
    )
    return replace(row, note=f"{row.note}; {remark}".lstrip("; "))


def _whole(seconds: float, spent: Mapping[str, float]) -> Row:
    told = ", ".join(f"{part} {took:.0f}" for part, took in sorted(spent.items(), key=lambda one: -one[1]))
    met = seconds <= 60 * MOST_MINUTES
    return Row("all parts", seconds / 60, None, None, f"<= {MOST_MINUTES:g}", met, "minutes", f"seconds: {told}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

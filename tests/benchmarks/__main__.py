"""`python -m tests.benchmarks [PART ...]`: measure, print one table, exit 1 if a bar is missed. Without a part: all."""

from __future__ import annotations

import importlib
import sys

from tests.benchmarks.table import Row, print_table

PARTS = (
    "quotes", "cache", "pool", "start", "feed", "board", "ticks", "push", "calendar", "candles", "chart", "orders",
    "order_page", "pnl", "health", "warming", "many", "scale",
)  # fmt: skip


def main(asked: list[str]) -> int:
    """Run the parts asked for, all of them if none is named."""
    unknown = [part for part in asked if part not in PARTS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    measured: list[Row] = []
    for part in asked or PARTS:
        print(f"measuring {part} ...", file=sys.stderr, flush=True)
        measured += importlib.import_module(f"tests.benchmarks.{part}").run()
    print_table(measured)
    return 1 if any(row.met is False for row in measured) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

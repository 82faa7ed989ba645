"""How long a person waits: from the command to the first answer, and from Ctrl-C to the end."""

from __future__ import annotations

import signal
import statistics
import tempfile
import urllib.request
from pathlib import Path

from tests.benchmarks.table import Row
from tests.support.desk import Desk

RUNS = 5
BUDGET = 3.0


def run() -> list[Row]:
    """Start and stop a desk that has been started before."""
    to_answer, to_end = [], []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with Desk(data):
            pass  # what a first start on a new folder does once is not counted
        for _ in range(RUNS):
            desk = Desk(data).start()
            with urllib.request.urlopen(desk.url, timeout=5) as page:
                page.read()
            to_answer.append(desk.seconds_to_answer)
            to_end.append(desk.stop(signal.SIGINT)[1])
    how = f"median of {RUNS}, environment and data folder there"
    return [
        _within("second start, to the first answer", statistics.median(to_answer), how),
        _within("Ctrl-C, to the end", statistics.median(to_end), how),
    ]


def _within(name: str, seconds: float, note: str) -> Row:
    return Row(name, seconds, BUDGET, BUDGET / seconds, f"<= {BUDGET:g} s", seconds <= BUDGET, "s", note)

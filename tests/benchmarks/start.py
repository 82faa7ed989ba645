"""How long a person waits: from the command to the first answer, and from Ctrl-C to the end."""

from __future__ import annotations

import signal
import statistics
import tempfile
import urllib.request
from pathlib import Path

from tests.benchmarks.table import Row
from tests.support.desk import Desk

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGINT)
BUDGET = 3.0
FIRST_SECONDS = 600.0
"""The environment may have to be made: a fresh clone has none."""


def run() -> list[Row]:
    """Start and stop a desk that has been started before."""
    to_answer, to_end = [], []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with Desk(data, timeout=FIRST_SECONDS):
            pass  # what a first start on a new folder does once is not counted
        for number in SIGNALS:
            desk = Desk(data).start()
            with urllib.request.urlopen(desk.url, timeout=5) as page:
                page.read()
            to_answer.append(desk.seconds_to_answer)
            to_end.append(desk.stop(number)[1])
    how = f"median of {len(SIGNALS)}, environment and data folder there"
    return [
        _within("second start, to the first answer", statistics.median(to_answer), how),
        _within("Ctrl-C or SIGTERM, to the end", max(to_end), f"the longest of {len(SIGNALS)}"),
    ]


def _within(name: str, seconds: float, note: str) -> Row:
    return Row(name, seconds, BUDGET, BUDGET / seconds, f"<= {BUDGET:g} s", seconds <= BUDGET, "s", note)

"""The load generator (`services.paper.feed.load`) with instruments that an earlier one has made: to make them takes
longer than some loads last. `python -m tests.benchmarks.feed_generator FOLDER …`, the rest as the generator takes it.
"""

from __future__ import annotations

import pickle
import sys
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from services.paper.feed import load
from services.paper.feed.load import snapshots
from services.paper.feed.requests import Mode
from services.paper.model import Snapshot
from tests.benchmarks.processes import Process


def generator(*how: object) -> Process:
    """One of them, in a process of its own. The instruments are kept for as long as this program runs."""
    return Process("tests.benchmarks.feed_generator", _folder().name, *how)


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory()


def kept(folder: Path, count: int, mode: Mode) -> list[Snapshot]:
    """As `snapshots`."""
    file = folder / f"{mode}-{count}"
    if not file.exists():
        file.write_bytes(pickle.dumps(snapshots(count, mode)))
    found: list[Snapshot] = pickle.loads(file.read_bytes())  # ours, of this run
    return found


def main(folder: str, *arguments: str) -> int:
    with patch.object(load, "snapshots", partial(kept, Path(folder))):
        return load.main(arguments)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

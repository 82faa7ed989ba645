"""What the data folder holds, and how much of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_FILES = 20_000
"""Counted at most; a folder with more is told as "at least"."""
_MEANING = {
    "market_data.db": "prices, ticks, candles, instruments, errors, history of the desk's health",
    "ledger.db": "orders, trades, alerts, audit, watchlists",
    "tokens.db": "encrypted tokens",
    "desk.json": "how programs beside the desk find it",
    "paper_broker.db": "the paper broker's account",
    "recordings": "frames of the feed",
    "logs": "the log",
    "backups": "copies made before each upgrade",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file with its companions, or a folder with all that is in it."""

    name: str
    meaning: str
    files: int
    size: int
    complete: bool
    """False: there may be more in it than was counted."""


def entries(folder: Path) -> list[Entry]:
    """What lies in the data folder, the largest first. Raises `OSError` where it cannot be read."""
    sums: dict[str, list[int]] = {}
    cut: set[str] = set()
    for path in folder.iterdir():
        name = _without_companion(path.name)
        found = sums.setdefault(name, [0, 0])
        unlisted: list[OSError] = []
        for file in _files(path, unlisted.append):
            if found[0] >= MOST_FILES:
                cut.add(name)
                break
            try:
                if file.is_file():
                    found[0] += 1
                    found[1] += file.stat().st_size
            except OSError:  # it went away meanwhile
                continue
        if unlisted:
            cut.add(name)
    made = [Entry(name, _MEANING.get(name, ""), files, size, name not in cut) for name, (files, size) in sums.items()]
    return sorted(made, key=lambda one: (-one.size, one.name))


def _files(path: Path, unlisted: Callable[[OSError], None]) -> Iterator[Path]:
    """`path`, or the files in it; of folders in it that cannot be listed `unlisted` is told."""
    if not path.is_dir():
        yield path
        return
    for folder, _, names in os.walk(path, onerror=unlisted):
        yield from (Path(folder, name) for name in names)


def _without_companion(name: str) -> str:
    """SQLite's own files beside a database count as part of it."""
    for ending in ("-wal", "-shm", "-journal"):
        name = name.removesuffix(ending)
    return name

"""How much memory a piece of work takes at its highest. Linux only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_FORGET, _TOLD = Path("/proc/self/clear_refs"), Path("/proc/self/status")
PEAKS_ARE_TOLD = _FORGET.exists()


def highest_mib(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` returns, and by how many MiB this process was larger meanwhile than before. Not by `getrusage`: its
    peak is that of the whole life of the process, and even of whoever started it."""
    _FORGET.write_text("5")  # the peak so far
    before = _peak()
    found = work()
    return found, _peak() - before


def _peak() -> float:
    return next(int(line.split()[1]) / 1024 for line in _TOLD.read_text().splitlines() if line.startswith("VmHWM:"))

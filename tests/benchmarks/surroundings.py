"""What a comparison stands in: the interpreter as the desk sets it up, and what this machine does to work in pieces."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dashboard.asgi import GC_THRESHOLDS, SWITCH_INTERVAL

PIECES, PIECE_SECONDS = 2000, 0.001
MOST_FOR_PAUSES = 1.2
"""Above it a machine is not one on which a share of a core can be told: clocked down, or its caches lent to others."""


@contextmanager
def as_the_desk_runs() -> Iterator[None]:
    """Frozen heap, rare collections, short turns of the interpreter; put back afterwards."""
    gc.collect()
    gc.freeze()
    switch, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        yield
    finally:
        sys.setswitchinterval(switch)
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def price_of_pauses() -> float:
    """How many times the CPU a piece of plain Python (about 0.1 ms) costs when it is done a thousand times a second, as
    a feed's frames come, instead of in one go. 1.0 where a core keeps its pace while it waits."""

    def piece() -> int:
        return sum(number * number for number in range(2000))

    def cpu_seconds(pause: float) -> float:
        used, due = time.thread_time(), time.monotonic()
        for _ in range(PIECES):
            piece()
            due += pause
            if (left := due - time.monotonic()) > 0:
                time.sleep(left)
        return time.thread_time() - used

    return cpu_seconds(PIECE_SECONDS) / cpu_seconds(0.0)


def share_met(share: float, bar: float) -> tuple[bool, str]:
    """Is a share of a core, in percent, within its bar, and what of a miss is this machine's? That is measured now."""
    if share <= bar:
        return True, ""
    pauses = price_of_pauses()
    if pauses > MOST_FOR_PAUSES and share / pauses <= bar:
        return False, f"; work in pieces costs {pauses:.2f}x on this machine, {share / pauses:.1f} % without that"
    return False, f"; work in pieces costs {pauses:.2f}x here"

"""The interpreter as the desk sets it up once it has started, for both sides of a comparison alike."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dashboard.asgi import GC_THRESHOLDS, SWITCH_INTERVAL


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

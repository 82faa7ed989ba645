"""The rules for calls that change something at the broker: sent once, and never told otherwise than it was.

A second version of the API may carry such a call only where it is certain that nobody took the first: the connection
never carried it, or the gateway said in its own words that it has no such path. A bare 404 is nobody's word.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import local

from services.domain.errors import NotSent, RouteMissing, UpstoxError

WRITE_GATE_SECONDS = 1.5
"""A write waits no longer than this for its turn: an order that leaves later than it was looked at is another order."""
_NO_ROUTE_CODES = frozenset({"UDAPI100060", "UDAPI10000"})
_GAVE_UP_WAITING = 408
"""The word of whatever stands between: the request may have gone on."""
_mine = local()  # until when what this thread writes may leave, by `since_boot`


def since_boot() -> float:
    """Seconds that also pass while the process is stopped or the machine sleeps."""
    which: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if which is None else time.clock_gettime(which)


@contextmanager
def leaving_within(seconds: float, *, clock: Callable[[], float] = since_boot) -> Iterator[None]:
    """What this thread writes inside the block leaves within so many seconds, or not at all."""
    _mine.until = clock() + seconds
    try:
        yield
    finally:
        _mine.until = None


def require_in_time(*, clock: Callable[[], float] = since_boot) -> None:
    """Asked when the call's turn has come. Raises `NotSent` where it would leave too late: this process was held up,
    and somebody may have taken the call for lost meanwhile."""
    until: float | None = getattr(_mine, "until", None)
    if until is not None and clock() > until:
        raise NotSent("this process was held up for too long, and it would leave too late")


def goes_on(error: UpstoxError) -> bool:
    """Is it certain that the call was not taken, and sensible to ask the next version?"""
    if isinstance(error, NotSent):
        return True
    if not isinstance(error, RouteMissing):
        return False
    return error.status in {405, 410} or (error.status == 404 and error.code in _NO_ROUTE_CODES)


def settled(error: UpstoxError, status: int) -> None:
    """After an answer with this HTTP status: a 5xx may have acted, whatever code it carries."""
    if status >= 500 or status == _GAVE_UP_WAITING:
        error.outcome_unknown = True

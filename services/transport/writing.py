"""The rules for calls that change something at the broker: sent once, and never told otherwise than it was.

A second version of the API may carry such a call only where it is certain that nobody took the first: the connection
never carried it, or the gateway said in its own words that it has no such path. A bare 404 is nobody's word.
"""

from __future__ import annotations

from services.domain.errors import NotSent, RouteMissing, UpstoxError

WRITE_GATE_SECONDS = 1.5
"""A write waits no longer than this for its turn: an order that leaves later than it was looked at is another order."""
_NO_ROUTE_CODES = frozenset({"UDAPI100060", "UDAPI10000"})
_GAVE_UP_WAITING = 408
"""The word of whatever stands between: the request may have gone on."""


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

"""What goes wrong with websockets, on request. Opened by `--faults` alone, at `/_paper/feed-faults`.

A fault waits for a handshake or for a data frame of its feed and is used up after `times` of them. With `now` it hits
the feeds that are open, at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from services.domain.errors import InvalidRequest
from services.paper.feed.tickets import FeedName

LONGEST_MS = 600_000
_MEMBERS = {"kind", "feed", "times", "after", "now", "status", "code", "ms"}


class FeedFaultKind(StrEnum):
    """What goes wrong."""

    USED_CODE = "used_code"
    """The authorised address holds a code that is already used: its handshake is refused with 403."""
    REFUSE = "refuse"
    """The handshake is refused with `status` (401, 403, ...)."""
    DROP_HANDSHAKE = "drop_handshake"
    """The connection is cut in place of an answer to the handshake."""
    HANG = "hang"
    """The handshake is not answered, for `ms` or as long as the client waits."""
    DROP = "drop"
    """The connection is cut without a close frame."""
    CLOSE = "close"
    """The connection is closed with a close frame holding `code`."""
    MUTE = "mute"
    """The connection stays open with pings, but no data comes, for `ms` or for good."""
    SLOW = "slow"
    """Nothing is read and nothing is written for `ms`: pings stay unanswered, frames come late."""
    GARBAGE = "garbage"
    """A binary frame of nonsense goes before the good one."""
    TRUNCATED = "truncated"
    """The message is only the first half of one; the websocket frame around it is whole."""
    TORN = "torn"
    """The connection ends in the middle of a websocket frame."""


AT_HANDSHAKE = frozenset({FeedFaultKind.REFUSE, FeedFaultKind.DROP_HANDSHAKE, FeedFaultKind.HANG})
AT_FRAME = frozenset(FeedFaultKind) - AT_HANDSHAKE - {FeedFaultKind.USED_CODE}
_TIMED = {FeedFaultKind.SLOW: 3000}
"""Kinds that end by themselves, and their usual `ms`."""


@dataclass(frozen=True, slots=True)
class FeedFault:
    """One fault. `times=None`: until it is cleared."""

    kind: FeedFaultKind
    feed: FeedName = FeedName.MARKET
    times: int | None = 1
    after: int = 0
    """So many handshakes or frames pass unharmed first."""
    now: bool = False
    status: int = 403
    code: int = 1011
    ms: int = 0
    """0 where a fault may last for good: it does."""

    def told(self) -> dict[str, object]:
        """As JSON."""
        return {
            "kind": self.kind.value,
            "feed": self.feed.value,
            "times": self.times,
            "after": self.after,
            "now": self.now,
            "status": self.status,
            "code": self.code,
            "ms": self.ms,
        }


@dataclass(slots=True)
class _Waiting:
    fault: FeedFault
    left: int | None
    pass_by: int


class FeedFaults:
    """The waiting faults, used in the order in which they came. Used by the server's thread alone."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []

    def add(self, fault: FeedFault) -> None:
        self._waiting.append(_Waiting(fault, fault.times, fault.after))

    def waiting(self) -> list[dict[str, object]]:
        return [{**held.fault.told(), "times": held.left, "after": held.pass_by} for held in self._waiting]

    def clear(self) -> None:
        self._waiting.clear()

    def at_authorize(self, feed: FeedName) -> FeedFault | None:
        """The fault that this authorised address has."""
        return self._take(feed, lambda kind: kind is FeedFaultKind.USED_CODE)

    def at_handshake(self, feed: FeedName) -> FeedFault | None:
        """The fault that this handshake meets; the direct one counts as the authorised one does."""
        return self._take(feed, AT_HANDSHAKE.__contains__)

    def at_frame(self, feed: FeedName) -> FeedFault | None:
        """The fault that this data frame meets."""
        return self._take(feed, AT_FRAME.__contains__)

    def _take(self, feed: FeedName, fits: Callable[[FeedFaultKind], bool]) -> FeedFault | None:
        if not self._waiting:
            return None
        for place, held in enumerate(self._waiting):
            if held.fault.feed is not feed or not fits(held.fault.kind):
                continue
            if held.pass_by:
                held.pass_by -= 1
                continue
            if held.left == 1:
                del self._waiting[place]
            elif held.left is not None:
                held.left -= 1
            return held.fault
        return None


def read_fault(wanted: dict[str, object]) -> FeedFault:
    """A fault given as JSON. InvalidRequest names what is wrong."""
    unknown = wanted.keys() - _MEMBERS
    if unknown:
        raise InvalidRequest(f"{', '.join(sorted(unknown))}: unknown member")
    given_kind, feed, now = wanted.get("kind"), wanted.get("feed", "market"), wanted.get("now", False)
    if not isinstance(given_kind, str) or given_kind not in set(FeedFaultKind):
        raise InvalidRequest(f"kind: one of {', '.join(FeedFaultKind)}")
    kind = FeedFaultKind(given_kind)
    if not isinstance(feed, str) or feed not in set(FeedName):
        raise InvalidRequest(f"feed: one of {', '.join(FeedName)}")
    if not isinstance(now, bool) or (now and kind not in AT_FRAME):
        raise InvalidRequest(f"now: true or false, and true only with one of {', '.join(sorted(AT_FRAME))}")
    times = None if "times" in wanted and wanted["times"] is None else _whole(wanted, "times", 1, 1, 1_000_000)
    return FeedFault(
        kind,
        FeedName(feed),
        times,
        _whole(wanted, "after", 0, 0, 1_000_000),
        now,
        _whole(wanted, "status", 403, 400, 599),
        _whole(wanted, "code", 1011, 1000, 4999),
        _whole(wanted, "ms", _TIMED.get(kind, 0), 0, LONGEST_MS),
    )


def _whole(wanted: dict[str, object], name: str, default: int, least: int, most: int) -> int:
    value = wanted.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidRequest(f"{name}: a whole number between {least} and {most}")
    return value

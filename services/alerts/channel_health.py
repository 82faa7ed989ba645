"""How each channel does: what it took last, and how long it rests after it refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from services.domain.clock import Clock
from services.ledger.alert_channels import Channel, Delivery, Sent

PAUSES = (10.0, 60.0, 300.0)
"""Seconds that a channel rests after its first, second, ... failure in a row."""


@dataclass(frozen=True, slots=True)
class ChannelState:
    """How a channel does. Instants are of the desk's clock."""

    channel: Channel
    last_sent: datetime | None = None
    failures: int = 0
    """In a row."""
    reason: str = ""
    """Why the last one failed, without any address."""
    failed_at: datetime | None = None
    testing: bool = False
    """A test message is on its way."""


@dataclass(slots=True)
class _Way:
    """What is remembered of a channel. `rests_until` is monotonic."""

    last_sent: datetime | None = None
    failures: int = 0
    reason: str = ""
    failed_at: datetime | None = None
    rests_until: float = 0.0


class ChannelHealth:
    """Any thread."""

    def __init__(self, clock: Clock, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._guard = Lock()  # guards the next
        self._ways: dict[int, _Way] = {}

    def state(self, channel: Channel, *, testing: bool) -> ChannelState:
        with self._guard:
            way = self._ways.get(channel.id, _Way())
            return ChannelState(channel, way.last_sent, way.failures, way.reason, way.failed_at, testing)

    def failing(self, channels: Iterable[Channel]) -> dict[str, tuple[int, str]]:
        """Those that refuse, by name: how often in a row, and why."""
        with self._guard:
            ways = [(channel.name, self._ways.get(channel.id)) for channel in channels]
            return {name: (way.failures, way.reason) for name, way in ways if way is not None and way.failures}

    def rests(self, id: int) -> bool:
        """Is it too early to try it again?"""
        with self._guard:
            way = self._ways.get(id)
            return way is not None and self._monotonic() < way.rests_until

    def took(self, id: int) -> None:
        """It took a message just now."""
        now = self._clock.now()
        with self._guard:
            way = self._ways.setdefault(id, _Way())
            way.last_sent, way.failures, way.reason, way.rests_until = now, 0, "", 0.0

    def refused(self, id: int, reason: str) -> None:
        """It took none, and rests: the longer, the more often in a row."""
        now = self._clock.now()
        with self._guard:
            way = self._ways.setdefault(id, _Way())
            way.failed_at, way.reason = now, reason
            way.rests_until = self._monotonic() + PAUSES[min(way.failures, len(PAUSES) - 1)]
            way.failures += 1

    def remember(self, results: Iterable[Delivery]) -> None:
        """What became of messages before the start; of a channel that was tried since, that counts."""
        with self._guard:
            tried = {id for id, way in self._ways.items() if way.last_sent or way.failed_at}
            for one in sorted(results, key=lambda one: one.at):
                if one.channel_id in tried:
                    continue
                way = self._ways.setdefault(one.channel_id, _Way())
                if one.state is Sent.SENT:
                    way.last_sent, way.failures, way.reason = one.at, 0, ""
                else:
                    way.failed_at, way.failures, way.reason = one.at, one.attempts, one.reason

"""Which of the processes on one data folder writes down what all of them receive."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock

from services.domain.errors import ConfigurationError
from services.live_feed.stream import SlotKeeper

LOOK_SECONDS = 2.0

log = logging.getLogger(__name__)


class OneKeeper:
    """One process of a data folder keeps ticks and frames: each would keep the same. If it ends, another takes over,
    within `LOOK_SECONDS`; what comes in between is not kept."""

    def __init__(
        self, place: SlotKeeper, *, look: float = LOOK_SECONDS, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`place`: the one place, locked by the operating system."""
        self._place = place
        self._look = look
        self._monotonic = monotonic
        self._guard = Lock()  # guards the next one
        self._look_at = float("-inf")
        self._complained = False

    def ours(self) -> bool:
        """Is it this process? No, too, where files cannot be locked: the feed, whose thread asks, must go on."""
        if self._place.held is not None:
            return True
        now = self._monotonic()
        with self._guard:
            if now < self._look_at:
                return False
            self._look_at = now + self._look
        try:
            return self._place.take()
        except ConfigurationError as error:
            if not self._complained:
                self._complained = True
                log.warning("nothing that the feed tells is kept: %s", error)
            return False

    def close(self) -> None:
        self._place.give_back()

"""Lets the trading day go on between requests: matching, triggers, the end of the day."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

SECONDS = 1.0

log = logging.getLogger(__name__)


class Moving(Protocol):
    """The trading desk, seen from here."""

    @property
    def waits(self) -> bool:
        """Is there anything that time or prices could change?"""

    def advance(self) -> None: ...


async def pump(desk: Moving) -> None:
    """Advance `desk` once a second while it has something open, on the server's own loop. Ends when it is cancelled."""
    while True:
        await asyncio.sleep(SECONDS)
        try:
            if desk.waits:
                desk.advance()
        except Exception:  # the outermost loop: one fault must not stop every later fill
            log.exception("the trading day could not go on; it is tried again")

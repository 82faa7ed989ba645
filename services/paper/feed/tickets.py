"""Single-use codes: who asked to open which feed, kept until the websocket comes with the code or it is too old."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode
from uuid import uuid4

from services.paper.tokens import Claims

LIFE_SECONDS = 60.0
"""How long a code waits for its websocket; the documents give no figure."""
MOST_WAITING = 1000


class FeedName(StrEnum):
    """The two feeds."""

    MARKET = "market"
    PORTFOLIO = "portfolio"


AUTHORISED = {
    FeedName.MARKET: "/market-data-feeder/v3/upstox-developer-api/feeds",
    FeedName.PORTFOLIO: "/upstox-developer-api/order-updates/feed",
}
"""Where the authorised addresses lead."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to open one feed once."""

    feed: FeedName
    claims: Claims
    update_types: frozenset[str] = frozenset()
    """What the portfolio feed is to tell."""


class Tickets:
    """Used by the server's thread alone."""

    def __init__(self, *, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._waiting: dict[tuple[str, str], tuple[Ticket, float]] = {}

    def issue(self, ticket: Ticket) -> tuple[str, str]:
        """A request id and a code for `ticket`."""
        now = self._monotonic()
        self._waiting = {place: held for place, held in self._waiting.items() if held[1] > now}
        while len(self._waiting) >= MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
        place = str(uuid4()), secrets.token_urlsafe(24)
        self._waiting[place] = ticket, now + LIFE_SECONDS
        return place

    def address(self, host: str, ticket: Ticket) -> str:
        """The authorised address for `ticket` on this server, which the client calls `host`."""
        request_id, code = self.issue(ticket)
        query = urlencode({"requestId": request_id, "code": code})
        return f"ws://{host}{AUTHORISED[ticket.feed]}?{query}"

    def forget_last(self) -> None:
        """Let the code issued last count as used."""
        self._waiting.popitem()

    def take(self, feed: FeedName, request_id: str, code: str) -> Ticket | None:
        """The ticket behind a code, which is used up by this. `None`: unknown, used, too old, or of the other feed."""
        ticket, ends = self._waiting.pop((request_id, code), (None, 0.0))
        return ticket if ticket is not None and ticket.feed is feed and ends > self._monotonic() else None

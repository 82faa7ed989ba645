"""Everything that the routes of one paper broker share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from services.paper.accounts import AccountBook
from services.paper.calendar_faults import CalendarFaults
from services.paper.faults import Faults
from services.paper.feed.feeds import Feeds
from services.paper.feed.portfolio_feed import PortfolioUpdates
from services.paper.instrument_files import InstrumentFiles
from services.paper.limits import RateLimits
from services.paper.logins import Logins
from services.paper.model import Listing, Market
from services.paper.relay.upstream import Upstream
from services.paper.sessions import Sessions
from services.paper.tokens import Tokens
from services.paper.trading.desk import TradingDesk
from services.paper.trading.gtt import GttBook


class BrokerClock(Protocol):
    """The broker's clock: `mode` is `always`, `exchange` or `simulated`."""

    @property
    def mode(self) -> str: ...
    @property
    def speed(self) -> float: ...
    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Broker:
    """One paper broker, without its server."""

    instance: str
    clock: BrokerClock
    market: Market
    accounts: AccountBook
    tokens: Tokens
    logins: Logins
    sessions: Sessions
    files: InstrumentFiles
    limits: RateLimits | None
    faults: Faults | None
    calendar_faults: CalendarFaults | None
    notifier_url: str
    feeds: Feeds
    user_id: str
    """Whose account this is."""
    desk: TradingDesk
    gtt: GttBook
    upstream: Upstream | None = None
    """Who is asked of the market instead of our own: live prices."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server goes: whoever waits on purpose must stop waiting."""

    @property
    def portfolio_updates(self) -> PortfolioUpdates:
        """Where whatever changes the account publishes it."""
        return self.feeds.portfolio

    def listings(self) -> Mapping[str, Listing]:
        """Every instrument of today, by key."""
        return self.market.listings(self.clock.now())


Handler = Callable[[Broker, Request], Awaitable[Response]]
Handlers = Mapping[tuple[str, str], Handler]
"""By operation name and version (`v2`, `v3`, `guide`, `assets`)."""

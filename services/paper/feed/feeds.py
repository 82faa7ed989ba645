"""Both feeds of one broker, and what they share."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from services.paper.feed.faults import FeedFault, FeedFaults
from services.paper.feed.market_feed import FeedClock, MarketFeed
from services.paper.feed.market_info import Statuses
from services.paper.feed.portfolio_feed import PortfolioUpdates
from services.paper.feed.recorded import RecordedMarket
from services.paper.feed.relayed import RelayFeed
from services.paper.feed.stream import Stream
from services.paper.feed.tickets import Tickets
from services.paper.model import Market
from services.paper.options import PaperOptions
from services.paper.tokens import Tokens as AccessTokens


@dataclass(frozen=True, slots=True)
class Feeds:
    """`faults=None`: nothing goes wrong on request."""

    market: MarketFeed | RelayFeed
    portfolio: PortfolioUpdates
    tickets: Tickets
    faults: FeedFaults | None
    streams: set[Stream] = field(default_factory=set)
    """Every open websocket of either feed."""
    most: dict[str, int] = field(default_factory=dict)
    """How many were open at the same moment, at most, of each feed."""

    def opened(self, stream: Stream) -> None:
        self.streams.add(stream)
        name = stream.feed.value
        self.most[name] = max(self.most.get(name, 0), sum(1 for one in self.streams if one.feed is stream.feed))

    async def hit(self, fault: FeedFault) -> int:
        """Let the open feeds meet `fault` now: how many did."""
        met = [stream for stream in self.streams if stream.feed is fault.feed]
        for stream in met[: fault.times]:
            await stream.hit(fault)
        return len(met[: fault.times])

    def recover(self) -> None:
        """No fault waits any more, and none lasts."""
        if self.faults is not None:
            self.faults.clear()
        for stream in self.streams:
            stream.recover()


def make_feeds(
    options: PaperOptions,
    *,
    market: Market,
    clock: FeedClock,
    sessions: Statuses,
    tokens: AccessTokens,
    relay: RelayFeed | None = None,
) -> Feeds:
    """The feeds of a broker with these options. `relay` stands in for the simulated market's."""
    return Feeds(
        market=relay
        or MarketFeed(
            market=market,
            clock=clock,
            statuses=sessions,
            is_alive=tokens.is_alive,
            plus=options.plus,
            limited=options.limits,
            playback=market if isinstance(market, RecordedMarket) else None,
        ),
        portfolio=PortfolioUpdates(),
        tickets=Tickets(monotonic=time.monotonic),
        faults=FeedFaults() if options.faults else None,
    )

"""What a broker with live prices is made of, beside what every paper broker has."""

from __future__ import annotations

from dataclasses import dataclass

from services.domain.clock import Clock
from services.domain.errors import ConfigurationError
from services.paper.feed.relayed import RelayFeed
from services.paper.options import LIVE, PaperOptions
from services.paper.relay.market import RelayMarket
from services.paper.relay.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Relay:
    """The parts that stand in for the simulated market."""

    upstream: Upstream
    market: RelayMarket
    feed: RelayFeed

    def close(self) -> None:
        self.market.close()


def open_relay(options: PaperOptions, clock: Clock) -> Relay | None:
    """The relay that these options ask for, its instruments loaded; `None` for other prices."""
    if options.prices != LIVE:
        return None
    if options.live is None:
        raise ConfigurationError("live prices need a read-only analytics token: DESK_READ_TOKEN")
    if options.instruments is not None or options.candles is not None:
        raise ConfigurationError("live prices come from Upstox: give neither instruments nor candles")
    upstream = Upstream(options.live, now=clock.now())
    market = RelayMarket(upstream)
    try:
        market.start(clock.now())
    except BaseException:
        market.close()
        raise
    return Relay(upstream, market, RelayFeed(upstream))

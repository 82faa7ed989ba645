"""The threads of the live feed: they keep market feed and portfolio stream connected, and carry what is said."""

from services.live_feed.feed import LiveFeed
from services.live_feed.portfolio import PortfolioStream
from services.live_feed.records import ConnectionLog

__all__ = ["ConnectionLog", "LiveFeed", "PortfolioStream"]

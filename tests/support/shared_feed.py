"""Processes of one desk that share a feed, as far as a feed is concerned, all in one; a test deals out the lease."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from services.live_feed import LiveFeed, PortfolioStream
from services.live_feed.others import FeedSharing, Others, OthersOfMarket
from services.live_feed.resting import Resting
from services.live_feed.sharing import SharedNow
from services.shared.lease import LEASE
from services.shared.link import RedisLink
from services.transport.feed_connection import FeedConnection
from tests.support.live_feed import Desk, live_feed


class DealtLease:
    """A lease that is had when the test says so."""

    def __init__(self) -> None:
        self.token: int | None = None
        self._listeners: list[Callable[[], None]] = []

    def listen(self, callback: Callable[[], None]) -> None:
        self._listeners.append(callback)

    def become(self, token: int | None) -> None:
        self.token = token
        for tell in self._listeners:
            tell()


class Member:
    """One process: its lease, its sharing, its feed and its portfolio stream."""

    def __init__(self, name: str, desk: Desk, link: RedisLink, folder: Path, closings: ExitStack) -> None:
        self.name = name
        self.lease = DealtLease()
        self.sharing = FeedSharing(
            link=link, lease=self.lease, listen=self.lease.listen, process=name, look=0.2, away=0.05
        )
        closings.callback(self.sharing.close)
        patience = {"opening": 1.5, "silence": 1.5}  # a little more than the second between two words of the holder
        market = self.sharing.way("market", name="market feed", connect=lambda: FeedConnection(local=True), **patience)
        self.feed: LiveFeed = closings.enter_context(
            live_feed(
                desk, folder, connect=market.connect, slots=market, authorise=lambda: market.address_by(desk.authorise)
            )
        )
        self.feed.add_info_sink(market.publisher.remember)
        self.sharing.attach(market, OthersOfMarket(self.feed))
        way = self.sharing.way("portfolio", name="portfolio stream", connect=lambda: FeedConnection(local=True))
        self.portfolio = PortfolioStream(
            authorise=lambda types: way.address_by(desk.authorise),
            connect=way.connect,
            slots=way,
            token=desk.current_token,
            clock=desk.clock,
            look_seconds=0.01,
            poll_seconds=0.01,
            resting=Resting(backoff=desk.backoff()),
        )
        closings.callback(self.portfolio.close)
        self.sharing.attach(way, Others(self.portfolio))

    def now(self, stream: str = "market") -> SharedNow:
        return next(one for one in self.sharing.now() if one.stream == stream)

    def price(self, key: str) -> float:
        return float(self.feed.board.snapshot([key]).rows["ltp"][0])


class SharedDesk:
    """The processes, and the lease that goes from one to another."""

    def __init__(self, link: RedisLink, members: list[Member]) -> None:
        self.members = members
        self._link = link
        self._token = 100

    def give(self, member: Member, *, tell_others: bool = True) -> None:
        """`member` has the lease from now on. `tell_others=False`: whoever had it does not know yet."""
        self._token += 1
        self._link.client.hset(self._link.key(LEASE), mapping={"token": self._token, "process": member.name})
        if tell_others:
            for other in self.members:
                if other is not member:
                    other.lease.become(None)
        member.lease.become(self._token)

    def take_away(self) -> None:
        """Nobody has it."""
        self._link.client.delete(self._link.key(LEASE))
        for member in self.members:
            member.lease.become(None)


@contextmanager
def shared_desk(desk: Desk, link: RedisLink, folder: Path, count: int = 2, **given: Any) -> Iterator[SharedDesk]:
    """`count` processes on one broker, the first with the lease."""
    with ExitStack() as closings:
        members = [Member(f"process-{number}", desk, link, folder, closings) for number in range(1, count + 1)]
        made = SharedDesk(link, members)
        made.give(members[0])
        yield made

"""One connection to the broker for all processes of a desk: who holds it, what the others get, when they get none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import orjson
import pytest

from services.feed.slots import Slots
from services.feed.subscriptions import Limits
from services.live_feed.keeping import OneKeeper
from services.live_feed.others import OthersOfMarket
from services.live_feed.sharing import Role
from services.shared.batches import Batch
from services.shared.link import RedisLink
from services.wire.feed.requests import FeedMode
from tests.support.feed_server import TEXT, FeedServer, feed_server, prices
from tests.support.live_feed import INFY, NIFTY, RELIANCE, Desk, live_feed, until
from tests.support.redis import RedisServer, link_to
from tests.support.shared_feed import Member, SharedDesk, shared_desk


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as made:
        yield made


@pytest.fixture
def desk(server: FeedServer) -> Desk:
    return Desk(server)


@contextmanager
def two(desk: Desk, link: RedisLink, folder: Path) -> Iterator[tuple[SharedDesk, Member, Member]]:
    """A holder and a follower, each with RELIANCE wanted, both connected."""
    with shared_desk(desk, link, folder) as shared:
        holder, follower = shared.members
        for member in shared.members:
            member.feed.hold("tab", [RELIANCE], "ltpc")
            member.feed.connect(timeout=0)
        for member in shared.members:
            until(member.feed, lambda health: health.connected)
            eventually(partial(has_its_snapshot, member))
        yield shared, holder, follower


def eventually(holds: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.005)


def has_its_snapshot(member: Member) -> bool:
    return member.price(RELIANCE) == 100.0


def is_served(member: Member) -> bool:
    return member.feed.serves([RELIANCE]) == {RELIANCE}


def has_no_role(member: Member) -> bool:
    return member.now().role is Role.NONE


def everybody_gets(price: float, server: FeedServer, members: list[Member]) -> None:
    """The broker sends `price` until each of `members` shows it: a snapshot on its way may come after the first."""

    def shown() -> bool:
        with suppress(OSError):
            server.push(prices({RELIANCE: price}))
        return all(member.price(RELIANCE) == price for member in members)

    eventually(shown)


class TestFollowing:
    def test_two_processes_have_the_prices_of_one_connection(
        self, desk: Desk, server: FeedServer, redis_link: RedisLink, tmp_path: Path
    ) -> None:
        with two(desk, redis_link, tmp_path) as (_, holder, follower):
            everybody_gets(1472.5, server, [holder, follower])

            assert len(server.open_peers) == 1
            assert (holder.now().role, follower.now().role) == (Role.HOLDER, Role.FOLLOWER)
            assert follower.feed.serves([RELIANCE]) == {RELIANCE}
            assert follower.feed.market_info is not None
            eventually(lambda: follower.now().lag is not None)

    def test_what_any_process_wants_is_asked_of_the_broker(
        self, desk: Desk, server: FeedServer, redis_link: RedisLink, tmp_path: Path
    ) -> None:
        with two(desk, redis_link, tmp_path) as (_, holder, follower):
            follower.feed.hold("other tab", [INFY], "full")
            server.wait_for(lambda: server.held == {RELIANCE: "ltpc", INFY: "full"})
            eventually(lambda: follower.price(INFY) == 100.0)
            eventually(lambda: holder.now().wanting == 1)
            follower.feed.release("other tab")
            server.wait_for(lambda: server.held == {RELIANCE: "ltpc"})

    def test_whoever_comes_later_gets_a_snapshot_of_what_was_subscribed_already(
        self, desk: Desk, server: FeedServer, redis_link: RedisLink, tmp_path: Path
    ) -> None:
        with two(desk, redis_link, tmp_path) as (_, holder, follower):
            holder.feed.hold("other tab", [NIFTY], "ltpc")
            eventually(lambda: holder.price(NIFTY) == 100.0)
            follower.feed.hold("other tab", [NIFTY], "ltpc")
            eventually(lambda: follower.price(NIFTY) == 100.0)

    def test_a_missed_batch_is_noticed_and_everything_is_asked_for_anew(
        self, desk: Desk, server: FeedServer, redis_link: RedisLink, tmp_path: Path
    ) -> None:
        with two(desk, redis_link, tmp_path) as (_, holder, follower):
            token = holder.lease.token
            assert token is not None
            ahead = Batch(token, 1, 10**6, 0, (prices({RELIANCE: 666.0}),))
            redis_link.client.publish(redis_link.key("frames", "market"), ahead.encode())
            until(follower.feed, lambda health: health.reconnect_count >= 1)
            until(follower.feed, lambda health: health.connected)
            everybody_gets(1473.0, server, [holder, follower])

            assert follower.now().missed > 0
            assert any("did not come" in end.reason for end in follower.feed.health().ends)

    def test_a_follower_is_connected_only_while_the_holder_is(
        self, desk: Desk, server: FeedServer, redis_link: RedisLink, tmp_path: Path
    ) -> None:
        with two(desk, redis_link, tmp_path) as (_, _, follower):
            server.standing = lambda peer: peer.cut()
            server.open_peers[0].hang_up()
            until(follower.feed, lambda health: not health.connected and "has no connection" in health.reason)
            assert follower.feed.serves([RELIANCE]) == set()
            server.standing = None
            until(follower.feed, lambda health: health.connected)

    def test_updates_of_the_portfolio_come_to_all_and_the_books_are_loaded_for_each_connection(
        self, desk: Desk, server: FeedServer, redis_link: RedisLink, tmp_path: Path
    ) -> None:
        with shared_desk(desk, redis_link, tmp_path) as shared:
            heard: dict[str, list[object]] = {member.name: [] for member in shared.members}
            opened: list[str] = []
            for member in shared.members:
                member.portfolio.listen(heard[member.name].append, opened=partial(opened.append, member.name))
            _, follower = shared.members
            follower.portfolio.connect()  # the holder's is up because of it
            eventually(lambda: all(member.portfolio.connected for member in shared.members))
            update = {"update_type": "order", "order_id": "7"}
            server.wait_for(lambda: len(server.open_peers) == 1)
            server.open_peers[0].send(orjson.dumps(update), TEXT)
            eventually(lambda: all(came == [update] for came in heard.values()))
            server.open_peers[0].hang_up()
            eventually(lambda: sorted(opened) == ["process-1", "process-1", "process-2", "process-2"])

    def test_what_all_want_together_and_the_account_does_not_allow_is_had_as_far_as_there_is_room(
        self, desk: Desk, server: FeedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        limits = Limits(dict.fromkeys(FeedMode, 250), dict.fromkeys(FeedMode, 250))
        keys = [f"NSE_EQ|INE{number:06d}018" for number in range(300)]
        with live_feed(desk, tmp_path, limits=limits) as feed:
            others = OthersOfMarket(feed)
            feed.hold("our own", [RELIANCE], "ltpc")
            for _ in range(2):
                others.want({"process-2": dict.fromkeys(keys, "ltpc")})
            assert feed.counts() == {"ltpc": 201}
            assert caplog.text.count("not all that process-2 ltpc wants of the feed can be had") == 1
            others.want({"process-2": dict.fromkeys(keys[:200], "ltpc"), "process-3": {INFY: "ltpc"}})
            assert feed.counts() == {"ltpc": 202}
            others.want({})
            assert feed.counts() == {"ltpc": 1}


class TestHandingOver:
    def test_the_lease_goes_over_and_prices_go_on_with_one_connection_at_most(
        self, desk: Desk, server: FeedServer, redis_link: RedisLink, tmp_path: Path
    ) -> None:
        with two(desk, redis_link, tmp_path) as (shared, first, second):
            second.feed.hold("its own", [INFY], "ltpc")
            eventually(lambda: second.price(INFY) == 100.0)
            shared.give(second)
            until(first.feed, lambda health: health.connected and health.reconnect_count >= 1)
            until(second.feed, lambda health: health.connected)
            eventually(lambda: len(server.open_peers) == 1)
            server.wait_for(lambda: set(server.held) == {RELIANCE, INFY})
            everybody_gets(1480.0, server, shared.members)

            assert (first.now().role, second.now().role) == (Role.FOLLOWER, Role.HOLDER)

    def test_a_holder_that_does_not_know_yet_is_refused_and_nobody_takes_its_prices(
        self, desk: Desk, server: FeedServer, redis_link: RedisLink, tmp_path: Path
    ) -> None:
        with shared_desk(desk, redis_link, tmp_path, count=3) as shared:
            old, new, _ = shared.members
            for member in shared.members:
                member.feed.hold("tab", [RELIANCE], "ltpc")
                member.feed.connect(timeout=0)
            for member in shared.members:
                until(member.feed, lambda health: health.connected)
            server.wait_for(lambda: len(server.open_peers) == 1)
            stale = server.open_peers[0]
            old.feed.hold("more", [INFY])  # a holder at work
            shared.give(new, tell_others=False)
            until(new.feed, lambda health: health.connected)
            with suppress(OSError):  # Redis may have told it by now
                stale.send(prices({RELIANCE: 666.0}))
            eventually(lambda: old.now().sent.refused > 0 and len(server.open_peers) == 1)
            until(old.feed, lambda health: health.connected)  # it follows, though it believes to hold the lease
            everybody_gets(1481.0, server, shared.members)

            assert old.lease.token is not None
            assert desk.authorised == 2, "it went to the broker once more"

    def test_a_batch_of_an_older_token_is_not_accepted(
        self, desk: Desk, server: FeedServer, redis_link: RedisLink, tmp_path: Path
    ) -> None:
        with two(desk, redis_link, tmp_path) as (_, holder, follower):
            assert holder.lease.token is not None
            late = Batch(holder.lease.token - 1, 1, 10**6, 0, (prices({RELIANCE: 666.0}),))
            redis_link.client.publish(redis_link.key("frames", "market"), late.encode())
            eventually(lambda: follower.now().stale == 1)

            assert follower.price(RELIANCE) == 100.0
            assert follower.feed.connected

    def test_what_comes_after_the_lease_is_not_accepted_by_the_holder_itself(
        self, desk: Desk, server: FeedServer, redis_link: RedisLink, tmp_path: Path
    ) -> None:
        with two(desk, redis_link, tmp_path) as (_, holder, _):
            holder.lease.token = None  # a deadline that passed; nobody is told
            server.push(prices({RELIANCE: 666.0}))
            until(holder.feed, lambda health: not health.connected)

            assert holder.price(RELIANCE) == 100.0
            assert any("the lease is not this process's" in end.reason for end in holder.feed.health().ends)

    def test_without_a_holder_nobody_opens_a_connection_and_all_say_so(
        self, desk: Desk, server: FeedServer, redis_link: RedisLink, tmp_path: Path
    ) -> None:
        with two(desk, redis_link, tmp_path) as (shared, holder, follower):
            shared.take_away()
            for member in (holder, follower):
                until(member.feed, lambda health: not health.connected)
            eventually(lambda: not server.open_peers)


class TestRedisAway:
    def test_the_feeds_end_say_why_and_come_back_by_themselves(
        self, desk: Desk, server: FeedServer, own_redis: RedisServer, tmp_path: Path
    ) -> None:
        link = link_to(own_redis, timeout=1.0, again=0.05)
        with two(desk, link, tmp_path) as (shared, holder, follower):
            own_redis.stop()
            holder.lease.become(None)  # as the lease does when its deadline comes
            for member in (holder, follower):
                until(member.feed, lambda health: not health.connected and "Redis does not answer" in health.reason)
                eventually(partial(has_no_role, member))
            eventually(lambda: not server.open_peers)
            authorised = desk.authorised
            own_redis.start()
            shared.give(follower)
            for member in (holder, follower):
                until(member.feed, lambda health: health.connected)
                eventually(partial(is_served, member))

            assert desk.authorised == authorised + 1
        link.close()

    def test_a_redis_that_is_slow_instead_of_away_is_the_same(
        self, desk: Desk, server: FeedServer, own_redis: RedisServer, tmp_path: Path
    ) -> None:
        link = link_to(own_redis, timeout=0.5, again=0.05)
        with two(desk, link, tmp_path) as (shared, holder, follower):
            own_redis.pause()
            holder.lease.become(None)
            for member in (holder, follower):
                until(member.feed, lambda health: not health.connected and "Redis does not answer" in health.reason)
            eventually(lambda: not server.open_peers)
            own_redis.wake()
            shared.give(follower)
            for member in (holder, follower):
                until(member.feed, lambda health: health.connected)
                eventually(partial(is_served, member))
        link.close()


class TestKeeping:
    def test_one_process_of_a_folder_keeps_and_another_takes_over(self, tmp_path: Path) -> None:
        now = [0.0]
        first, second = (
            OneKeeper(Slots(tmp_path, name="ticks", count=1), look=2.0, monotonic=lambda: now[0]) for _ in range(2)
        )
        assert first.ours()
        assert not second.ours()
        first.close()
        assert not second.ours()
        now[0] = 2.0
        assert second.ours()
        second.close()

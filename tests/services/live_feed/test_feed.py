"""The live feed against a scripted server: it connects, subscribes, and comes back whatever happens."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.domain.clock import epoch_ms
from services.domain.errors import AccessDenied, BrokerFault, InvalidRequest, NotSent, RateLimited, TokenRejected
from services.domain.phases import Phase
from services.feed.arrivals import Arrivals
from services.feed.backoff import Backoff
from services.feed.health import StreamState
from services.feed.latency import Step
from services.feed.slots import Slots
from services.feed.watchdog import DataWatchdog
from services.live_feed.resting import Resting
from tests.support.feed_server import (
    FeedServer,
    bad_depth,
    cut_at_once,
    feed_server,
    garbage,
    half_message,
    mute,
    prices,
    refused,
    then_close,
    then_cut,
    torn,
    with_news,
)
from tests.support.live_feed import INFY, NIFTY, NOON, RELIANCE, Desk, live_feed, state, token, until


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as made:
        yield made


@pytest.fixture
def desk(server: FeedServer) -> Desk:
    return Desk(server)


def _prices(feed: object, key: str) -> float:
    board = feed.board  # type: ignore[attr-defined]
    return float(board.snapshot([key]).rows["ltp"][0])


class TestConnecting:
    def test_subscribing_straight_after_connecting_works(self, desk: Desk, server: FeedServer, tmp_path: Path) -> None:
        with live_feed(desk, tmp_path) as feed:
            assert feed.connect()
            feed.hold("script", [RELIANCE, INFY])
            assert feed.settle()
            server.wait_for(lambda: set(server.held) == {RELIANCE, INFY})

        assert server.held == {RELIANCE: "full", INFY: "full"}

    def test_what_was_wanted_before_the_connection_is_said_when_it_stands(
        self, desk: Desk, server: FeedServer, tmp_path: Path
    ) -> None:
        with live_feed(desk, tmp_path) as feed:
            feed.hold("tab", [RELIANCE], "ltpc")
            feed.hold("other tab", [NIFTY], "full")
            feed.connect()
            server.wait_for(lambda: len(server.held) == 2)

        assert server.held == {RELIANCE: "ltpc", NIFTY: "full"}

    def test_prices_come_to_the_board_and_to_the_sinks(self, desk: Desk, server: FeedServer, tmp_path: Path) -> None:
        with live_feed(desk, tmp_path) as feed:
            feed.add_frame_sink(desk.keep_frame)
            feed.hold("tab", [RELIANCE], "ltpc")
            feed.connect()
            until(feed, lambda health: health.updates_received == 1)
            server.push(prices({RELIANCE: 1472.5}, ltt_ms=7))
            until(feed, lambda health: health.updates_received == 2)

            assert _prices(feed, RELIANCE) == 1472.5

        assert desk.ticks[-1] == (epoch_ms(NOON), [(RELIANCE, 1472.5, 7, 5, None)])
        assert desk.frames[-1] == prices({RELIANCE: 1472.5}, ltt_ms=7)
        assert feed.latency.percentiles()[Step.RECEIVED_TO_BOARD].count == 2
        assert feed.latency.percentiles()[Step.EXCHANGE_TO_RECEIVED].count == 2

    def test_a_row_without_news_of_the_last_trade_is_no_tick(
        self, desk: Desk, server: FeedServer, tmp_path: Path
    ) -> None:
        with live_feed(desk, tmp_path) as feed:
            feed.hold("tab", [RELIANCE], "ltpc")
            feed.connect()
            until(feed, lambda health: health.updates_received == 1)
            for _ in range(3):
                server.push(prices({RELIANCE: 100.0}))
            until(feed, lambda health: health.updates_received == 4)

        assert len(desk.ticks) == 1

    def test_the_brokers_market_information_is_kept(self, desk: Desk, server: FeedServer, tmp_path: Path) -> None:
        with live_feed(desk, tmp_path) as feed:
            assert feed.market_info is None
            feed.connect()
            until(feed, lambda health: health.messages_received == 1)

            assert feed.market_info is not None
            assert feed.market_info.segments == {"NSE_EQ": "NORMAL_OPEN"}

    def test_a_long_list_is_said_in_pieces(self, desk: Desk, server: FeedServer, tmp_path: Path) -> None:
        keys = [f"NSE_FO|{number}" for number in range(2000)]
        with live_feed(desk, tmp_path) as feed:
            feed.hold("table", keys, "full")
            feed.connect()
            assert feed.settle()
            server.wait_for(lambda: len(server.held) == 2000)
            until(feed, lambda health: health.updates_received == 2000)

        assert max(len(request["data"]["instrumentKeys"]) for request in server.requests) <= 500  # type: ignore[index]
        assert len({request["guid"] for request in server.requests}) == len(server.requests)

    def test_more_than_the_broker_allows_is_refused_at_once(self, desk: Desk, tmp_path: Path) -> None:
        with live_feed(desk, tmp_path) as feed, pytest.raises(InvalidRequest, match="2,000"):
            feed.hold("table", [f"NSE_FO|{number}" for number in range(2001)], "full")


class TestHolders:
    def test_closing_one_of_two_sessions_releases_its_keys_alone(
        self, desk: Desk, server: FeedServer, tmp_path: Path
    ) -> None:
        with live_feed(desk, tmp_path) as feed:
            feed.connect()
            feed.hold("one", [RELIANCE, NIFTY])
            feed.hold("two", [NIFTY, INFY])
            server.wait_for(lambda: len(server.held) == 3)

            feed.release("one")
            server.wait_for(lambda: len(server.held) == 2)
            until(feed, lambda health: feed.serves([RELIANCE, NIFTY, INFY]) == {NIFTY, INFY})
            assert RELIANCE not in feed.board
            feed.release("two")
            server.wait_for(lambda: not server.held)

            assert feed.health().subscribed_count == 0
            assert len(feed.board) == 0
        assert len(server.targets) == 1

    def test_what_was_subscribed_and_has_not_come_yet_is_not_served(
        self, desk: Desk, server: FeedServer, tmp_path: Path
    ) -> None:
        server.scripts.append(mute)
        with live_feed(desk, tmp_path) as feed:
            feed.hold("tab", [RELIANCE], "ltpc")
            feed.connect()
            server.wait_for(lambda: RELIANCE in server.held)
            assert feed.serves([RELIANCE]) == set()

            server.push(prices({RELIANCE: 5.0}))
            until(feed, lambda health: health.updates_received == 1)
            assert feed.serves([RELIANCE]) == {RELIANCE}

    def test_a_holder_can_be_abandoned_by_whoever_holds_the_feeds_own_lock(
        self, desk: Desk, server: FeedServer, tmp_path: Path
    ) -> None:
        with live_feed(desk, tmp_path) as feed:
            feed.connect()
            feed.hold("tab", [RELIANCE], "ltpc")
            server.wait_for(lambda: RELIANCE in server.held)

            with feed._lock:  # the collector may run a finalizer in the middle of anything
                feed.abandon("tab")

            server.wait_for(lambda: not server.held)
            assert feed.health().subscribed_count == 0

    def test_a_lease_that_is_not_renewed_ends(self, desk: Desk, server: FeedServer, tmp_path: Path) -> None:
        with live_feed(desk, tmp_path) as feed:
            feed.connect()
            feed.wanted([RELIANCE], feed._monotonic() + 0.2, "ltpc")
            server.wait_for(lambda: RELIANCE in server.held)

            server.wait_for(lambda: not server.held)

    def test_a_stronger_wish_changes_the_mode(self, desk: Desk, server: FeedServer, tmp_path: Path) -> None:
        with live_feed(desk, tmp_path) as feed:
            feed.connect()
            feed.hold("overview", [RELIANCE], "ltpc")
            server.wait_for(lambda: server.held == {RELIANCE: "ltpc"})
            feed.hold("quotes", [RELIANCE], "full")
            server.wait_for(lambda: server.held == {RELIANCE: "full"})

        assert [request["method"] for request in server.requests] == ["sub", "change_mode"]

    def test_a_key_that_stays_silent_is_asked_for_once_more_and_then_named(
        self, desk: Desk, server: FeedServer, tmp_path: Path
    ) -> None:
        unknown = "NSE_EQ|UNKNOWN"
        with live_feed(desk, tmp_path, arrivals=Arrivals(patience=0.05)) as feed:
            feed.connect()
            feed.hold("tab", [RELIANCE, unknown], "ltpc")
            health = until(feed, lambda health: health.silent == (unknown,))

            assert health.subscribed_count == 2
            assert feed.serves([RELIANCE, unknown]) == {RELIANCE}
            server.push(prices({unknown: 1.0}))
            until(feed, lambda health: health.silent == ())

        asked = [request["data"]["instrumentKeys"] for request in server.requests]  # type: ignore[index]
        assert asked == [[RELIANCE, unknown], [unknown]]


class TestEndsAndReturns:
    @pytest.mark.parametrize(
        ("script", "reason"),
        [
            (then_cut, "without a close frame"),
            (then_close(1000), "1000"),
            (then_close(1012, "restart"), "1012: restart"),
            (torn, "without a close frame"),
            (cut_at_once, "without an answer"),
            (refused(503), "503"),
            (refused(403), "403"),
        ],
    )
    def test_it_comes_back_with_every_subscription_and_a_fresh_address(
        self, desk: Desk, server: FeedServer, tmp_path: Path, script: object, reason: str
    ) -> None:
        server.scripts.append(script)  # type: ignore[arg-type]
        with live_feed(desk, tmp_path) as feed:
            feed.hold("tab", [RELIANCE, NIFTY], "ltpc")
            feed.connect()
            server.wait_for(lambda: len(server.open_peers) == 1 and len(server.held) == 2)
            health = until(feed, lambda health: health.connected and health.updates_received == 2)

            assert reason in health.ends[0].reason
        assert server.held == {RELIANCE: "ltpc", NIFTY: "ltpc"}
        assert server.targets[0] != server.targets[1]

    @pytest.mark.parametrize("script", [garbage, half_message])
    def test_a_bad_frame_is_counted_and_nothing_else_happens(
        self, desk: Desk, server: FeedServer, tmp_path: Path, script: object
    ) -> None:
        server.scripts.append(script)  # type: ignore[arg-type]
        with live_feed(desk, tmp_path) as feed:
            feed.hold("tab", [RELIANCE], "ltpc")
            feed.connect()
            health = until(feed, lambda health: health.updates_received >= 1)

            assert health.bad_frames >= 1
            assert health.reconnect_count == 0
        assert len(server.targets) == 1

    def test_members_that_the_broker_added_are_named_and_prices_go_on(
        self, desk: Desk, server: FeedServer, tmp_path: Path
    ) -> None:
        server.scripts.append(with_news)
        with live_feed(desk, tmp_path) as feed:
            feed.hold("tab", [RELIANCE], "ltpc")
            feed.connect()
            health = until(feed, lambda health: health.updates_received >= 2)

            assert health.unknown_members == ("FeedResponse.9", "LTPC.6")
            assert (health.bad_frames, health.reconnect_count) == (0, 0)

    def test_a_depth_that_cannot_be_read_is_counted_and_its_price_stands(
        self, desk: Desk, server: FeedServer, tmp_path: Path
    ) -> None:
        server.scripts.append(bad_depth)
        with live_feed(desk, tmp_path) as feed:
            feed.hold("tab", [RELIANCE], "ltpc")
            feed.connect()
            health = until(feed, lambda health: health.updates_received >= 2)

            assert (health.bad_frames, health.unknown_members, health.reconnect_count) == (1, (), 0)

    def test_random_frames_end_neither_the_thread_nor_the_connection(
        self, desk: Desk, server: FeedServer, tmp_path: Path
    ) -> None:
        source = random.Random(5)
        real = prices({RELIANCE: 1.0, NIFTY: 2.0})
        with live_feed(desk, tmp_path) as feed:
            feed.hold("tab", [RELIANCE], "ltpc")
            feed.connect()
            until(feed, lambda health: health.updates_received == 1)
            for _ in range(300):
                place = source.randrange(len(real))
                server.push(real[:place] + source.randbytes(source.randrange(1, 5)) + real[place + 1 :])
                server.push(source.randbytes(source.randrange(1, 80)))
            server.push(prices({RELIANCE: 1234.5}))
            health = until(feed, lambda health: health.messages_received == 603)

            assert _prices(feed, RELIANCE) == 1234.5
            assert health.bad_frames > 100
            assert health.reconnect_count == 0

    def test_from_the_moment_of_loss_nothing_is_served(self, desk: Desk, server: FeedServer, tmp_path: Path) -> None:
        with live_feed(
            desk, tmp_path, resting=Resting(refusal_pauses=(60.0,), backoff=Backoff(uniform=desk.no_pause))
        ) as feed:
            feed.hold("tab", [RELIANCE], "ltpc")
            feed.connect()
            until(feed, lambda health: health.updates_received == 1)
            assert feed.serves([RELIANCE]) == {RELIANCE}

            server.scripts.append(refused(403))
            server.open_peers[0].hang_up()
            health = until(feed, state(StreamState.WAITING))

            assert feed.serves([RELIANCE]) == set()
            assert not feed.connected
            assert (health.connected, health.stale_since) == (False, NOON)
            assert _prices(feed, RELIANCE) == 100.0  # the last known one stays, with its age

    def test_the_pauses_grow_and_every_one_is_jittered(self, desk: Desk, tmp_path: Path) -> None:
        desk.refusals = [NotSent("nobody there") for _ in range(10)]
        with live_feed(desk, tmp_path) as feed:
            assert feed.connect(timeout=10)

        assert desk.pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]

    def test_the_broker_can_ask_for_a_longer_pause(self, desk: Desk, tmp_path: Path) -> None:
        limited = RateLimited("too many requests", status=429)
        limited.retry_after = 77.0
        desk.refusals = [limited]
        with live_feed(desk, tmp_path) as feed:
            feed.connect("desk", timeout=0)
            health = until(feed, lambda health: health.next_attempt_seconds is not None)

            assert health.state is StreamState.WAITING
            assert health.next_attempt_seconds == pytest.approx(77, abs=5)
            feed.retry()
            until(feed, lambda health: health.connected)

    def test_a_row_in_the_books_tells_how_each_connection_ended(
        self, desk: Desk, server: FeedServer, tmp_path: Path
    ) -> None:
        server.scripts.append(then_close(1008, "too many"))
        with live_feed(desk, tmp_path) as feed:
            feed.hold("tab", [RELIANCE], "ltpc")
            feed.connect()
            until(feed, lambda health: health.connected and health.updates_received == 1)

        ended = [(record.stream, record.reconnect, record.updates) for record in desk.records if record.ended]
        assert ended == [("market", 0, 0), ("market", 1, 1)]
        first, last = (record for record in desk.records if record.ended)
        assert "1008: too many" in first.reason
        assert last.reason == "it was asked to end"

    def test_a_fault_of_our_own_ends_neither_the_thread_nor_the_feed(
        self, desk: Desk, server: FeedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        faults = iter([True, False, False, False])

        def sink(received_ms: int, ticks: object) -> None:
            if next(faults, False):
                raise RuntimeError("a bug")

        with live_feed(desk, tmp_path) as feed:
            feed.add_tick_sink(sink)
            feed.hold("tab", [RELIANCE], "ltpc")
            feed.connect()
            health = until(feed, lambda health: health.reconnect_count == 1 and health.connected)

            assert "fault of the desk's own" in health.ends[0].reason
        assert "a bug" in caplog.text


class TestWatchdog:
    def test_mute_in_the_session_is_replaced(self, desk: Desk, server: FeedServer, tmp_path: Path) -> None:
        server.scripts.append(mute)
        with live_feed(desk, tmp_path, watchdog=DataWatchdog(seconds=0.1)) as feed:
            feed.hold("tab", [RELIANCE], "ltpc")
            feed.connect()
            health = until(feed, lambda health: health.updates_received >= 1)

            assert "no price for" in health.ends[0].reason
        assert server.held == {RELIANCE: "ltpc"}

    @pytest.mark.parametrize("phase", [Phase.CLOSED, Phase.CLOSING_AUCTION, Phase.PRE_OPEN, Phase.UNKNOWN])
    def test_mute_when_nothing_moves_is_left_alone(
        self, desk: Desk, server: FeedServer, tmp_path: Path, phase: Phase
    ) -> None:
        desk.phase = phase
        looks = threading.Semaphore(0)
        original = desk.phase_of
        desk.phase_of = lambda segment, listing: (looks.release(), original(segment, listing))[1]  # type: ignore[method-assign, assignment]
        server.scripts.append(mute)
        with live_feed(desk, tmp_path, watchdog=DataWatchdog(seconds=0.01)) as feed:
            feed.hold("tab", [RELIANCE], "ltpc")
            feed.connect()
            for _ in range(20):
                assert looks.acquire(timeout=5)

            assert feed.health().reconnect_count == 0
        assert len(server.targets) == 1

    def test_a_practice_market_is_always_in_session(self, desk: Desk, server: FeedServer, tmp_path: Path) -> None:
        desk.phase, desk.practice = Phase.CLOSED, True
        server.scripts.append(mute)
        with live_feed(desk, tmp_path, watchdog=DataWatchdog(seconds=0.1)) as feed:
            feed.hold("tab", [RELIANCE], "ltpc")
            feed.connect()
            until(feed, lambda health: health.updates_received >= 1)

    def test_without_subscriptions_silence_is_normal(self, desk: Desk, server: FeedServer, tmp_path: Path) -> None:
        with live_feed(desk, tmp_path, watchdog=DataWatchdog(seconds=0.01)) as feed:
            feed.connect()
            peers = len(server.targets)
            feed.hold("tab", [RELIANCE], "ltpc")
            until(feed, lambda health: health.updates_received >= 1)

        assert peers == 1


class TestLogin:
    def test_without_a_token_it_asks_for_a_login_and_goes_on_by_itself(self, desk: Desk, tmp_path: Path) -> None:
        desk.token = None
        with live_feed(desk, tmp_path) as feed:
            assert not feed.connect(timeout=5)
            health = feed.health()
            assert (health.state, health.login_url) == (StreamState.LOGIN_NEEDED, "https://login")
            assert health.next_attempt_seconds is None

            desk.token = token("token-two")
            until(feed, lambda health: health.connected)
            assert feed.health().login_url is None

    def test_401_at_the_handshake_stops_it_until_another_token_comes(
        self, desk: Desk, server: FeedServer, tmp_path: Path
    ) -> None:
        server.scripts.append(refused(401))
        with live_feed(desk, tmp_path) as feed:
            assert not feed.connect(timeout=5)
            until(feed, state(StreamState.LOGIN_NEEDED))
            asked = desk.authorised
            feed._stream.wait_for(lambda: False, 0.1)  # many polls later
            assert desk.authorised == asked == 1

            desk.token = token("token-two")
            until(feed, lambda health: health.connected)

        assert desk.told[0][0] == "TokenRejected"

    def test_401_at_the_authorisation_stops_it_too(self, desk: Desk, tmp_path: Path) -> None:
        desk.refusals = [TokenRejected("the token is dead", status=401)]
        with live_feed(desk, tmp_path) as feed:
            feed.connect("desk", timeout=5)
            until(feed, state(StreamState.LOGIN_NEEDED))

            assert desk.authorised == 1
            feed.connect("desk", timeout=5)  # a person asks again
            assert feed.connected

    def test_the_token_is_read_anew_for_each_connection(self, desk: Desk, server: FeedServer, tmp_path: Path) -> None:
        with live_feed(desk, tmp_path) as feed:
            feed.hold("tab", [RELIANCE], "ltpc")
            feed.connect()
            until(feed, lambda health: health.updates_received == 1)

            desk.clock.move(hours=16)  # its end has passed
            desk.token = token("of the next day", expires=NOON + timedelta(days=2))
            health = until(feed, lambda health: health.reconnect_count == 1 and health.updates_received == 2)

            assert health.ends[0].reason == "the token has ended"
        assert desk.pauses == []

    def test_at_the_tokens_end_it_does_not_stay_connected_and_mute(self, desk: Desk, tmp_path: Path) -> None:
        with live_feed(desk, tmp_path) as feed:
            feed.connect()
            desk.token = None
            desk.clock.move(hours=16)

            until(feed, state(StreamState.LOGIN_NEEDED))

    def test_a_token_that_has_ended_and_is_handed_out_again_is_not_tried_in_a_circle(
        self, desk: Desk, tmp_path: Path
    ) -> None:
        desk.token = token(expires=NOON)
        with live_feed(desk, tmp_path) as feed:
            feed.connect("desk", timeout=0)
            until(feed, lambda health: len(desk.pauses) >= 3)

        assert desk.pauses[:3] == [1, 2, 4]

    def test_another_persons_login_replaces_the_connection(
        self, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("services.live_feed.course.TOKEN_SECONDS", 0.0)
        with live_feed(desk, tmp_path) as feed:
            feed.connect()
            desk.token = token("another person's")
            health = until(feed, lambda health: health.reconnect_count == 1)

            assert "another login" in health.ends[0].reason


class TestRefusals:
    def test_403_is_tried_slowly_with_new_addresses_then_given_up_with_the_reason(
        self, desk: Desk, server: FeedServer, tmp_path: Path
    ) -> None:
        body = b'{"status":"error","errors":[{"errorCode":"UDAPI1179","message":"Too many connections"}]}'
        server.standing = refused(403, body)
        with live_feed(desk, tmp_path) as feed:
            assert not feed.connect(timeout=10)
            health = until(feed, state(StreamState.REFUSED))

            assert "Too many connections" in health.reason
            assert health.next_attempt_seconds == pytest.approx(1800, abs=5)
            assert len(set(server.targets)) == 3

            server.standing = None
            assert feed.connect(timeout=5)  # a person asks again
        assert desk.pauses == []

    def test_a_refused_authorisation_counts_as_one(self, desk: Desk, tmp_path: Path) -> None:
        desk.refusals = [AccessDenied("static IP", status=403) for _ in range(3)]
        with live_feed(desk, tmp_path) as feed:
            feed.connect("desk", timeout=0)

            assert until(feed, state(StreamState.REFUSED)).reason.startswith("static IP")

    def test_trouble_of_the_brokers_own_is_not_a_refusal(self, desk: Desk, tmp_path: Path) -> None:
        desk.refusals = [BrokerFault("bad gateway", status=502) for _ in range(8)]
        with live_feed(desk, tmp_path) as feed:
            assert feed.connect(timeout=10)


class TestUpAndDown:
    def test_disconnecting_says_goodbye_and_stays_down(self, desk: Desk, server: FeedServer, tmp_path: Path) -> None:
        with live_feed(desk, tmp_path) as feed:
            feed.connect()
            feed.hold("tab", [RELIANCE])
            server.wait_for(lambda: RELIANCE in server.held)

            feed.disconnect()

            assert not feed.connected
            assert feed.health().state is StreamState.OFF
            server.wait_for(lambda: server.ended == [b"\x03\xe8"])
            feed.hold("tab", [INFY])
            feed.retry()
            assert not feed._stream.running
            assert len(server.targets) == 1

            assert feed.connect()
            server.wait_for(lambda: set(server.held) == {RELIANCE, INFY})

    def test_it_is_up_while_anybody_wants_it(self, desk: Desk, tmp_path: Path) -> None:
        with live_feed(desk, tmp_path) as feed:
            feed.connect("desk")
            feed.connect("script")

            feed.disconnect("script")
            assert feed.connected
            feed.disconnect("desk")
            assert not feed.connected

    def test_its_thread_ends_with_it(self, desk: Desk, tmp_path: Path) -> None:
        with live_feed(desk, tmp_path) as feed:
            feed.connect()
            thread = feed._stream._thread
            assert thread is not None
            assert (thread.name, thread.daemon) == ("market-feed", True)

        thread.join(30)
        assert not thread.is_alive()

    def test_closing_while_the_handshake_hangs_does_not_wait_for_it(
        self, desk: Desk, server: FeedServer, tmp_path: Path
    ) -> None:
        server.scripts.append(lambda peer: peer.server.over.wait(30) and None)
        with live_feed(desk, tmp_path) as feed:
            feed.connect("desk", timeout=0)
            server.wait_for(lambda: bool(server.targets))
            thread = feed._stream._thread
            assert thread is not None

        thread.join(30)
        assert not thread.is_alive()
        server.over.set()

    def test_disconnecting_while_it_authorises_opens_nothing(
        self, desk: Desk, server: FeedServer, tmp_path: Path
    ) -> None:
        asked, go_on = threading.Event(), threading.Event()
        original = desk.authorise

        def slow() -> str:
            asked.set()
            go_on.wait(30)
            return original()

        desk.authorise = slow  # type: ignore[method-assign]
        with live_feed(desk, tmp_path) as feed:
            feed.connect("desk", timeout=0)
            asked.wait(30)
            thread = feed._stream._thread
            assert thread is not None
            feed._stream.unwant(timeout=0.01)
            go_on.set()
            thread.join(30)

        assert server.targets == []


class TestSlots:
    def test_without_a_slot_it_says_so_and_takes_one_that_becomes_free(self, desk: Desk, tmp_path: Path) -> None:
        others = [Slots(tmp_path), Slots(tmp_path)]
        for other in others:
            other.take()
        with live_feed(desk, tmp_path) as feed:
            assert not feed.connect(timeout=5)
            health = feed.health()
            assert (health.state, health.slot) == (StreamState.NO_SLOT, None)
            assert "two other processes" in health.reason
            assert desk.authorised == 0

            others[1].give_back()
            assert until(feed, lambda health: health.connected).slot == 2
        others[0].give_back()

    def test_going_down_and_up_again_at_once_never_leaves_it_without_a_slot(self, desk: Desk, tmp_path: Path) -> None:
        with live_feed(desk, tmp_path) as feed:
            for _ in range(30):
                feed.connect()
                feed._stream.unwant(timeout=0.0)
                feed.connect()

                assert feed.health().slot == 1
                feed.disconnect()

    def test_a_feed_that_is_down_holds_no_slot(self, desk: Desk, tmp_path: Path) -> None:
        with live_feed(desk, tmp_path) as feed:
            feed.connect()
            assert feed.health().slot == 1
            feed.disconnect()
            feed._stream.wait_for(lambda: feed.health().slot is None, 1)
            assert feed.health().slot is None

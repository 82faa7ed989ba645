"""What the push channel tells: rows of the quote book, and an honest word on the feed."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from dashboard.push import prices as module
from dashboard.push.prices import (
    HOLDER,
    LOOK_AT_ALL_SECONDS,
    MUTE_SECONDS,
    RENEW_SECONDS,
    STEP,
    WORD_SECONDS,
    DeskPrices,
    feed_word,
)
from services.domain.clock import epoch_ms
from services.domain.errors import InvalidRequest
from services.domain.quote_row import QuoteRow
from services.domain.quotes import FROM_FEED
from services.feed.health import StreamState
from services.feed.subscriptions import Limits, Subscriptions
from services.wire.feed.requests import FeedMode
from tests.support.clocks import FakeClock, FakeMonotonic
from tests.support.quotes import keys
from tests.support.readings import INFY, NOW, RELIANCE, row

WHOLE = [RELIANCE, INFY]


class Book:
    """Quotes that are set by hand. Who looks on the disk waits, and that is not for the event loop."""

    def __init__(self) -> None:
        self.rows: dict[str, QuoteRow] = {}
        self.watched: list[tuple[str, frozenset[str]]] = []

    def put(self, *rows: QuoteRow) -> None:
        self.rows |= {one["instrument_key"]: one for one in rows}

    def watch(self, holder: str, keys: Collection[str], *, on_feed: bool) -> None:
        assert not on_feed, "the feed is held by each listener, for as long as it listens"
        self.watched.append((holder, frozenset(keys)))

    def last_known(self, keys: Iterable[str], *, disk: bool = True) -> dict[str, QuoteRow]:
        assert not disk, "the pump must not wait for the disk"
        return {key: self.rows[key] for key in keys if key in self.rows}


class Board:
    """Counts the frames that told something."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def changed_since(self, version: int) -> tuple[int, list[str]]:
        return len(self.told), self.told[version:]


class Feed:
    """Takes at most `room` instruments, as the broker does."""

    def __init__(self, room: int = 100) -> None:
        self.board = Board()
        limits = dict.fromkeys(FeedMode, room)
        self._subscriptions = Subscriptions(limits=Limits(limits, limits))
        self.told = SimpleNamespace(
            state=StreamState.CONNECTED,
            connected=True,
            reason="",
            sent_count=2,
            last_update_ago_seconds=0.1,
            last_message_ago_seconds=0.1,
            uptime_seconds=60.0,
        )

    def replace(self, holder: str, keys: Collection[str]) -> None:
        self._subscriptions.replace(holder, keys, "full", 0.0)

    def hold(self, holder: str, keys: Collection[str]) -> None:
        self._subscriptions.hold(holder, keys, "full", 0.0)

    def release(self, holder: str) -> None:
        self._subscriptions.release(holder, 0.0)

    def holders(self) -> dict[str, int]:
        return self._subscriptions.holders()

    def health(self) -> Any:
        return self.told


class Runtime(SimpleNamespace):
    """The parts that the push channel asks for."""

    expected = True

    def prices_expected(self) -> bool:
        return self.expected


@pytest.fixture
def runtime() -> Runtime:
    return Runtime(quotes=Book(), feed=Feed(), clock=FakeClock(NOW), painted=[].append)


@pytest.fixture
def monotonic() -> FakeMonotonic:
    return FakeMonotonic()


@pytest.fixture
def prices(runtime: Runtime, monotonic: FakeMonotonic) -> DeskPrices:
    return DeskPrices(lambda: runtime, monotonic=monotonic)


# -- rows ----------------------------------------------------------------------------------------------------------


def test_a_newcomer_is_told_all_that_is_known_then_only_what_changed(prices: DeskPrices, runtime: Runtime) -> None:
    runtime.quotes.put(row(RELIANCE, 1500.0))

    cursor, told = prices.changed(0, WHOLE)
    assert list(told) == [RELIANCE], "of the other nothing is known yet"

    cursor, told = prices.changed(cursor, WHOLE)
    assert told == {}
    runtime.quotes.put(row(INFY, 1600.0))
    runtime.feed.board.told.append(INFY)
    cursor, told = prices.changed(cursor, WHOLE)
    assert list(told) == [INFY]


def test_what_a_request_brought_is_told_with_the_next_look_at_everything(
    prices: DeskPrices, runtime: Runtime, monotonic: FakeMonotonic
) -> None:
    cursor, _ = prices.changed(0, WHOLE)
    cursor, _ = prices.changed(cursor, WHOLE)
    runtime.quotes.put(row(INFY, 1600.0))  # the feed has said nothing

    cursor, told = prices.changed(cursor, WHOLE)
    assert told == {}
    monotonic.now += LOOK_AT_ALL_SECONDS
    cursor, told = prices.changed(cursor, WHOLE)

    assert list(told) == [INFY]


def test_whatever_is_wanted_anew_is_looked_at_at_once(prices: DeskPrices, runtime: Runtime) -> None:
    cursor, _ = prices.changed(0, [RELIANCE])
    cursor, _ = prices.changed(cursor, [RELIANCE])
    runtime.quotes.put(row(INFY, 1600.0))

    _, told = prices.changed(cursor, WHOLE)

    assert list(told) == [INFY]


@pytest.mark.parametrize("known_by", ["the feed", "a look at everything", "the newcomer alone"])
def test_a_newcomer_takes_nothing_away_from_the_others(
    prices: DeskPrices, runtime: Runtime, monotonic: FakeMonotonic, known_by: str
) -> None:
    runtime.quotes.put(row(RELIANCE, 1500.0))
    cursor, _ = prices.changed(0, WHOLE)
    cursor, _ = prices.changed(cursor, WHOLE)
    runtime.quotes.put(row(RELIANCE, 1501.0))
    if known_by == "the feed":
        runtime.feed.board.told.append(RELIANCE)
    elif known_by == "a look at everything":
        monotonic.now += LOOK_AT_ALL_SECONDS

    _, state = prices.changed(0, [RELIANCE])  # somebody joins between two passes of the pump
    _, told = prices.changed(cursor, WHOLE)

    assert state[RELIANCE]["ltp"] == told[RELIANCE]["ltp"] == 1501.0


def test_what_is_watched_is_renewed_now_and_then_and_at_once_for_what_is_new(
    prices: DeskPrices, runtime: Runtime, monotonic: FakeMonotonic
) -> None:
    prices.changed(0, [RELIANCE])
    prices.changed(0, [INFY])
    cursor, _ = prices.changed(1, WHOLE)
    prices.changed(cursor, WHOLE)
    assert runtime.quotes.watched == [(HOLDER, frozenset({RELIANCE})), (HOLDER, frozenset(WHOLE))]

    monotonic.now += RENEW_SECONDS
    prices.changed(cursor, [INFY])
    assert runtime.quotes.watched[2:] == [(HOLDER, frozenset({INFY}))], "what nobody looks at falls away"


def test_rows_that_nobody_listens_to_are_forgotten(
    prices: DeskPrices, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_UNWANTED", 10)
    many = keys(50)
    runtime.quotes.put(*[row(key) for key in many])
    cursor, _ = prices.changed(0, many)

    prices.changed(cursor, many[:3])

    assert sorted(prices._told) == sorted(many[:3])


# -- who holds what ------------------------------------------------------------------------------------------------


def test_a_listener_holds_what_it_wants_until_it_leaves(prices: DeskPrices, runtime: Runtime) -> None:
    prices.hold("push-1", WHOLE)
    prices.hold("push-2", [INFY])
    prices.hold("push-1", [RELIANCE])
    assert runtime.feed.holders() == {"push-1": 1, "push-2": 1}

    prices.release("push-1")
    prices.release("push-9")

    assert runtime.feed.holders() == {"push-2": 1}


def test_of_more_than_the_feed_takes_as_much_as_fits_is_live(
    prices: DeskPrices, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    runtime.feed = Feed(room=3 * STEP)
    prices.hold("push-1", keys(STEP))

    with caplog.at_level(logging.WARNING):
        prices.hold("push-2", keys(4 * STEP)[STEP:])

    assert runtime.feed.holders() == {"push-1": STEP, "push-2": 2 * STEP}
    assert f"the feed takes {2 * STEP} of {3 * STEP} instruments" in caplog.text


def test_what_is_no_instrument_is_refused_and_nothing_is_held(prices: DeskPrices, runtime: Runtime) -> None:
    prices.hold("push-1", [RELIANCE])

    prices.hold("push-1", ["nonsense"])

    assert runtime.feed.holders() == {}


# -- the word on the feed ------------------------------------------------------------------------------------------


def test_a_feed_that_tells_prices_is_live(prices: DeskPrices) -> None:
    assert prices.word() == {"live": True, "state": "connected", "why": ""}


def test_the_word_is_asked_for_anew_after_a_moment(
    prices: DeskPrices, runtime: Runtime, monotonic: FakeMonotonic
) -> None:
    assert prices.word()["live"]
    runtime.feed.told.connected = False

    monotonic.now += WORD_SECONDS

    assert not prices.word()["live"]


def test_a_feed_that_told_nothing_for_three_seconds_in_session_is_not_called_live(runtime: Runtime) -> None:
    runtime.feed.told.last_update_ago_seconds = MUTE_SECONDS + 0.1

    assert feed_word(runtime) == {"live": False, "state": "connected", "why": "no price for more than 3 s"}


def test_messages_without_prices_do_not_make_it_live(runtime: Runtime) -> None:
    runtime.feed.told.last_update_ago_seconds = 500.0
    runtime.feed.told.last_message_ago_seconds = 0.1

    assert not feed_word(runtime)["live"]


@pytest.mark.parametrize("ago", [None, 61.0])
def test_a_new_connection_is_live_with_its_first_price(runtime: Runtime, ago: float | None) -> None:
    runtime.feed.told.last_update_ago_seconds = ago

    assert feed_word(runtime) == {"live": False, "state": "connected", "why": "no price has come yet"}


@pytest.mark.parametrize(("expected", "sent"), [(False, 2), (True, 0)])
def test_where_no_price_can_be_expected_silence_means_nothing(runtime: Runtime, expected: bool, sent: int) -> None:
    runtime.expected, runtime.feed.told.sent_count = expected, sent
    runtime.feed.told.last_update_ago_seconds = 9000.0

    assert feed_word(runtime)["live"]


def test_a_feed_that_is_away_says_why(runtime: Runtime) -> None:
    told = runtime.feed.told
    told.state, told.connected, told.reason = StreamState.LOGIN_NEEDED, False, "the broker refuses the token"

    assert feed_word(runtime) == {"live": False, "state": "login needed", "why": "the broker refuses the token"}


def test_now_is_the_desks(prices: DeskPrices) -> None:
    assert prices.now_ms() == epoch_ms(NOW)


def test_what_was_painted_is_handed_on(runtime: Runtime) -> None:
    painted: list[float] = []
    runtime.painted = painted.append

    DeskPrices(lambda: runtime).painted(0.02)

    assert painted == [0.02]


def test_the_newest_row_of_the_feed_tells_how_long_prices_wait_for_the_push(runtime: Runtime) -> None:
    waited: list[float] = []

    def note(seconds: float) -> float:
        waited.append(seconds)
        return seconds

    runtime.sent = note
    rows = {
        key: {"api_version": version, "received_at": NOW - timedelta(milliseconds=age)}
        for key, version, age in (("a", FROM_FEED, 9000), ("b", FROM_FEED, 20), ("c", "v3", 1))
    }

    assert DeskPrices(lambda: runtime).sent(rows) == 0.02
    assert DeskPrices(lambda: runtime).sent({"c": rows["c"]}) is None
    assert waited == [0.02]


def test_the_limits_are_the_brokers_own() -> None:
    with pytest.raises(InvalidRequest, match="the feed takes 100 instruments"):
        Feed().replace("one", keys(101))

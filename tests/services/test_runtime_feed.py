"""The live feed in the real object graph: prices reach quotes, ticks the disk, and requests rest meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from dashboard.push.prices import DeskPrices, feed_word
from services.domain.errors import InvalidRequest
from services.domain.quotes import FROM_FEED
from services.runtime import Runtime
from services.settings import load_settings
from tests.support.feed_paper import FeedBench, feeding
from tests.support.paper import CRUDE, INFY, NIFTY, RELIANCE
from tests.support.quotes import wait_until

WANTED = [RELIANCE, INFY, NIFTY]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FeedBench]:
    with feeding(tmp_path / "broker", faults=True, limits=False) as made:
        yield made


@contextmanager
def desk(bench: FeedBench, folder: Path, **given: object) -> Iterator[Runtime]:
    """A desk beside that broker, its feed connected."""
    address = {"api_base": bench.server.base_url, "access_token": bench.server.access_token()}
    with Runtime(load_settings(data_dir=folder / "desk", **address, **given)) as runtime:
        assert runtime.feed_in().connect()
        yield runtime


def calls_for_quotes(runtime: Runtime) -> int:
    told = [sum(one.answers.values()) for one in runtime.api.caller.reports.versions() if one.operation == "quotes"]
    assert told, "quotes were asked for"
    return sum(told)


def watched(runtime: Runtime, *keys: str) -> None:
    """Have a quote of each of `keys`, then its prices by the feed."""
    assert runtime.quotes.get(keys).quotes.keys() == set(keys)
    runtime.feed.hold("test", keys)
    wait_until(lambda: runtime.feed.serves(keys) == set(keys))


def test_a_price_goes_from_the_brokers_feed_into_quotes_and_no_request_is_made(
    bench: FeedBench, tmp_path: Path
) -> None:
    with desk(bench, tmp_path) as rt:
        watched(rt, *WANTED)
        calls = calls_for_quotes(rt)

        bench.market.move(RELIANCE, 1480.0)
        wait_until(lambda: rt.quotes.last_known([RELIANCE])[RELIANCE]["ltp"] == 1480.0)

        found = rt.quotes.get(WANTED).quotes
        assert {row["api_version"] for row in found.values()} == {FROM_FEED}
        assert found[RELIANCE]["upper_circuit"] == 1611.7, "which only a request tells"
        assert calls_for_quotes(rt) == calls


def test_where_nothing_happens_the_feed_answers_for_what_a_request_told(bench: FeedBench, tmp_path: Path) -> None:
    with desk(bench, tmp_path) as rt:
        watched(rt, RELIANCE)
        rt.quotes.get([RELIANCE], use_cache=False)  # the renewal every ten minutes; nothing is traded after it
        calls = calls_for_quotes(rt)

        for _ in range(3):
            assert rt.quotes.get([RELIANCE]).quotes[RELIANCE]["api_version"] == FROM_FEED
        assert calls_for_quotes(rt) == calls


def test_requests_go_on_where_the_feed_is_gone(bench: FeedBench, tmp_path: Path) -> None:
    with desk(bench, tmp_path) as rt:
        watched(rt, RELIANCE)
        rt.feed.disconnect()

        assert feed_word(rt) == {"live": False, "state": "off", "why": ""}
        bench.market.move(RELIANCE, 1490.0)
        row = rt.quotes.get([RELIANCE], use_cache=False).quotes[RELIANCE]
        assert (row["ltp"], row["api_version"]) == (1490.0, "v3")
        assert rt.quotes.last_known([RELIANCE])[RELIANCE] is row


def test_every_trade_is_kept_and_every_connection_written_down(bench: FeedBench, tmp_path: Path) -> None:
    with desk(bench, tmp_path) as rt:
        assert rt.feed_in() is rt.feed_in("market_data.db") is rt.feed
        watched(rt, RELIANCE)
        for price in (1480.0, 1481.0, 1482.0):
            bench.market.move(RELIANCE, price, volume=int(price))
            wait_until(lambda price=price: rt.quotes.last_known([RELIANCE])[RELIANCE]["ltp"] == price)
        wait_until(lambda: len(_ticks(rt)) >= 4)

        assert _ticks(rt)[-3:] == [14_800_000, 14_810_000, 14_820_000]
        assert rt.ticks_dropped() == 0
        rt.feed.disconnect()
        wait_until(lambda: bool(rt.feed_metrics.recent()) and rt.feed_metrics.recent()[0].ended_ms is not None)
        assert rt.feed_metrics.recent()[0].end_reason == "it was asked to end"


def _ticks(rt: Runtime) -> list[int]:
    now = rt.clock.now()
    return rt.ticks.ticks(RELIANCE, now - timedelta(hours=1), now + timedelta(hours=1)).price_e4.tolist()


def test_frames_are_recorded_where_that_is_wanted(bench: FeedBench, tmp_path: Path) -> None:
    with desk(bench, tmp_path, record_feed=True) as rt:
        watched(rt, RELIANCE)
        folder = rt.folder / "recordings"

    assert [path for path in folder.iterdir() if path.stat().st_size > 0]


@pytest.mark.parametrize(
    ("instant", "keys", "expected"),
    [
        ("2026-11-20T12:00:00+05:30", [RELIANCE], True),
        ("2026-11-20T09:10:00+05:30", [RELIANCE], False),  # before the opening nothing need move
        ("2026-11-20T15:20:00+05:30", [RELIANCE], False),  # closing auction
        ("2026-11-20T20:00:00+05:30", [RELIANCE, NIFTY], False),
        ("2026-11-20T20:00:00+05:30", [RELIANCE, CRUDE], True),  # commodities trade in the evening
        ("2026-11-20T23:58:00+05:30", [RELIANCE, CRUDE], False),
        ("2026-11-20T12:00:00+05:30", [], False),
    ],
)
def test_prices_are_expected_of_what_is_subscribed_where_it_trades(
    tmp_path: Path, instant: str, keys: list[str], expected: bool
) -> None:
    with feeding(tmp_path / "broker", instant=instant) as bench, desk(bench, tmp_path) as rt:
        rt.feed.hold("test", keys)
        wait_until(lambda: set(rt.feed.board.keys()) == set(keys))

        assert rt.prices_expected() is expected


def test_in_a_practice_session_prices_always_move(tmp_path: Path) -> None:
    with Runtime(load_settings(data_dir=tmp_path)) as rt:
        assert rt.prices_expected()


def test_an_answer_after_an_outage_brings_the_feed_back_without_its_pause(bench: FeedBench, tmp_path: Path) -> None:
    with desk(bench, tmp_path) as rt:
        assert rt.quotes._watching._back_in_reach == rt.feed.retry
        for _ in range(8):  # by now its pauses are minutes
            rt.feed._stream._resting.after_loss("trouble")
        bench.order("drop", now=True)
        wait_until(lambda: rt.feed.health().state == "waiting to reconnect")

        rt.quotes._watching._back_in_reach()

        wait_until(lambda: rt.feed.connected)


def test_a_feed_that_was_lost_asks_whose_clock_it_is_though_no_request_has_failed(
    bench: FeedBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk(bench, tmp_path) as rt:
        asked: list[str] = []
        ask = rt._broker_time._ask
        monkeypatch.setattr(rt._broker_time, "_ask", lambda: (asked.append("clock"), ask())[1])
        rt._broker_time._not_before = 0.0  # a few seconds later

        bench.order("drop", now=True)

        wait_until(lambda: asked == ["clock"] and rt.feed.connected)


def test_what_still_listens_when_the_desk_closes_breaks_nothing(bench: FeedBench, tmp_path: Path) -> None:
    with desk(bench, tmp_path) as rt:
        prices = DeskPrices(lambda: rt)
        prices.hold("push-1", WANTED)
        watched(rt, *WANTED)
        assert len(prices.changed(0, WANTED)[1]) == 3

    assert len(prices.changed(0, WANTED)[1]) == 3, "what memory has is told to the end"
    assert prices.word()["live"] is False
    prices.hold("push-2", [RELIANCE])
    prices.release("push-1")
    assert not rt.feed._stream.running


def test_thirty_levels_of_depth_are_for_an_account_on_plus(tmp_path: Path) -> None:
    with feeding(tmp_path / "broker", plus=True) as bench:
        with desk(bench, tmp_path / "ordinary") as rt, pytest.raises(InvalidRequest, match="full_d30"):
            rt.feed.hold("test", [RELIANCE], "full_d30")
        with desk(bench, tmp_path / "plus", plus=True) as rt:
            rt.feed.hold("test", [RELIANCE], "full_d30")
            wait_until(lambda: rt.feed.serves([RELIANCE]) == {RELIANCE})

"""The official SDK's streamers, their fixed host replaced by the paper broker's, get what the broker holds; and what
the broker sends has the members of the documented messages."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import websocket

from services.paper.model import Market, Snapshot
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from tests.contract.conftest import NIFTY, RELIANCE, STILL, upstox_client
from tests.support.feed_paper import FEED_FAULTS, FEEDS, eventually
from tests.support.paper import Client
from tests.support.shared_data import shared

FIXED_HOST = "wss://api.upstox.com"
SECONDS = 10


class Listener:
    """Keeps what a streamer emits, and ends its threads, which the SDK makes non-daemon."""

    def __init__(self, streamer: Any) -> None:
        self.streamer = streamer
        self.events: queue.Queue[tuple[str, tuple[Any, ...]]] = queue.Queue()
        self._before = set(threading.enumerate())
        for event in streamer.Event.values():
            streamer.on(event, lambda *told, event=event: self.events.put((event, told)))

    def wait_for(self, event: str, fits: Callable[..., bool] = lambda *told: True) -> tuple[Any, ...]:
        """The next such event that fits."""
        while True:
            name, told = self.events.get(timeout=SECONDS)
            if name == event and fits(*told):
                return told

    def feeds(self, *keys: str) -> dict[str, Any]:
        """The last row of each of `keys`, as the SDK hands it over."""
        found: dict[str, Any] = {}
        while not found.keys() >= set(keys):
            [message] = self.wait_for("message")
            found |= message.get("feeds", {})
        return found

    def end(self) -> None:
        """Not by `disconnect()`: it closes the socket under the thread that waits on it, which then may never wake."""
        self.streamer.disconnect_valid = True  # asked for by us: no reconnect
        app = self.streamer.feeder.ws
        app.keep_running = False
        if app.sock is not None:
            app.sock.abort()
        for thread in set(threading.enumerate()) - self._before:
            if "run_forever" in thread.name:
                thread.join(SECONDS)
                assert not thread.is_alive()


@pytest.fixture
def redirected(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets the SDK's sockets go to another host."""

    def to(base_url: str) -> None:
        usual = websocket.WebSocketApp
        host = base_url.replace("http", "ws", 1)
        monkeypatch.setattr(
            websocket,
            "WebSocketApp",
            lambda url, **given: usual(url.replace(FIXED_HOST, host), **given),
        )

    return to


@pytest.fixture
def listen(broker: PaperServer, redirected: Callable[[str], None]) -> Iterator[Callable[[Any], Listener]]:
    redirected(broker.base_url)
    made: list[Listener] = []

    def connected(streamer: Any) -> Listener:
        listener = Listener(streamer)
        made.append(listener)
        streamer.connect()
        listener.wait_for("open")
        return listener

    yield connected
    for listener in made:
        listener.end()


@pytest.fixture(scope="module")
def option(market: Market, instant: datetime) -> str:
    """The call at the money of the nearest expiry of the Nifty."""
    [spot] = market.snapshots([NIFTY], instant)
    calls = [
        item.row
        for item in market.listings(instant).values()
        if item.row.get("underlying_key") == NIFTY and item.row.get("instrument_type") == "CE"
    ]
    best = min(calls, key=lambda row: (row["expiry"], abs(float(str(row["strike_price"])) - spot.ltp)))
    return str(best["instrument_key"])


@pytest.fixture
def held(market: Market, instant: datetime, option: str) -> dict[str, Snapshot]:
    keys = (RELIANCE, NIFTY, option)
    return dict(zip(keys, market.snapshots(keys, instant), strict=True))


def check_ltpc(told: dict[str, Any], snap: Snapshot) -> None:
    assert told["ltp"] == snap.ltp
    assert int(told["ltt"]) == snap.last_trade_ms
    assert int(told.get("ltq", 0)) == snap.last_quantity
    assert told["cp"] == snap.prev_close


def test_the_first_message_is_market_info(sdk: Any, listen: Callable[[Any], Listener]) -> None:
    listener = listen(upstox_client.MarketDataStreamerV3(sdk))

    [message] = listener.wait_for("message")

    assert message["type"] == "market_info"
    assert message["marketInfo"]["segmentStatus"]["NSE_EQ"] == "NORMAL_OPEN"


def test_ltpc(sdk: Any, listen: Callable[[Any], Listener], held: dict[str, Snapshot]) -> None:
    listener = listen(upstox_client.MarketDataStreamerV3(sdk, list(held), "ltpc"))

    feeds = listener.feeds(*held)

    for key, snap in held.items():
        check_ltpc(feeds[key]["ltpc"], snap)
        assert "requestMode" not in feeds[key], "ltpc is the default of the enum"


def test_full_of_a_share_and_an_option(
    sdk: Any, listen: Callable[[Any], Listener], held: dict[str, Snapshot], option: str
) -> None:
    listener = listen(upstox_client.MarketDataStreamerV3(sdk, [RELIANCE, option], "full"))

    feeds = listener.feeds(RELIANCE, option)

    for key in (RELIANCE, option):
        snap, body = held[key], feeds[key]["fullFeed"]["marketFF"]
        assert feeds[key]["requestMode"] == "full_d5"
        check_ltpc(body["ltpc"], snap)
        levels = body["marketLevel"]["bidAskQuote"]
        assert [(level["bidP"], int(level["bidQ"])) for level in levels] == [(b.price, b.quantity) for b in snap.bids]
        assert [(level["askP"], int(level["askQ"])) for level in levels] == [(a.price, a.quantity) for a in snap.asks]
        day, minute = body["marketOHLC"]["ohlc"]
        assert (day["interval"], day["open"], day["high"], day["low"], day["close"]) == (
            "1d",
            snap.open,
            snap.high,
            snap.low,
            snap.ltp,
        )
        assert snap.last_minute is not None
        assert (minute["interval"], int(minute["ts"])) == ("I1", snap.last_minute.start_ms)
        assert (minute["open"], minute["close"], int(minute["vol"])) == (
            snap.last_minute.open,
            snap.last_minute.close,
            snap.last_minute.volume,
        )
        assert (body["atp"], int(body["vtt"])) == (snap.average_price, snap.volume)
        assert (body["tbq"], body["tsq"]) == (snap.total_buy_quantity, snap.total_sell_quantity)
    greeks = held[option].greeks
    assert greeks is not None
    told = feeds[option]["fullFeed"]["marketFF"]
    assert told["optionGreeks"] == {
        "delta": greeks.delta,
        "theta": greeks.theta,
        "gamma": greeks.gamma,
        "vega": greeks.vega,
        "rho": greeks.rho,
    }
    assert (told["iv"], told["oi"]) == (greeks.iv, held[option].oi)


def test_full_of_an_index(sdk: Any, listen: Callable[[Any], Listener], held: dict[str, Snapshot]) -> None:
    listener = listen(upstox_client.MarketDataStreamerV3(sdk, [NIFTY], "full"))

    feed = listener.feeds(NIFTY)[NIFTY]["fullFeed"]

    assert set(feed) == {"indexFF"}
    check_ltpc(feed["indexFF"]["ltpc"], held[NIFTY])
    assert [bar["interval"] for bar in feed["indexFF"]["marketOHLC"]["ohlc"]] == ["1d", "I1"]


def test_option_greeks(sdk: Any, listen: Callable[[Any], Listener], held: dict[str, Snapshot], option: str) -> None:
    listener = listen(upstox_client.MarketDataStreamerV3(sdk, [option], "option_greeks"))

    body = listener.feeds(option)[option]["firstLevelWithGreeks"]

    snap = held[option]
    check_ltpc(body["ltpc"], snap)
    assert (body["firstDepth"]["bidP"], int(body["firstDepth"]["askQ"])) == (snap.bids[0].price, snap.asks[0].quantity)
    assert snap.greeks is not None
    assert (body["optionGreeks"]["delta"], body["iv"]) == (snap.greeks.delta, snap.greeks.iv)


def test_the_feed_and_the_quotes_hold_the_same_prices(sdk: Any, listen: Callable[[Any], Listener], option: str) -> None:
    keys = [RELIANCE, NIFTY, option]
    listener = listen(upstox_client.MarketDataStreamerV3(sdk, keys, "ltpc"))

    feeds = listener.feeds(*keys)

    quotes = upstox_client.MarketQuoteV3Api(sdk).get_ltp(instrument_key=",".join(keys)).data
    assert {row.instrument_token: (row.last_price, row.cp) for row in quotes.values()} == {
        key: (feed["ltpc"]["ltp"], feed["ltpc"]["cp"]) for key, feed in feeds.items()
    }


def test_subscribing_changing_and_leaving(sdk: Any, listen: Callable[[Any], Listener], broker: PaperServer) -> None:
    listener = listen(upstox_client.MarketDataStreamerV3(sdk))
    streamer = listener.streamer
    streamer.subscribe([RELIANCE, NIFTY], "ltpc")
    assert set(listener.feeds(RELIANCE, NIFTY)) == {RELIANCE, NIFTY}

    streamer.change_mode([RELIANCE], "full")
    assert "fullFeed" in listener.feeds(RELIANCE)[RELIANCE]

    streamer.unsubscribe([NIFTY])
    client = Client(broker)
    eventually(lambda: {"full": 1} in [told["keys"] for told in client.data(FEEDS)["market"]])
    client.session.close()


def test_portfolio_updates(sdk: Any, listen: Callable[[Any], Listener], broker: PaperServer) -> None:
    streamer = upstox_client.PortfolioDataStreamer(
        sdk, order_update=True, position_update=True, holding_update=True, gtt_update=True
    )
    listener = listen(streamer)
    client = Client(broker)
    eventually(lambda: len(client.data(FEEDS)["portfolio"]) == 1)
    client.session.close()
    samples = [
        json.loads(shared(f"upstox/examples/ws_portfolio_{kind}.json").read_text())
        for kind in ("order", "gtt_order", "position", "holding")
    ]

    for sample in samples:
        broker.portfolio_updates.publish(sample)

    for sample in samples:
        [text] = listener.wait_for("message")
        assert json.loads(text) == sample


def test_the_streamer_comes_back_after_a_drop(tmp_path: Path, redirected: Callable[[str], None]) -> None:
    server = PaperServer(PaperOptions(folder=tmp_path, clock=STILL, faults=True)).start()
    redirected(server.base_url)
    listener = Listener(upstox_client.MarketDataStreamerV3(_sdk_of(server), [RELIANCE], "full"))
    try:
        listener.streamer.connect()
        before = listener.feeds(RELIANCE)
        client = Client(server)
        client.send("POST", FEED_FAULTS, json={"kind": "drop", "now": True})
        client.session.close()

        listener.wait_for("reconnecting")

        assert listener.feeds(RELIANCE) == before
    finally:
        listener.end()
        server.stop()


def test_a_dead_token_is_told_as_401_and_not_tried_again(
    broker: PaperServer, redirected: Callable[[str], None]
) -> None:
    redirected(broker.base_url)
    api = _sdk_of(broker)
    api.configuration.access_token = "x.y.z"
    listener = Listener(upstox_client.MarketDataStreamerV3(api, [RELIANCE], "full"))
    listener.streamer.connect()

    [error] = listener.wait_for("error")

    assert "401 Unauthorized" in str(error)
    listener.end()
    assert listener.streamer.disconnect_valid


def _sdk_of(server: PaperServer) -> Any:
    configuration = upstox_client.Configuration()
    configuration.host = configuration.order_host = server.base_url
    configuration.access_token = server.access_token()
    return upstox_client.ApiClient(configuration)


# --- the documented messages, member by member ----------------------------------------------------------------------


def members(thing: Any, path: str = "") -> set[str]:
    """The paths of all members; the elements of a list count together, and so do instruments."""
    if isinstance(thing, dict):
        found = {path} if path and not thing else set()
        for name, inside in thing.items():
            found |= members(inside, f"{path}/{'*' if path.endswith('/feeds') else name}")
        return found
    if isinstance(thing, list):
        return set().union(*(members(one, f"{path}[]") for one in thing))
    return {path}


@pytest.mark.parametrize(
    ("sample", "key", "mode"),
    [
        ("ws_ltpc.json", None, "ltpc"),
        ("ws_full_equity.json", RELIANCE, "full"),
        ("ws_full_index.json", NIFTY, "full"),
        ("ws_full_option.json", None, "full"),
        ("ws_option_greeks.json", None, "option_greeks"),
    ],
)
def test_a_row_has_the_members_of_the_documented_one(
    sdk: Any, listen: Callable[[Any], Listener], option: str, sample: str, key: str | None, mode: str
) -> None:
    key = key or option
    documented = json.loads(shared(f"upstox/examples/{sample}").read_text())
    listener = listen(upstox_client.MarketDataStreamerV3(sdk, [key], mode))

    [message] = listener.wait_for("message", lambda told: key in told.get("feeds", {}))

    assert members(message) == members(documented)


def test_market_info_has_the_members_of_the_documented_one(sdk: Any, listen: Callable[[Any], Listener]) -> None:
    documented = json.loads(shared("upstox/examples/ws_market_info.json").read_text())
    listener = listen(upstox_client.MarketDataStreamerV3(sdk))

    [message] = listener.wait_for("message")

    assert members(message) == members(documented)


@pytest.mark.parametrize(("number", "mode"), [(1, None), (2, "ltpc"), (3, "option_greeks"), (4, "full")])
def test_messages_have_the_members_of_those_in_the_api_pages(
    sdk: Any, listen: Callable[[Any], Listener], option: str, number: int, mode: str | None
) -> None:
    documented = json.loads(shared(f"data/upstox_api_samples/v3_get-market-data-feed_{number}.json").read_text())
    listener = listen(upstox_client.MarketDataStreamerV3(sdk, [option] if mode else [], mode or "ltpc"))

    [message] = listener.wait_for("message", lambda told: not mode or "feeds" in told)

    younger = {path for path in members(message) - members(documented) if not path.endswith("/requestMode")}
    assert members(documented) <= members(message)
    assert all("casMarketStatus" in path or "preOpenSessionStatus" in path for path in younger), "new in September 2026"


def test_thirty_levels_have_the_members_of_those_in_the_api_pages(
    tmp_path: Path, redirected: Callable[[str], None], option: str
) -> None:
    documented = json.loads(shared("data/upstox_api_samples/v3_get-market-data-feed_5.json").read_text())
    server = PaperServer(PaperOptions(folder=tmp_path, clock=STILL, plus=True)).start()
    redirected(server.base_url)
    listener = Listener(upstox_client.MarketDataStreamerV3(_sdk_of(server), [option], "full_d30"))
    try:
        listener.streamer.connect()

        [message] = listener.wait_for("message", lambda told: "feeds" in told)

        # In that page the braces of the last lines stand one level too deep.
        [written] = [members(feed["fullFeed"]["marketFF"]) for name, feed in documented["feeds"].items() if "|" in name]
        assert members(message["feeds"][option]["fullFeed"]["marketFF"]) == written
        assert message["feeds"][option]["requestMode"] == documented["feeds"]["NSE_FO|61755"]["fullFeed"]["requestMode"]
        body = message["feeds"][option]["fullFeed"]["marketFF"]
        assert len(body["marketLevel"]["bidAskQuote"]) == 30
    finally:
        listener.end()
        server.stop()

"""One unattended night of a desk, from noon of a Thursday to the opening of the Friday after it, in about a minute: the
broker's clock runs that much faster, and the desk's with it.

The desk is a rehearsal of the live one: its token comes by a login, ends at 03:30, and nothing hands it another. A page
stays open all night.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from dashboard.first_start import FIRST_KEYS
from dashboard.push.fields import PLACE
from dashboard.push.hub import PushHub
from dashboard.push.messages import Want
from dashboard.push.prices import DeskPrices
from dashboard.resources import Opening
from services.broker_link import BrokerTime, Told
from services.domain.clock import IST, ScaledClock, epoch_ms, ist_date
from services.domain.errors import LoginRequired
from services.domain.phases import Phase
from services.domain.quotes import PriceSource
from services.parts import part
from services.runtime import Runtime
from services.settings import load_settings
from services.storage.feed_metrics import MARKET
from tests.support.broker_process import Broker
from tests.support.browserless import press_login
from tests.support.calendar import ist

SPEED = 1400
NOON = ist("2026-11-19 12:00")
MORNING = ist("2026-11-20 09:15")
KEYS = FIRST_KEYS[:4]
SLACK_SECONDS = 30.0
"""Real seconds that the machine may be late in each stretch of the night."""


class Rehearsal(Runtime):
    """Live mode against a broker on this machine, on whose host it is as late as at the broker."""

    @part
    def _broker_time(self) -> BrokerTime:
        told = requests.get(f"{self.settings.api_base}/_paper/clock", timeout=30).json()
        clock = ScaledClock(datetime.fromisoformat(told["now"]), speed=told["speed"], monotonic=time.monotonic)
        return BrokerTime(Told(clock, PriceSource("upstox", "rehearsal broker")))

    def log_in(self) -> None:
        """What a person does in the browser."""
        with pytest.raises(LoginRequired) as asked:
            self.login.token()
        assert asked.value.login_url is not None
        back = press_login(asked.value.login_url)
        self.login.complete(back["code"], back["state"])


class Page:
    """A page that is left open: it listens to the push channel, as `live.js` does."""

    def __init__(self, runtime: Runtime) -> None:
        prices = DeskPrices(lambda: runtime)
        self._hub = PushHub(lambda: prices)
        self._client = self._hub.join(Want(frozenset(KEYS)))
        self.rows: dict[str, list[Any]] = {}
        self.feed: dict[str, Any] = {}

    def look(self) -> None:
        """One pass of the pump, and what it brings."""
        self._hub.step()
        while not self._client.mail.empty():
            text = self._client.mail.get_nowait()
            assert text is not None, "the page was let go"
            message = orjson.loads(text)
            self.feed = message["feed"]
            self.rows |= message["rows"]

    def figure(self, key: str, name: str) -> Any:
        return self.rows[key][PLACE[name]]


class Night:
    """The desk, the page, and the hands of the clock."""

    def __init__(self, runtime: Rehearsal) -> None:
        self.desk = runtime
        self.page = Page(runtime)

    @property
    def now(self) -> datetime:
        return self.desk.clock.now()

    def until(self, instant: datetime, wanted: Callable[[], bool] = lambda: True, *, what: str = "") -> None:
        """Let time pass up to `instant`, then until `wanted()`."""
        end = time.monotonic() + max(0.0, (instant - self.now).total_seconds()) / SPEED + SLACK_SECONDS
        while self.now < instant or not wanted():
            assert time.monotonic() < end, (what, self.now.astimezone(IST), self.desk.feed.health(), self.page.feed)
            self.page.look()
            time.sleep(0.02)

    def soon(self, wanted: Callable[[], bool], what: str) -> None:
        self.until(self.now, wanted, what=what)

    def tick_prices(self, key: str) -> list[int]:
        return self.desk.ticks.ticks(key, NOON - timedelta(days=1), MORNING + timedelta(days=1)).price_e4.tolist()

    def is_live(self) -> bool:
        """Are all rows on the page prices of the feed, of the day that it is now?"""
        return bool(self.page.feed.get("live")) and all(
            key in self.page.rows
            and self.page.figure(key, "from_feed")
            and ist_date(self.desk.quotes.last_known([key])[key]["received_at"]) == ist_date(self.now)
            for key in KEYS
        )


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    clock = f"{NOON.astimezone(IST).isoformat()}x{SPEED}"
    with Broker(tmp_path / "broker", "--clock", clock, "--no-limits") as broker, _rehearsing(broker, tmp_path) as desk:
        yield Night(desk)


@contextmanager
def _rehearsing(broker: Broker, folder: Path) -> Iterator[Rehearsal]:
    settings = load_settings(
        data_dir=folder / "desk",
        mode="live",
        live_rehearsal=True,
        api_base=broker.url,
        order_base=broker.url,
        assets_base=broker.url,
        client_id="paper-desk",
        client_secret="paper-secret",
        redirect_uri="http://127.0.0.1:9/login/callback",
    )
    with Rehearsal(settings) as runtime:
        runtime.log_in()
        opening = Opening(lambda: runtime, check_seconds=0.2).start()  # what the page server does beside itself
        try:
            assert opening.wait(30), opening.problem
            yield runtime
        finally:
            opening.stop()


@pytest.mark.timeout(300)
def test_a_night_that_nobody_attends(night: Night) -> None:
    desk, page = night.desk, night.page

    # Thursday: prices come, and every trade is kept.
    night.soon(night.is_live, "live on Thursday")
    assert desk.phase().phase is Phase.OPEN
    closes = {key: page.figure(key, "prev_close") for key in KEYS}
    night.soon(lambda: all(len(night.tick_prices(key)) >= 3 for key in KEYS), "ticks")

    # The closing auction is flat, the night is mute: that is no reason to connect anew, nor to grey anything.
    night.until(ist("2026-11-20 03:00"))
    health = desk.feed.health()
    assert (health.state, health.reconnect_count) == ("connected", 0), health
    assert page.feed == {"live": True, "state": "connected", "why": ""}
    volumes = {key: page.figure(key, "volume") for key in KEYS}

    # Every market has closed at midnight: the day is packed, whole.
    kept = {key: night.tick_prices(key) for key in KEYS}
    night.soon(lambda: desk.ticks.count().log == 0, "packed")
    assert desk.ticks.count().packed >= sum(map(len, kept.values())) > 0
    assert {key: night.tick_prices(key) for key in KEYS} == kept
    assert desk.ticks_dropped() == 0

    # 03:30: the token is over. A person is needed, and that is said.
    night.until(ist("2026-11-20 03:30"), lambda: desk.feed.health().state == "login needed", what="token end")
    health = desk.feed.health()
    assert health.login_url is not None
    night.soon(lambda: page.feed["state"] == "login needed", "the page is told")
    assert page.feed["live"] is False
    assert page.feed["why"]
    [ended] = [row for row in desk.feed_metrics.recent() if row.feed == MARKET]
    assert ended.end_reason in {"the token has ended", "another login, or none, is in force"}, ended

    # 06:00: the day's instruments are there, which needs no login.
    night.until(ist("2026-11-20 06:00"), lambda: _loaded(desk) >= ist("2026-11-20 06:00"), what="new master")
    assert desk.instruments.state().problems == ()
    assert desk.instruments.many(KEYS).keys() == set(KEYS)

    # A person logs in before the opening, and touches nothing else.
    desk.log_in()
    night.soon(lambda: desk.feed.connected, "the feed is back after the login")
    assert desk.feed.health().reconnect_count == 1

    night.until(ist("2026-11-20 09:05"), lambda: desk.feed.serves(KEYS) == set(KEYS), what="subscribed again")

    # Friday, 09:15: the watchlist is live, with the figures of a new day.
    night.until(MORNING, lambda: night.is_live() and _is_new_day(night, closes), what="live at the opening")
    assert desk.phase().phase is Phase.OPEN
    assert all(page.figure(key, "volume") < volumes[key] for key in KEYS)
    night.soon(lambda: all(len(night.tick_prices(key)) > len(kept[key]) for key in KEYS), "ticks of the new day")
    assert desk.feed.health().reconnect_count == 1


def _loaded(desk: Runtime) -> datetime:
    """When the oldest file of the instrument master was looked at."""
    return min((file.checked_at for file in desk.instruments.state().files if file.checked_at), default=NOON)


def _is_new_day(night: Night, closes: dict[str, float]) -> bool:
    """Has everything traded since the opening, against another close than the day before?"""
    return all(
        (night.page.figure(key, "last_trade_ms") or 0) >= epoch_ms(MORNING)
        and night.page.figure(key, "prev_close") != closes[key]
        for key in KEYS
    )

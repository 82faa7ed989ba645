"""A thousand random faults of the feed under a whole desk, with browsers that come, go and change their minds.

After each one everything that is wanted is subscribed again and prices flow; in the end nothing has piled up.
"""

from __future__ import annotations

import gc
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from dashboard.first_start import FIRST_KEYS, INDEX_KEYS
from dashboard.push.hub import Client, PushHub
from dashboard.push.messages import Want
from dashboard.push.prices import DeskPrices
from services.feed.backoff import Backoff
from services.feed.health import StreamState
from services.feed.watchdog import DataWatchdog
from services.live_feed.resting import Resting
from services.paper.feed.faults import AT_FRAME, FeedFaultKind
from services.runtime import Runtime
from services.settings import load_settings
from tests.support.broker_process import Broker

KEYS = (*INDEX_KEYS, *FIRST_KEYS)
CLOCK = "2026-11-20T09:30:00+05:30x10"
"""Prices change ten times a second, and the session lasts for half an hour."""
BROWSERS = 8
SETTLED = 100
"""Faults after which everything that is made once has been made."""
LASTING = {FeedFaultKind.MUTE: 400, FeedFaultKind.SLOW: 300, FeedFaultKind.HANG: 200}
"""Milliseconds of the faults that would go on."""


class Browsers:
    """Listeners of the push channel, who come, go, and look at something else."""

    def __init__(self, runtime: Runtime, source: random.Random) -> None:
        prices = DeskPrices(lambda: runtime)
        self.hub = PushHub(lambda: prices)
        self._source = source
        self._open: list[Client] = []
        self.told: Counter[str] = Counter()
        self.live = False

    def shuffle(self) -> None:
        """One of them does something."""
        what = self._source.random()
        if len(self._open) < BROWSERS and (what < 0.4 or len(self._open) < 2):
            self._open.append(self.hub.join(self._want()))
        elif what < 0.6:
            self.hub.leave(self._open.pop(self._source.randrange(len(self._open))))
        else:
            self.hub.change(self._source.choice(self._open), self._want())

    def look(self) -> None:
        """A pass of the pump, and everybody reads."""
        self.hub.step()
        for client in self._open:
            while not client.mail.empty():
                text = client.mail.get_nowait()
                assert text is not None
                message = orjson.loads(text)
                self.told[message["t"]] += 1
                self.live = message["feed"]["live"]

    def _want(self) -> Want:
        rows = self._source.sample(KEYS, self._source.randrange(1, len(KEYS)))
        return Want(frozenset(rows), frozenset(rows[:1]))


class Soak:
    """The desk, its browsers, and the broker's switches."""

    def __init__(self, runtime: Runtime, broker: Broker, source: random.Random) -> None:
        self.desk = runtime
        self.browsers = Browsers(runtime, source)
        self._source = source
        self._broker = broker
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {broker.token}"

    def ask(self, path: str, fault: dict[str, Any] | None = None) -> Any:
        method = "GET" if fault is None else "POST"
        answer = self._session.request(method, self._broker.url + path, json=fault, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def trouble(self) -> str:
        """Order a random fault; where it waits for a handshake, make one."""
        kind = self._source.choice(list(FeedFaultKind))
        fault: dict[str, Any] = {"kind": kind.value, "ms": LASTING.get(kind, 0)}
        if kind is FeedFaultKind.REFUSE:
            fault["status"] = self._source.choice([401, 403, 429, 500, 502])
        if kind is FeedFaultKind.CLOSE:
            fault["code"] = self._source.choice([1000, 1001, 1008, 1011, 4000])
        fault["now"] = kind in AT_FRAME and self._source.random() < 0.5
        self.ask("/_paper/feed-faults", fault)
        if kind not in AT_FRAME:
            self.ask("/_paper/feed-faults", {"kind": "drop", "now": True})
        return f"{kind.value} {fault.get('status', '')}"

    def until_whole(self, what: str) -> None:
        """Until no fault waits, all is subscribed on one connection, and a new price has come over it."""
        updates = self.desk.feed.health().updates_received
        self.until(lambda: self._is_whole() and self.desk.feed.health().updates_received > updates, what)

    def until(self, holds: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + 60
        while not holds():
            health = self.desk.feed.health()
            assert time.monotonic() < end, (what, health, self.ask("/_paper/feeds"))
            if health.state in {StreamState.LOGIN_NEEDED, StreamState.REFUSED}:
                self.desk.feed.retry()  # a person logs in again, or has had the account put right
            self.browsers.look()
            time.sleep(0.01)

    def _is_whole(self) -> bool:
        health = self.desk.feed.health()
        if not health.connected or health.silent or self.ask("/_paper/feed-faults"):
            return False
        open_feeds = self.ask("/_paper/feeds")["market"]
        keys = [sum(feed["keys"].values()) for feed in open_feeds]
        return keys == [health.subscribed_count] == [health.sent_count] and self.browsers.live


@contextmanager
def soaking(folder: Path, source: random.Random) -> Iterator[Soak]:
    with Broker(folder / "broker", "--no-limits", "--clock", CLOCK) as broker:
        settings = load_settings(data_dir=folder / "desk", api_base=broker.url, access_token=broker.token)
        with Runtime(settings) as runtime:
            _hurry(runtime)
            runtime.calendar.start()
            runtime.housekeeping.start()
            runtime.feed_in().connect()
            yield Soak(runtime, broker, source)


def _hurry(runtime: Runtime) -> None:
    """Pauses that take no time: a thousand faults of real life are months."""
    feed = runtime.feed
    feed._stream._resting = Resting(backoff=Backoff(uniform=lambda low, high: 0.0), refusal_pauses=(0.0,) * 5)
    feed._talk._watchdog = DataWatchdog(seconds=1.0, longest=1.0)
    feed._subscriptions._grace = 0.0


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_thousand_faults_under_a_desk_that_is_watched(tmp_path: Path) -> None:
    """`SOAK_FAULTS` faults (1,000), `SOAK_SEED` (11)."""
    count = int(os.environ.get("SOAK_FAULTS", "1000"))
    source = random.Random(int(os.environ.get("SOAK_SEED", "11")))
    with soaking(tmp_path, source) as soak:
        met: Counter[str] = Counter()
        at_first: dict[str, int] = {}
        for number in range(count):
            soak.browsers.shuffle()
            what = soak.trouble()
            soak.until_whole(f"{number}: {what}")
            met[what] += 1
            if number == min(SETTLED, count // 3):
                at_first = _held_by_us()
        at_last = _held_by_us()
        health = soak.desk.feed.health()
        print(met, soak.browsers.told, health.reconnect_count, health.bad_frames, at_first, at_last, sep="\n")

        assert health.reconnect_count > count // 3
        assert at_last["files"] <= at_first["files"] + 6
        assert at_last["threads"] <= at_first["threads"] + 4
        assert at_last["kibibytes"] <= at_first["kibibytes"] + 24 * 1024
        assert soak.desk.ticks_dropped() == 0
        assert len(soak.desk.feed.holders()) <= BROWSERS
        assert soak.browsers.hub.let_go == 0


def _held_by_us() -> dict[str, int]:
    """Open files and sockets, threads, and memory; 0 where the system does not tell."""
    gc.collect()
    files, status = Path("/proc/self/fd"), Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return {
        "files": len(list(files.iterdir())) if files.exists() else 0,
        "threads": threading.active_count(),
        "kibibytes": next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0),
    }

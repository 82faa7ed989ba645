"""A trading week at speed: the paper broker as a process that begins anew each morning on the same account, what goes
wrong with it, and a notebook of everything that was done, by the broker's clock.

Nights are not lived through: the broker stops in the evening and starts at the next trading day's nine o'clock. What is
due in between (orders that end with their day, intraday positions that were left, expired contracts, delivered shares,
contract notes, the token's end at 03:30) it does then, in its order, by its own code.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as day_time
from pathlib import Path
from typing import Any

import requests

from services.domain.clock import IST
from services.runtime import Runtime
from tests.support.broker_process import Broker
from tests.support.browserless import press_login

WEEK = (date(2026, 11, 20), date(2026, 11, 23), date(2026, 11, 25), date(2026, 11, 26), date(2026, 11, 27))
"""A weekend, a holiday on Tuesday the 24th, and because of it the monthly expiry on Monday instead."""
AFTER = date(2026, 11, 30)
"""The Monday on which everything is compared: the broker's report tells finished days only."""
FOLLOWS_WITHIN = 90.0
"""Real seconds. A desk asks for the time when a request fails or a connection is lost, not before."""
KNOWN_TO = 5.0
"""Real seconds by which a desk may be wrong about a clock that races: an answer that comes late on a busy machine tells
a time that is long over."""
OPENS, CLOSES = day_time(9, 0), day_time(15, 50)
"""A day of the broker; its orders have ended by then, with the closing auction."""
APP = {
    "UPSTOX_CLIENT_ID": "paper-desk",
    "UPSTOX_CLIENT_SECRET": "paper-secret",
    "UPSTOX_REDIRECT_URI": "http://127.0.0.1:9/login/callback",
}
WRITES = ("order_place", "order_modify", "order_cancel", "gtt_place")
READS = (
    "order_book", "order_details", "order_history", "trades", "order_trades", "quotes", "ltp", "positions", "holdings",
    "funds", "intraday_bars", "history_bars",
)  # fmt: skip
AT_WRITES = (
    {"kind": "no_answer_after"}, {"kind": "no_answer_before"}, {"kind": "garbage"}, {"kind": "truncated"},
    {"kind": "status", "status": 500}, {"kind": "status", "status": 503}, {"kind": "status", "status": 429},
    {"kind": "status_after", "status": 500}, {"kind": "drop"}, {"kind": "drop_after"}, {"kind": "slow", "ms": 900},
)  # fmt: skip
AT_READS = (
    {"kind": "no_answer_before"}, {"kind": "garbage"}, {"kind": "status", "status": 500}, {"kind": "html_403"},
    {"kind": "status", "status": 429}, {"kind": "truncated"}, {"kind": "drop"}, {"kind": "slow", "ms": 900},
)  # fmt: skip
AT_FEEDS = (
    {"kind": "mute", "ms": 4000}, {"kind": "drop"}, {"kind": "garbage"}, {"kind": "truncated"}, {"kind": "torn"},
    {"kind": "close", "code": 1011}, {"kind": "slow", "ms": 1500}, {"kind": "refuse", "status": 502},
)  # fmt: skip
AT_UPDATES = (
    {"kind": "missing", "times": 3}, {"kind": "duplicate", "times": 3}, {"kind": "out_of_order", "times": 3},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Done:
    """Something that was done to the desk."""

    at: float
    """Monotonic."""
    kind: str
    """`order fault`, `read fault`, `feed fault`, `update fault`, `kill`, `night`."""
    words: str


class WeekBroker:
    """The paper broker of the week: one process after the other, on one folder and port."""

    def __init__(self, folder: Path, speed: float, seed: int) -> None:
        self.folder = folder
        self.speed = speed
        self.notebook: list[Done] = []
        self._days: list[tuple[datetime, float, float]] = []
        self._luck = random.Random(seed)
        self._port = 0
        self._broker: Broker | None = None
        self._asked = requests.Session()
        self._asked.trust_env = False
        self.logs: list[str] = []
        self._anchor, self._began = datetime.combine(WEEK[0], OPENS, IST), 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        assert self._broker is not None
        return self._broker.pid

    def start(self, at: datetime, speed: float | None = None) -> None:
        """Begin at that instant."""
        self._anchor, pace = at, self.speed if speed is None else speed
        self._pace = pace
        self._broker = Broker(self.folder, "--no-limits", "--clock", f"{at.isoformat()}x{pace:g}")
        self._broker.port = self._port
        self._broker.start()
        self._began = time.monotonic()
        self._days.append((at, self._began, pace))
        self._port = self._broker.port
        self._asked.headers["Authorization"] = f"Bearer {self._broker.token}"

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._broker is not None:
            self._broker.stop(number)
            self._broker = None
            self.logs.append(self.folder.with_name(f"{self.folder.name}.log").read_text())
            self.folder.with_name(f"{self.folder.name}-{len(self.logs)}.log").write_text(self.logs[-1])

    def kill(self) -> None:
        """End it without a word, and start it at the instant at which it ended."""
        self.write("kill", "the broker")
        at = self.now()
        self.stop(signal.SIGKILL)
        self.start(at, self._pace)

    def now(self) -> datetime:
        """By its clock, as we reckon it."""
        return self._anchor + timedelta(seconds=(time.monotonic() - self._began) * self._pace)

    def deeds(self) -> dict[str, int]:
        """How often something was done, by kind."""
        return dict(Counter(one.kind for one in self.notebook))

    def write(self, kind: str, words: str) -> None:
        self.notebook.append(Done(time.monotonic(), kind, words))

    def causes(self, kinds: frozenset[str], at: datetime, seconds: float) -> list[str]:
        """What of those kinds was done so shortly before a desk's clock said `at`. That is the broker's clock, or for a
        while yet the one that the broker had before he was started anew."""
        ends = [began for _, began, _ in self._days[1:]] + [float("inf")]
        then = [
            moment
            for (anchor, began, pace), end in zip(self._days, ends, strict=True)
            if began <= (moment := began + (at - anchor).total_seconds() / pace) <= end + FOLLOWS_WITHIN
        ]
        return [
            one.words
            for one in self.notebook
            if one.kind in kinds and any(moment - seconds <= one.at <= moment + KNOWN_TO for moment in then)
        ]

    def ask(self, method: str, path: str, **given: Any) -> Any:
        answer = self._asked.request(method, self.url + path, timeout=20, **given)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    # -- what goes wrong -----------------------------------------------------------------------------------------

    def trouble(self) -> None:
        """One random fault, used up by what meets it."""
        luck = self._luck
        kind = luck.choices(("order fault", "read fault", "feed fault", "update fault"), (40, 28, 15, 17))[0]
        if kind == "order fault":
            fault = {"operation": luck.choice(WRITES), **luck.choice(AT_WRITES)}
            self.ask("POST", "/_paper/faults", json=fault)
        elif kind == "read fault":
            fault = {"operation": luck.choice(READS), "times": luck.randint(1, 3)}
            fault |= luck.choice(AT_READS)
            self.ask("POST", "/_paper/faults", json=fault)
        elif kind == "feed fault":
            fault = {"feed": luck.choice(("market", "market", "portfolio")), **luck.choice(AT_FEEDS)}
            self.ask("POST", "/_paper/feed-faults", json=fault)
            if fault["kind"] == "refuse":  # it waits for a handshake: there has to be one
                self.ask("POST", "/_paper/feed-faults", json={"feed": fault["feed"], "kind": "drop"})
        else:
            fault = dict(luck.choice(AT_UPDATES))
            self.ask("POST", "/_paper/update-faults", json=fault)
        self.write(kind, " ".join(f"{name}={value}" for name, value in fault.items()))

    def hold(self, operation: str, milliseconds: int) -> None:
        """The next call of that operation is answered so late."""
        self.heal()
        self.ask("POST", "/_paper/faults", json={"operation": operation, "kind": "slow", "ms": milliseconds})
        self.write("order fault", f"{operation} held for {milliseconds} ms")

    def held(self) -> bool:
        """Has it met its call?"""
        return not self.ask("GET", "/_paper/faults")

    def heal(self) -> None:
        for what in ("faults", "feed-faults", "update-faults"):
            self.ask("DELETE", f"/_paper/{what}")

    def feeds(self) -> dict[str, int]:
        """How many are connected to each feed."""
        told = self.ask("GET", "/_paper/feeds")
        return {name: len(told[name]) for name in ("market", "portfolio")}


def log_in(runtime: Runtime, broker: WeekBroker) -> None:
    """What a person does each morning, in the browser."""

    def is_here() -> bool:
        """Do we know which broker this is?"""
        runtime._broker_time.doubt()
        runtime.settle_time()
        return abs(runtime.clock.now() - broker.now()) < timedelta(hours=1)

    until(is_here, lambda: (runtime.clock.now(), broker.now()))
    back = press_login(runtime.login.authorization_url())
    runtime.login.complete(back["code"], back["state"])


def until(holds: Callable[[], bool], what: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for a state; `what` tells of it where it does not come."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what()
        time.sleep(0.1)


def memory_of(pid: int) -> dict[str, int]:
    """KiB of that process: `rss` what is resident, `pss` the same with shared pages counted by part. Linux only."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return {line[:3].lower(): int(line.split()[1]) for line in lines if line.startswith(("Rss:", "Pss:"))}

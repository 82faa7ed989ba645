"""The week itself: broker, desk, the one who trades, five persons at the screen, faults and three kills, day by day."""

from __future__ import annotations

import os
import random
import signal
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from datetime import time as day_time
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any

from dashboard.asgi import COLLECT_SECONDS
from services.acting import acting
from services.domain.clock import IST
from services.domain.errors import UpstoxError
from services.domain.intents import Intent, IntentKind, IntentState
from services.feed.backoff import CAP_SECONDS
from services.runtime import Runtime
from services.settings import load_settings
from tests.checks import stage_environment
from tests.support.desk import Desk
from tests.support.shared_data import ROOT
from tests.support.week import APP, CLOSES, OPENS, WeekBroker, log_in, memory_of, until
from tests.support.week_pages import Pages
from tests.support.week_trader import Driver

PATIENT = {"DESK_READ_TIMEOUT": "2", "DESK_CONNECT_TIMEOUT": "1", "DESK_MAX_QUOTE_AGE_SECONDS": "3600"}
"""At speed a second is minutes of the day."""
HELD_MS = 1800
HELD_SECONDS = 120.0
"""How long Streamlit keeps the session of a page that went away (`server.disconnectedSessionTTL`)."""
PAUSE = CAP_SECONDS + 10
"""The feed rests no longer between two attempts. Its faults are hours apart, and seconds for it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of. `kills`: by the number of the day, instants and who: `desk`, `all` (desk and trader) or
    `trader` in the middle of a write, `broker` at once."""

    days: Sequence[date]
    speed: float
    seed: int
    after: date
    opens: day_time = OPENS
    closes: day_time = CLOSES
    kills: dict[int, list[tuple[day_time, str]]] = field(default_factory=dict)
    desk: bool = True
    pause: float = 0.35
    """Seconds between two decisions of the one who trades."""
    trouble_every: float = 2.0


def _memory(pids: dict[str, int]) -> dict[str, dict[str, int]]:
    return {name: memory_of(pid) for name, pid in pids.items()}


class Week:
    """One run. `with Week(...) as week: week.live()`; then everything has been settled, broker and desk still run."""

    def __init__(self, folder: Path, plan: Plan, *, ledger_url: str | None = None, browser: Any = None) -> None:
        self.folder, self.plan = folder, plan
        self.data = folder / "data"
        self.broker = WeekBroker(folder / "broker", plan.speed, plan.seed)
        self.broker.start(datetime.combine(plan.days[0], day_time(8, 30), IST), speed=1)
        from cryptography.fernet import Fernet

        given = APP | PATIENT | {"DESK_API_BASE": self.broker.url, "DESK_DATA_DIR": str(self.data)}
        given["ENCRYPTION_KEY"] = Fernet.generate_key().decode()
        if ledger_url is not None:
            given["DESK_LEDGER_URL"] = ledger_url
        self._environment = {**stage_environment(os.environ), **given, "PYTHONPATH": str(ROOT)}
        self.runtime = Runtime(
            load_settings(
                data_dir=self.data, api_base=self.broker.url, ledger_url=ledger_url, read_timeout=30,
                client_id=APP["UPSTOX_CLIENT_ID"], client_secret=APP["UPSTOX_CLIENT_SECRET"],
                redirect_uri=APP["UPSTOX_REDIRECT_URI"], encryption_key=given["ENCRYPTION_KEY"],
            )
        )  # fmt: skip
        self.driver = Driver(folder, self._environment, seed=plan.seed, pause=plan.pause)
        self.desk = Desk(self.data, environment=given, timeout=180) if plan.desk else None
        self.pages = Pages(browser, self.desk.url, random.Random(plan.seed)) if browser and self.desk else None
        self.desk_logs: list[str] = []
        self.memory: dict[str, list[dict[str, int]]] = {}
        """Of each process at the end of each day, on the first and the last one at rest. The broker's begins anew each
    morning."""
        self.kills: list[str] = []
        self._began = time.monotonic()
        self.decided = 0
        """What a person had to say, because the broker's books cannot."""
        self._desk_began = False

    def __enter__(self) -> Week:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.driver.end()
        if self.desk is not None and self._desk_began:
            self.desk.__exit__(kind, error, at)
        self.runtime.close()
        self.broker.stop()

    def _morning(self, day: date) -> datetime:
        return datetime.combine(day, self.plan.opens, IST)

    # -- the days ------------------------------------------------------------------------------------------------

    def live(self) -> None:
        """All days, and the morning after, on which nothing goes wrong any more."""
        log_in(self.runtime, self.broker)
        self._first_start()
        for number, day in enumerate(self.plan.days):
            self._night(self._morning(day))
            log_in(self.runtime, self.broker)
            self.driver.say("go")
            self._day(number, day)
            self._evening(number)
        self._night(datetime.combine(self.plan.after, day_time(8, 0), IST), speed=1)
        log_in(self.runtime, self.broker)
        self._settle()
        until(lambda: not self.runtime.alerts.all(open_only=True), lambda: self.runtime.alerts.all(open_only=True), 330)

    def _first_start(self) -> None:
        if self.desk is not None:
            self._desk_began = True
            self.desk.start().opened()
        if self.pages is not None:
            self.pages.open()
        self.driver.start()

    def _pace(self, speed: float) -> None:
        """The broker begins again where it is: with a clock that lets a desk start, or one that races. Nothing is
        under way in it then, or it is lost."""
        self.broker.write("night", f"the clock runs {speed:g} times as fast from now on")
        self.broker.stop()
        self.broker.start(self.broker.now(), speed)
        self.runtime._broker_time.doubt()

    def _tell(self, words: str) -> None:
        """For the person who waits."""
        print(f"{time.monotonic() - self._began:6.0f} s  {self.broker.now():%d %b %H:%M}  {words}", flush=True)

    def _night(self, at: datetime, speed: float | None = None) -> None:
        self._tell(f"the broker ends, and begins at {at:%d %b %H:%M}")
        self.broker.write("night", f"to {at:%d %b %H:%M}")
        self.broker.stop()
        self.broker.start(at, speed)
        self.broker.write("night", "a new day, with the old token")

    def _day(self, number: int, day: date) -> None:
        end = datetime.combine(day, self.plan.closes, IST)
        kills = [(datetime.combine(day, at, IST), who) for at, who in self.plan.kills.get(number, [])]
        trouble = time.monotonic() + self.plan.trouble_every
        while self.broker.now() < end:
            if kills and self.broker.now() >= kills[0][0]:
                self._kill(kills.pop(0)[1])
            elif time.monotonic() >= trouble:
                self.broker.trouble()
                trouble = time.monotonic() + self.plan.trouble_every
            elif self.pages is not None:
                self.pages.step()
            time.sleep(0.1)

    def _evening(self, number: int) -> None:
        """Faults end, the one who trades rests, and the desk finds everything out, by a clock that does not race."""
        self.driver.say("pause")
        self._pace(1)
        self._settle()
        until(self._nothing_alive, self.runtime.order_records.alive, 90)
        pids = {"trader": self.driver.pid, "broker": self.broker.pid} | ({"desk": self.desk.pid} if self.desk else {})
        self._tell(f"{self.driver.counts().total()} decisions, {self.broker.deeds()}, {_memory(pids)}")
        if number in (0, len(self.plan.days) - 1):
            self._rest()
            self._tell(f"after a rest: {_memory(pids)}")
        for name, memory in _memory(pids).items():
            self.memory.setdefault(name, []).append(memory)

    def _rest(self) -> None:
        """Pages that were left some minutes ago are still held for who comes back, the more the longer the desk has run
        (on the first day it is a minute old). Wait until they are let go: that is when somebody comes."""
        if self.pages is not None:
            time.sleep(HELD_SECONDS + 5)
            self.pages.open()
            time.sleep(COLLECT_SECONDS + 5)

    def _nothing_alive(self) -> bool:
        """Have all orders ended? What was clicked after the close waits for the next morning: it is called off here,
        as whoever clicked would."""
        left = self.runtime.order_records.alive()
        for order in left:
            if order.amo:
                with suppress(UpstoxError):  # it was called off already, and we are told in a moment
                    self.runtime.orders.cancel(order.order_id, intent_id=uuid.uuid4().hex, actor=acting())
        return not left

    def _settle(self) -> None:
        self.broker.heal()
        until(self._all_decided, self.runtime.intents.open, 120)
        if self.desk is not None:
            until(lambda: self.broker.feeds()["market"] == 1, lambda: (self.broker.feeds(), self._desk_tail()), PAUSE)
            self.desk.opened()

    def _all_decided(self) -> bool:
        """Is nothing open but what the desk leaves to a person? A waiting order (GTT) carries no tag: somebody looks
        at the list before and after, and says what came of it."""
        left = self.runtime.intents.open()
        if any(intent.kind is not IntentKind.GTT_PLACE or intent.state is not IntentState.UNKNOWN for intent in left):
            return False
        try:
            for intent in left:
                self._decide(intent)
        except UpstoxError:  # the list was not told, or it has been found meanwhile
            return False
        return not left

    def _decide(self, intent: Intent) -> None:
        """What a person does: is there one of this instrument, quantity and price that no other decision made?"""
        known = {one for other in self.runtime.intents.recent(1000) for one in other.order_ids}
        known |= set((intent.before or {}).get("gtt_ids") or ())
        [leg] = intent.body["legs"]
        fitting = [
            one.gtt_id
            for one in self.runtime.order_api.gtts()
            if one.gtt_id not in known
            and (one.key, one.quantity) == (intent.target, intent.body["quantity"])
            and [rule.trigger_price for rule in one.legs] == [Decimal(leg["trigger_price"])]
        ]
        self.runtime.orders.resolve(intent.intent_id, bool(fitting), order_ids=fitting[:1], actor=intent.actor)
        self.decided += 1

    # -- kills ---------------------------------------------------------------------------------------------------

    def _kill(self, who: str) -> None:
        self._tell(f"kill: {who}")
        if who == "broker":
            self.broker.kill()
        elif who == "desk":
            self._in_a_write(self._press, [self._kill_desk], quiet=True)
        elif who == "all":
            self._in_a_write(lambda: None, [self._kill_desk, self.driver.kill])
        else:
            self._in_a_write(lambda: None, [self.driver.kill])
        self.kills.append(who)

    def _press(self) -> None:
        """A person presses the button of a ticket. Where the broker has nothing of it, the click met nothing."""
        for _ in range(5):
            if self.pages is None or (self.pages.pressed() and self._soon_held()):
                return

    def _soon_held(self) -> bool:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            if self.broker.held():
                return True
            time.sleep(0.05)
        return False

    def _in_a_write(self, begin: Callable[[], None], kills: Sequence[Callable[[], None]], quiet: bool = False) -> None:
        """Kill when a request to place an order is at the broker and its answer is not here."""
        if quiet and self.pages is not None:
            self.driver.say("pause")
        if self._kill_desk in kills:
            self._pace(1)
        self.broker.hold("order_place", HELD_MS)
        begin()
        until(self.broker.held, lambda: "nobody placed an order", 60)
        self.broker.write("kill", "in the middle of a write")
        for kill in kills:
            kill()
        if self.desk is not None and self._kill_desk in kills:
            self.desk.start().opened()
            if self.pages is not None:
                self.pages.open()
            self._pace(self.plan.speed)
        if self.driver.kill in kills:
            self.driver.start()
        self.driver.say("go")

    def _kill_desk(self) -> None:
        assert self.desk is not None
        self.desk.stop(signal.SIGKILL)
        self.desk_logs.append(self.desk.log)

    def _desk_tail(self) -> str:
        return "" if self.desk is None else self.desk.log[-3000:]

    def all_logs(self) -> dict[str, str]:
        """What every process said, by name."""
        found = {"driver": self.driver.log}
        if self.desk is not None:
            found["desk"] = "\n".join([*self.desk_logs, self.desk.log])
        found["broker"] = "\n".join([*self.broker.logs, self.folder.joinpath("broker.log").read_text()])
        for file in sorted(self.data.glob("**/logs/*")):
            found[file.name] = file.read_text(errors="replace")
        return found

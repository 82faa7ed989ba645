"""Several processes of one desk on one paper broker and one Redis, and a witness of everything that they tell."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
import requests

from tests.checks import stage_environment
from tests.support.broker_process import Broker
from tests.support.shared_data import ROOT
from tests.support.warm import start

PATIENCE_SECONDS = 60.0
MOST_GAP_SECONDS = 10.0


class Child:
    """One process. `told` is the newest line; `gap` the longest time without a price since it first had one, leaving
    out what passed while it was paused."""

    def __init__(self, folder: Path, broker: Broker, redis_url: str, name: str) -> None:
        self.name = name
        self.told: dict[str, Any] = {}
        self.gap = 0.0
        self.paused = False
        self._excused_until = 0.0
        self._changed = threading.Condition()
        self._errors = folder.with_suffix(".log").open("ab")
        self.process = start(
            "tests.support.sharing_child", str(folder), broker.url, broker.token, redis_url, name,
            environment=stage_environment({"PYTHONPATH": str(ROOT), "PATH": ""}),
            errors=self._errors.fileno(),
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            told = orjson.loads(line)
            with self._changed:
                self.told = told
                if told["last"] and not self.paused and told["at"] > self._excused_until:
                    self.gap = max(self.gap, told["at"] - told["last"])
                self._changed.notify_all()

    @property
    def leads(self) -> bool:
        return bool(self.told.get("leads"))

    def fresh(self, since: float) -> bool:
        """Connected, with a price that came after that instant?"""
        told = self.told
        return bool(told.get("connected") and told.get("portfolio") and told["last"] > since and told["served"])

    def pause(self) -> None:
        self.paused = True
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self._excused_until = time.monotonic() + MOST_GAP_SECONDS  # it has to come back first
        self.process.send_signal(signal.SIGCONT)
        self.paused = False

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def close(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(5)
        self.process.stdout.close()
        self.process.stdin.close()
        self._errors.close()


class Crew:
    """The processes, each on a data folder of its own, as on machines of their own."""

    def __init__(self, folder: Path, broker: Broker, redis_url: str, count: int) -> None:
        self._folder = folder
        self._broker = broker
        self._redis_url = redis_url
        self._made = 0
        self.children: list[Child] = []
        for _ in range(count):
            self.add()

    def add(self) -> Child:
        self._made += 1
        name = f"process-{self._made}"
        made = Child(self._folder / name, self._broker, self._redis_url, name)
        self.children.append(made)
        return made

    def holder(self) -> Child:
        """Whoever leads; waits for one."""
        self.eventually(lambda: any(child.leads for child in self.children))
        return next(child for child in self.children if child.leads)

    def all_fresh(self) -> None:
        """Wait until every process that runs gets prices that came after now."""
        since = time.monotonic()
        self.eventually(lambda: all(child.fresh(since) for child in self.children if not child.paused))

    def eventually(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < end, [child.told for child in self.children]
            time.sleep(0.05)

    def open_feeds(self) -> dict[str, Any]:
        """What the broker tells of its feeds."""
        answer = requests.get(
            f"{self._broker.url}/_paper/feeds", headers={"Authorization": f"Bearer {self._broker.token}"}, timeout=10
        )
        told: dict[str, Any] = answer.json()["data"]
        return told

    def place(self) -> str:
        """One order at the broker, past every process; its number."""
        body = {
            "quantity": 1, "product": "D", "validity": "DAY", "price": 0, "instrument_token": "NSE_EQ|INE002A01018",
            "order_type": "MARKET", "transaction_type": "BUY", "disclosed_quantity": 0, "trigger_price": 0,
            "is_amo": False, "slice": False,
        }  # fmt: skip
        answer = requests.post(
            f"{self._broker.url}/v3/order/place",
            json=body,
            headers={"Authorization": f"Bearer {self._broker.token}"},
            timeout=10,
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["order_ids"][0])

    def lose(self, child: Child) -> None:
        """`child` is no more."""
        self.children.remove(child)
        child.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for child in self.children:
            child.close()

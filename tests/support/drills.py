"""A desk over a real paper broker that misbehaves, and its alerts, looked at as the thread would."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from services.alerts import Alert, Life
from services.broker_link import BrokerTime, Told
from services.domain.actors import Actor, Role
from services.domain.clock import ScaledClock
from services.domain.errors import LoginRequired
from services.domain.quotes import PriceSource
from services.parts import part
from services.runtime import Runtime
from services.settings import load_settings
from tests.support.browserless import press_login
from tests.support.paper import Client

OPERATOR = Actor("asha", Role.OPERATOR, "drill")
PATIENCE = 60.0


class Drill:
    """One desk. `soon(...)` looks at everything again and again until what was expected is so."""

    def __init__(self, runtime: Runtime, **rules: dict[str, float]) -> None:
        self.runtime = runtime
        self.desk = runtime.alert_desk
        for kind, numbers in rules.items():
            self.rule(kind, **numbers)

    def rule(self, kind: str, **numbers: float) -> None:
        self.desk.set_rule(kind, OPERATOR, **{name: Decimal(str(number)) for name, number in numbers.items()})

    def open(self) -> list[str]:
        """The kinds of the open alerts."""
        return sorted(alert.kind for alert in self.desk.standing().alerts)

    def the(self, kind: str) -> Alert:
        """The one open alert of that kind."""
        [found] = [alert for alert in self.desk.standing().alerts if alert.kind == kind]
        return found

    def lives(self, kind: str) -> list[Life]:
        """How every alert of that kind ended, or stands; the oldest first."""
        return [alert.life for alert in reversed(self.desk.history()) if alert.kind == kind]

    def cause(self, check: str) -> str:
        """State and reason of a check, as the health page shows it."""
        return next(f"{one.state.value}: {one.reason}" for one in self.runtime.measures.checks() if one.name == check)

    def soon(self, wanted: Callable[[], bool], what: str, also: Callable[[], object] = lambda: None) -> None:
        end = time.monotonic() + PATIENCE
        while not wanted():
            assert time.monotonic() < end, (what, self.open(), self.runtime.measures.checks())
            also()
            self.desk.round()
            time.sleep(0.1)

    def opens(self, kind: str, also: Callable[[], object] = lambda: None) -> Alert:
        """Wait for the alert; a person sees it."""
        self.soon(lambda: kind in self.open(), f"{kind} opens", also)
        alert = self.the(kind)
        self.desk.acknowledge(alert.id, OPERATOR)
        return alert

    def closes(self, kind: str, also: Callable[[], object] = lambda: None) -> None:
        """Wait until it is over by itself; it was one, and that it was seen is not lost."""
        self.soon(lambda: kind not in self.open(), f"{kind} is over", also)
        self.soon(lambda: self.desk.standing().problem is None, "everything is on the disk", also)
        self.desk.round()
        [alert] = [one for one in self.runtime.alerts.all() if one.kind == kind]
        assert (alert.life, alert.acknowledged_by) == (Life.AUTO_RESOLVED, "asha")


@contextmanager
def drilled(folder: Path, client: Client, **rules: dict[str, float]) -> Iterator[Drill]:
    """A desk over the broker of `client`, its data in `folder`."""
    token = str(client.session.headers["Authorization"]).removeprefix("Bearer ")
    with Runtime(load_settings(data_dir=folder, api_base=client.base, access_token=token)) as runtime:
        yield Drill(runtime, **rules)


class Jumping:
    """The host's clock, which somebody puts forward or back."""

    speed = 1.0

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset


class Rehearsal(Runtime):
    """Live mode against a broker on this machine, by `clock`, or as late as at the broker."""

    def __init__(self, folder: Path, client: Client, clock: Jumping | None = None) -> None:
        super().__init__(
            load_settings(
                data_dir=folder,
                mode="live",
                live_rehearsal=True,
                api_base=client.base,
                client_id="paper-desk",
                client_secret="paper-secret",
                redirect_uri="http://127.0.0.1:9/login/callback",
            )
        )
        self._hands = clock

    @part
    def _broker_time(self) -> BrokerTime:
        source = PriceSource("upstox", "rehearsal broker")
        if self._hands is not None:
            return BrokerTime(Told(self._hands, source))  # type: ignore[arg-type]  # a clock like the host's
        told = requests.get(f"{self.settings.api_base}/_paper/clock", timeout=30).json()
        clock = ScaledClock(datetime.fromisoformat(told["now"]), speed=told["speed"], monotonic=time.monotonic)
        return BrokerTime(Told(clock, source))

    def log_in(self) -> None:
        """What a person does in the browser."""
        with pytest.raises(LoginRequired) as asked:
            self.login.token()
        assert asked.value.login_url is not None
        back = press_login(asked.value.login_url)
        self.login.complete(back["code"], back["state"])


@contextmanager
def small_disk(place: Path, *, megabytes: int = 2) -> Iterator[Path]:
    """A disk of that size, mounted at `place`; the test is skipped where nobody may mount one."""
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None or _run(mount, "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)) != 0:
        pytest.skip("only who may mount a file system can have a small disk")
    try:
        yield place
    finally:
        assert _run("umount", "--lazy", str(place)) == 0


def remount(place: Path, how: str) -> None:
    """`ro` or `rw`."""
    assert _run("mount", "-o", f"remount,{how}", str(place)) == 0


def _run(*command: str) -> int:
    return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode

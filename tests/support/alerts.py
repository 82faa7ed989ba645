"""Alerts over a fresh ledger: time that a test moves, measures that it sets, a sender that remembers, a disk that can
be told to refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.alerts.book import AlertBook
from services.alerts.channels import ChannelBook
from services.alerts.delivering import Notifier
from services.alerts.desk import AlertDesk
from services.alerts.findings import readers
from services.alerts.prices import PriceNow, PriceWatch
from services.alerts.rules import RULES, TOGETHER_RULES
from services.alerts.scopes import Peers
from services.domain.actors import Actor, Role
from services.domain.errors import InvalidRequest, NoAnswer, StorageError
from services.ledger.alert_channels import Channels
from services.ledger.alert_rules import RuleChanges
from services.ledger.alerts import Alerts, Severity
from services.ledger.engine import LEDGER_FILE, Ledger
from services.ledger.files import FileLedger
from services.ledger.postgres import ServerLedger
from services.ledger.price_alerts import PriceAlerts
from services.measures.calls_now import RestNow
from services.measures.process import ProcessMeter
from services.measures.snapshot import ClockNow, ErrorsNow, FeedNow, Snapshot, TokenNow
from services.measures.storage_now import StorageNow, WriterNow
from services.storage.token_store import TokenStore
from tests.support.clocks import FakeClock, FakeMonotonic
from tests.support.ledger import NOTE, NOW, new_ledger

OPERATOR = Actor("asha", Role.OPERATOR, "tab-1")
TRADER = Actor("ravi", Role.TRADER, "tab-2")
VIEWER = Actor("guest", Role.VIEWER, "tab-3")
FULL = "the disk is full"


def calm(**parts: Any) -> Snapshot:
    """A desk at which all is well, but for what is given."""
    told: dict[str, Any] = {
        "at": NOW,
        "rest": RestNow(last_answer_ago=1.0, last_success_ago=1.0),
        "feed": feed_now(),
        "portfolio_feed": None,
        "push": None,
        "cache": None,
        "storage": StorageNow(free_bytes=50_000_000_000, total_bytes=100_000_000_000),
        "ledger": None,
        "orders": None,
        "errors": ErrorsNow(0.0, 5.0, {}),
        "token": TokenNow("access", None, 40_000.0, None),
        "market": None,
        "process": ProcessMeter().read(),
        "clock": ClockNow(None, 0, None, None, 1.0),
    }
    return Snapshot(**told | parts)


def feed_now(**changes: Any) -> FeedNow:
    told: dict[str, Any] = {
        "name": "market",
        "state": "connected",
        "reason": "",
        "connected": True,
        "uptime_seconds": 60.0,
        "messages": 10,
        "updates": 10,
        "updates_per_second": 1.0,
        "last_message_ago": 0.1,
        "last_update_ago": 0.1,
        "reconnects": 0,
        "ends": {},
        "bad_frames": 0,
        "unknown_rows": 0,
        "subscribed": 3,
        "sent": 3,
        "silent_keys": 0,
        "expected": True,
        "silent_seconds": None,
    }
    return FeedNow(**told | changes)


def writer_now(**changes: Any) -> WriterNow:
    told: dict[str, Any] = {
        "waiting": 0,
        "most_waiting": 250_000,
        "oldest_seconds": None,
        "written": 100,
        "flushes": 10,
        "failures": 0,
        "failing_seconds": None,
        "last_flush": 0.01,
        "longest_flush": 0.02,
        "flush_seconds": 0.1,
        "dropped": {},
        "dropped_ago": None,
        "trouble": "",
    }
    return WriterNow(**told | changes)


class FakeSender:
    """Knows addresses that begin with `fake://`, remembers what was sent, and refuses while it is told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str, Severity | None]] = []
        self.refuses: str | None = None

    def service(self, url: str) -> str:
        if not url.startswith("fake://"):
            raise InvalidRequest("no such service")
        return "Fake"

    def send(self, url: str, title: str, body: str, severity: Severity | None) -> None:
        if self.refuses is not None:
            raise NoAnswer(self.refuses)
        self.sent.append((url, title, body, severity))


class MayBeFull(Ledger):
    """A ledger that takes nothing while `full` says why (`times`: so often), and gives nothing while `unread` does."""

    full: str | None = None
    times: int | None = None
    unread: str | None = None

    @contextmanager
    def write(self, timeout: float | None = None) -> Iterator[Any]:
        if self.full is not None:
            full = self.full
            if self.times is not None:
                self.times -= 1
                self.full = full if self.times > 0 else None
            raise StorageError(full)
        with super().write(timeout) as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Any]:
        if self.unread is not None:
            raise StorageError(self.unread)
        with super().read() as connection:
            yield connection


class FullDisk(MayBeFull, FileLedger):
    """The same in a file."""


class FullServer(MayBeFull, ServerLedger):
    """The same in PostgreSQL."""


class Bench:
    """An alert desk whose world is set by hand. `round()` lets two seconds pass and looks."""

    def __init__(self, folder: Path, *, peers: Peers | None = None, beside: Bench | None = None) -> None:
        """`beside`: another process on the same ledger; `peers`: what this one knows of the others."""
        self.folder = folder
        self.peers = peers
        self.clock = FakeClock(NOW) if beside is None else beside.clock
        self.monotonic = FakeMonotonic() if beside is None else beside.monotonic
        self.sender = FakeSender() if beside is None else beside.sender
        self.snapshot = calm()
        self.cases: list[tuple[str, str]] | None = []
        self.differences: list[tuple[str, str]] | None = None
        self.known: dict[str, PriceNow] = {}
        self.announced: list[tuple[str, bool]] = []
        self._woken = False
        self._next_step: float | None = None
        new_ledger(folder).close()
        self.start()

    def start(self) -> None:
        """As after a start of the program: nothing is remembered but what lies on the disk."""
        note = self.folder / NOTE
        self.ledger: MayBeFull = FullServer(note.read_text()) if note.exists() else FullDisk(self.folder / LEDGER_FILE)
        self.kept = Alerts(self.ledger, self.clock)
        self.book = AlertBook(lambda: self.kept, self.clock)
        self.vault = TokenStore(self.folder, key=None, clock=self.clock)
        self.sent_over = Channels(self.ledger, self.clock)
        self.channels = ChannelBook(lambda: self.sent_over, lambda: self.vault, self.sender)
        self.notifier = Notifier(
            book=self.book,
            channels=self.channels,
            kept=lambda: self.sent_over,
            sender=self.sender,
            clock=self.clock,
            name=lambda: "Desk",
            redact=lambda text: text,
            monotonic=self.monotonic,
        )
        self._woken, self._next_step = False, None
        self.notifier.wake = self._wake  # type: ignore[method-assign]  # `send` is its thread
        self.watch = PriceWatch(
            kept=lambda: PriceAlerts(self.ledger, self.clock),
            book=self.book,
            prices=lambda keys: {key: self.known[key] for key in keys if key in self.known},
            clock=self.clock,
            monotonic=self.monotonic,
        )
        self.desk = AlertDesk(
            book=self.book,
            measures=lambda: self.snapshot,
            readers=readers(
                token_renewed=lambda: False,
                open_cases=lambda: self.cases,
                differences=lambda: self.differences,
                refused=lambda: self.book.refused,
                failures=self.notifier.failures,
            ),
            changes=lambda: RuleChanges(self.ledger, self.clock),
            prices=self.watch,
            channels=self.channels,
            sent=lambda: self.sent_over,
            notifier=self.notifier,
            announce=lambda text, good: self.announced.append((text, good)),
            peers=self.peers,
            rules=RULES if self.peers is None else (*RULES, *TOGETHER_RULES),
            monotonic=self.monotonic,
        )

    def close(self) -> None:
        self.desk.close()
        self.ledger.close()

    def pass_time(self, seconds: float) -> None:
        self.clock.move(seconds=seconds)
        self.monotonic.now += seconds

    def round(self, *, seconds: float = 2.0, send: bool = True, **parts: Any) -> None:
        """Let time pass, look, and send what is to be sent. `parts`: how the desk does from now on."""
        self.snapshot = replace(self.snapshot, **parts)
        self.pass_time(seconds)
        self.desk.round()
        if send:
            self.send()

    def send(self) -> None:
        """What the notifier's thread does now: nothing before its pause is over; without one, nothing until it is
        woken."""
        if self._next_step is None and not self._woken:
            return
        if self._next_step is not None and self.monotonic.now < self._next_step:
            return
        self._woken = False
        pause = self.notifier.step()
        self._next_step = None if pause is None else self.monotonic.now + pause

    def _wake(self) -> None:
        self._woken = True

    def open(self) -> dict[tuple[str, str], str]:
        """The words of the open alerts, by kind and subject."""
        return {(one.kind, one.subject): one.message for one in self.desk.standing().alerts}

    def lives(self, kind: str) -> list[str]:
        """How every alert of that kind stands, the oldest first."""
        return [one.life.value for one in reversed(self.desk.history()) if one.kind == kind]


@contextmanager
def alerting(folder: Path) -> Iterator[Bench]:
    bench = Bench(folder)
    try:
        yield bench
    finally:
        bench.close()


def until(wanted: Callable[[], bool], step: Callable[[], object], *, seconds: float = 60.0) -> None:
    """Do `step` again and again until `wanted()`; for drills over real parts."""
    import time

    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end, "it did not come to pass"
        step()
        time.sleep(0.05)

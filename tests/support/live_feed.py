"""A live feed against a scripted server, with pauses that take no time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from services.domain.accounts import Token, TokenKind
from services.domain.errors import LoginRequired, UpstoxError
from services.domain.phases import Listing, Phase, PhaseNow
from services.feed.backoff import Backoff
from services.feed.health import ConnectionRecord, StreamHealth, StreamState
from services.feed.watchdog import DataWatchdog
from services.live_feed import LiveFeed
from services.live_feed.resting import Resting
from services.transport.feed_connection import FeedConnection
from tests.support.clocks import FakeClock
from tests.support.feed_server import FeedServer

NOON = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
RELIANCE, INFY, NIFTY = "NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021", "NSE_INDEX|Nifty 50"


def token(secret: str = "token-one", *, expires: datetime = NOON + timedelta(hours=15)) -> Token:
    return Token(secret, TokenKind.ACCESS, NOON, expires)


@dataclass
class Desk:
    """What a feed asks its desk for; a test changes it."""

    server: FeedServer
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOON))
    token: Token | None = field(default_factory=token)
    phase: Phase = Phase.OPEN
    practice: bool = False
    refusals: list[UpstoxError] = field(default_factory=list)
    """Errors of the next authorisations."""
    authorised: int = 0
    records: list[ConnectionRecord] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    ticks: list[tuple[int, list[Any]]] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)

    def current_token(self) -> Token:
        if self.token is None:
            raise LoginRequired("there is no valid token: log in", login_url="https://login")
        return self.token

    def authorise(self) -> str:
        self.authorised += 1
        if self.refusals:
            raise self.refusals.pop(0)
        self.current_token()
        return self.server.address()

    def phase_of(self, segment: str, listing: Listing) -> PhaseNow:
        return PhaseNow(self.phase, "", None)

    def error_sink(self, error_type: str, message: str, **given: Any) -> None:
        self.told.append((error_type, message))

    def no_pause(self, low: float, high: float) -> float:
        self.pauses.append(high)
        return 0.0

    def backoff(self) -> Backoff:
        return Backoff(uniform=self.no_pause)

    def put_ticks(self, received_ms: int, ticks: Sequence[Any]) -> None:
        self.ticks.append((received_ms, list(ticks)))

    def keep_frame(self, received_ms: int, frame: bytes) -> None:
        self.frames.append(frame)


@contextmanager
def live_feed(desk: Desk, folder: Path, **given: Any) -> Iterator[LiveFeed]:
    """A feed that is closed at the end of the block."""
    options: dict[str, Any] = {
        "connect": lambda: FeedConnection(local=True),
        "folder": folder,
        "look_seconds": 0.01,
        "poll_seconds": 0.01,
        "resting": Resting(backoff=desk.backoff(), refusal_pauses=(0.0, 0.0)),
        "watchdog": DataWatchdog(seconds=60.0),
        "grace": 0.0,
    } | given
    feed = LiveFeed(
        authorise=options.pop("authorise", desk.authorise),
        token=desk.current_token,
        clock=desk.clock,
        phase=desk.phase_of,
        practice=lambda: desk.practice,
        book=desk.records.append,
        error_sink=desk.error_sink,
        **options,
    )
    feed.add_tick_sink(desk.put_ticks)
    try:
        yield feed
    finally:
        feed.close()


def until(feed: Any, done: Callable[[StreamHealth], bool], seconds: float = 10.0) -> StreamHealth:
    """Wait for the feed's health to become so."""
    found: list[StreamHealth] = []

    def look() -> bool:
        found.append(feed.health())
        return done(found[-1])

    for _ in range(int(seconds / 0.02)):
        if feed._stream.wait_for(look, 0.02):
            return found[-1]
    raise AssertionError(f"the feed did not come to that: {feed.health()}")


def state(wanted: StreamState) -> Callable[[StreamHealth], bool]:
    return lambda health: health.state is wanted

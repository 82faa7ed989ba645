"""How a stream does: its state in words, counts and rates, and why its connections ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.domain.clock import Clock

ENDS_KEPT = 20
_RATE_SECONDS = 10


class StreamState(StrEnum):
    """What a stream is doing. Only `CONNECTED` carries data."""

    OFF = "off"
    """Nobody asks for it."""
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting to reconnect"
    LOGIN_NEEDED = "login needed"
    """The broker refuses the token, or there is none. Goes on by itself with another one."""
    REFUSED = "refused"
    """The broker refuses the connection, several times now. Tried again rarely."""
    NO_SLOT = "no free slot"
    """Other processes hold the account's connections. Goes on by itself when one becomes free."""


class EndKind(StrEnum):
    """Why a connection or an attempt ended, in a word that can be counted."""

    ASKED = "asked"
    """Nobody wanted it any more."""
    MUTE = "mute"
    """Open, but no price came in the session."""
    TOKEN = "token"  # noqa: S105
    """The token ended, was refused or replaced, or there is none."""
    REFUSED = "refused"
    LIMITED = "limited"
    """Too many requests."""
    NOT_REACHED = "not_reached"
    """No answer while connecting."""
    LOST = "lost"
    """The broker, or the way to it, broke it off."""
    FAULT = "fault"
    """The desk's own."""


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """Why a connection, or an attempt to get one, ended."""

    at: datetime
    reason: str
    uptime_seconds: float | None
    """`None`: it never was open."""


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    """One connection, for the books: as it is at the instant `at`, or as it was when it ended then."""

    stream: str
    """`market` or `portfolio`."""
    opened_at: datetime
    at: datetime
    ended: bool
    reason: str
    """Why it ended; empty while it is open."""
    uptime_seconds: float
    messages: int
    updates: int
    bad_frames: int
    reconnect: int
    """How many connections came before it since the stream was asked for."""


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """The health of a stream at an instant. Ages and rates in real seconds, whatever the clock's speed."""

    state: StreamState
    reason: str
    """Why it is not connected; empty while it is."""
    login_url: str | None
    connected: bool
    uptime_seconds: float
    """Of the connection that is open; 0.0 without one."""
    messages_received: int
    """Frames since the process asked for the stream first, of all connections."""
    updates_received: int
    """Prices in them: one for each instrument of a frame."""
    messages_per_second: float
    """Over the last ten seconds."""
    updates_per_second: float
    last_message_ago_seconds: float | None
    """`None`: none has come yet."""
    last_update_ago_seconds: float | None
    """Since prices came last; market information and bad frames do not count."""
    stale_since: datetime | None
    """Since when nothing keeps the prices fresh; `None` while connected or before the first connection."""
    reconnect_count: int
    next_attempt_seconds: float | None
    bad_frames: int
    """Frames that could not be read."""
    unknown: int
    """Rows of a kind unknown to the desk, and messages that are no business of this stream."""
    unknown_members: tuple[str, ...]
    """Members of the feed that the desk's schema does not know, as `LTPC.6`; seen in a sample of the frames."""
    subscribed_count: int
    """Instruments that somebody here wants."""
    sent_count: int
    """Of these: asked of the broker on the connection that is open."""
    silent: tuple[str, ...]
    """Instruments of which nothing came after two requests: unknown to the broker, or without data."""
    slot: int | None
    ends: tuple[StreamEnd, ...]
    """The last ends, the newest last."""
    timestamp: datetime
    ends_by_kind: Mapping[EndKind, int] = field(default_factory=dict)
    """How many connections and attempts have ended since the process began, by kind."""

    @property
    def needs_login(self) -> bool:
        """Does it wait for somebody to log in?"""
        return self.state is StreamState.LOGIN_NEEDED


class HealthBook:
    """Counts kept by the stream's own thread. Others read a snapshot: single values are whole, together they may be a
    frame apart."""

    def __init__(self, clock: Clock, *, name: str, monotonic: Callable[[], float]) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._name = name
        self.state = StreamState.OFF
        self.reason = ""
        self.login_url: str | None = None
        self.messages = 0
        self.updates = 0
        self.bad_frames = 0
        self.unknown = 0
        self.unknown_members: frozenset[str] = frozenset()
        self.connections = 0
        self._opened: float | None = None
        self._opened_at: datetime | None = None
        self._at_opening = (0, 0, 0)
        self._last_message: float | None = None
        self._last_update: float | None = None
        self._stale_since: datetime | None = None
        self._next_attempt: float | None = None
        self._ends: deque[StreamEnd] = deque(maxlen=ENDS_KEPT)
        self._ends_by_kind = dict.fromkeys(EndKind, 0)
        self._second = -1
        self._marks: deque[tuple[int, int, int]] = deque(maxlen=2 * _RATE_SECONDS)
        self._since: float | None = None

    # -- what happens --------------------------------------------------------------------------------------------

    def began(self) -> None:
        """Somebody asks for the stream again after it was off."""
        self.connections = 0

    def connecting(self) -> None:
        self.state, self._next_attempt = StreamState.CONNECTING, None

    def opened(self) -> None:
        self._opened, self._opened_at = self._monotonic(), self._clock.now()
        self._at_opening = (self.messages, self.updates, self.bad_frames)
        self.connections += 1
        self.state, self.reason, self.login_url, self._stale_since = StreamState.CONNECTED, "", None, None

    def message(self, now: float, updates: int) -> None:
        """A frame with so many prices, at the monotonic instant `now`. The hottest line of this module."""
        if (second := int(now)) != self._second:
            self._new_second(second, now)
        self.messages += 1
        self._last_message = now
        if updates:
            self.updates += updates
            self._last_update = now

    def _new_second(self, second: int, now: float) -> None:
        """Remember the counts as they stand when the first frame of a second comes: rates are told from those."""
        self._second = second
        self._marks.append((second, self.messages, self.updates))
        if self._since is None:
            self._since = now

    def record(self, *, ended: str | None = None) -> ConnectionRecord | None:
        """The connection that is open, for the books; `ended`: it ends now, for this reason."""
        opened, opened_at = self._opened, self._opened_at
        if opened is None or opened_at is None:
            return None
        messages, updates, bad = self._at_opening
        return ConnectionRecord(
            stream=self._name,
            opened_at=opened_at,
            at=self._clock.now(),
            ended=ended is not None,
            reason=ended or "",
            uptime_seconds=self._monotonic() - opened,
            messages=self.messages - messages,
            updates=self.updates - updates,
            bad_frames=self.bad_frames - bad,
            reconnect=self.connections - 1,
        )

    def ended(self, reason: str, kind: EndKind = EndKind.LOST) -> ConnectionRecord | None:
        """The connection, or the attempt, is over. Its record if it was open."""
        self._ends_by_kind[kind] += 1
        record = self.record(ended=reason)
        now = self._clock.now() if record is None else record.at
        self._opened = self._opened_at = None
        self.state, self.reason = StreamState.WAITING, reason
        self._ends.append(StreamEnd(now, reason, None if record is None else record.uptime_seconds))
        if record is not None:
            self._stale_since = now
        return record

    def resting(self, state: StreamState, reason: str, *, seconds: float | None, login_url: str | None = None) -> None:
        """Nothing is done for so long (None: until something happens)."""
        self.state, self.reason, self.login_url = state, reason, login_url
        self._next_attempt = None if seconds is None else self._monotonic() + seconds

    # -- how it does ---------------------------------------------------------------------------------------------

    @property
    def uptime(self) -> float:
        opened = self._opened
        return 0.0 if opened is None else max(0.0, self._monotonic() - opened)

    def snapshot(
        self, *, subscribed: int = 0, sent: int = 0, silent: tuple[str, ...] = (), slot: int | None = None
    ) -> StreamHealth:
        now = self._monotonic()
        state, next_attempt = self.state, self._next_attempt
        connected = state is StreamState.CONNECTED
        messages_per_second, updates_per_second = self._rates(now)
        return StreamHealth(
            state=state,
            reason="" if connected else self.reason,
            login_url=self.login_url,
            connected=connected,
            uptime_seconds=self.uptime if connected else 0.0,
            messages_received=self.messages,
            updates_received=self.updates,
            messages_per_second=messages_per_second,
            updates_per_second=updates_per_second,
            last_message_ago_seconds=_ago(now, self._last_message),
            last_update_ago_seconds=_ago(now, self._last_update),
            stale_since=None if connected else self._stale_since,
            reconnect_count=max(0, self.connections - 1),
            next_attempt_seconds=None if next_attempt is None else max(0.0, next_attempt - now),
            bad_frames=self.bad_frames,
            unknown=self.unknown,
            unknown_members=tuple(sorted(self.unknown_members)),
            subscribed_count=subscribed,
            sent_count=sent if connected else 0,
            silent=silent,
            slot=slot,
            ends=tuple(self._ends),
            timestamp=self._clock.now(),
            ends_by_kind=dict(self._ends_by_kind),
        )

    def _rates(self, now: float) -> tuple[float, float]:
        """Messages and updates a second: over whole seconds before the running one, or over a shorter time where it has
        not been counting for so long."""
        since = self._since
        if since is None:
            return 0.0, 0.0
        span = min(float(_RATE_SECONDS), int(now) - since)
        if span < 1.0:  # the first second: what came until now
            span = max(0.1, now - since)
            return round(self.messages / span, 2), round(self.updates / span, 2)
        marks = list(self._marks)
        first, last = self._at(int(now) - _RATE_SECONDS, marks), self._at(int(now), marks)
        return round((last[0] - first[0]) / span, 2), round((last[1] - first[1]) / span, 2)

    def _at(self, second: int, marks: list[tuple[int, int, int]]) -> tuple[int, int]:
        """The counts when `second` began: those of the first frame from then on, which had not been counted yet."""
        found = next(((messages, updates) for at, messages, updates in marks if at >= second), None)
        return (self.messages, self.updates) if found is None else found


def _ago(now: float, then: float | None) -> float | None:
    return None if then is None else round(max(0.0, now - then), 3)

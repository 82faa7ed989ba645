"""The live market feed of this process: one connection, shared by everybody here, of which the account has two.

connect / disconnect        is the feed wanted at all; counted by user
hold / replace / release    a push connection, a script: hold instruments until they let go
wanted                      a page that polls: wants instruments until an instant
board                       where the latest of each stands
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock

from services.domain.accounts import Token
from services.domain.clock import Clock
from services.feed.arrivals import Arrivals
from services.feed.board import Board
from services.feed.health import HealthBook, StreamHealth, StreamState
from services.feed.latency import Latency
from services.feed.slots import Slots
from services.feed.subscriptions import GRACE_SECONDS, ORDINARY, Limits, Subscriptions
from services.feed.watchdog import DataWatchdog, PhaseOf
from services.live_feed.course import LOOK_SECONDS, ConnectionBook
from services.live_feed.market import FrameSink, MarketTalk, TickSink
from services.live_feed.resting import Resting
from services.live_feed.stream import POLL_SECONDS, SlotKeeper, Stream
from services.storage.feed_metrics import MARKET
from services.transport.failures import ErrorSink
from services.transport.feed_connection import Connection
from services.wire.feed.decoder import decode
from services.wire.feed.requests import FeedMode
from services.wire.feed.rows import Frame, MarketInfo

CONNECT_SECONDS = 5.0
"""`connect` waits so long for the connection; it goes on trying afterwards."""
SAY_SECONDS = 5.0


class LiveFeed:
    """The market feed. Safe to share; nothing waits for the network but `connect` and `settle`, and these a bounded
    time. `token()` gives the token of now or raises `LoginRequired`; `authorise()` a fresh address."""

    def __init__(
        self,
        *,
        authorise: Callable[[], str],
        connect: Callable[[], Connection],
        token: Callable[[], Token],
        clock: Clock,
        phase: PhaseOf,
        folder: Path | None = None,
        slots: SlotKeeper | None = None,
        practice: Callable[[], bool] = lambda: False,
        speed: Callable[[], float] = lambda: 1.0,
        board: Board | None = None,
        book: ConnectionBook | None = None,
        error_sink: ErrorSink | None = None,
        limits: Limits = ORDINARY,
        grace: float = GRACE_SECONDS,
        resting: Resting | None = None,
        watchdog: DataWatchdog | None = None,
        arrivals: Arrivals | None = None,
        look_seconds: float = LOOK_SECONDS,
        poll_seconds: float = POLL_SECONDS,
        decode: Callable[[bytes], Frame] = decode,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """The account's slots lie in `folder`. `phase(segment, listing)` tells the calendar's phase now; `practice()`
        whether the broker's market is open whatever the calendar says."""
        if slots is None:
            if folder is None:
                raise ValueError("a feed needs slots, or a folder for them")
            slots = Slots(folder)
        self.board = Board() if board is None else board  # an empty one counts: a board has a length
        self.latency = Latency()
        self._slots = slots
        self._monotonic = monotonic
        self._lock = Lock()  # guards the next one; never held across anything that waits
        self._subscriptions = Subscriptions(limits=limits, grace=grace)
        self._health = HealthBook(clock, name=MARKET, monotonic=monotonic)
        self._talk = MarketTalk(
            authorise=authorise,
            decode=decode,
            board=self.board,
            subscriptions=self._subscriptions,
            lock=self._lock,
            health=self._health,
            latency=self.latency,
            clock=clock,
            phase=phase,
            practice=practice,
            speed=speed,
            settled=lambda: self._stream.tell(),
            watchdog=watchdog,
            arrivals=arrivals,
        )
        self._stream = Stream(
            name="market-feed",
            talk=self._talk,
            connect=connect,
            token=token,
            slots=slots,
            health=self._health,
            clock=clock,
            book=book,
            error_sink=error_sink,
            resting=resting,
            look_seconds=look_seconds,
            poll_seconds=poll_seconds,
            monotonic=monotonic,
        )

    # -- up and down -----------------------------------------------------------------------------------------------

    def connect(self, user: str = "desk", *, timeout: float = CONNECT_SECONDS) -> bool:
        """`user` wants the feed up. True: it is. False: not within `timeout` seconds, or not without a person or a free
        slot (`health()` tells the reason); it goes on trying. With `timeout=0` it does not wait."""
        if timeout <= 0:
            self._stream.want(user)
            return self.connected
        return self._stream.connect(user, timeout)

    def disconnect(self, user: str | None = None) -> None:
        """`user` (None: everybody) wants the feed up no more. When nobody does it goes down, and stays down until
        somebody connects again. What is held stays held."""
        self._stream.unwant(user)

    def retry(self) -> None:
        """Try to connect now instead of when the pause is over, if the feed is wanted and rests."""
        self._stream.retry()

    @property
    def connected(self) -> bool:
        return self._health.state is StreamState.CONNECTED

    # -- who wants what ----------------------------------------------------------------------------------------------

    def hold(self, holder: str, keys: Iterable[str], mode: FeedMode | str = FeedMode.FULL) -> None:
        """`holder` wants `keys` in `mode` as well. A key that several want comes in the strongest of their modes.

        Raises `InvalidRequest` for what is no key or mode, and for more than the broker's limits allow; nothing has
        changed then. Without a connection the wish is kept until there is one.
        """
        with self._lock:
            self._subscriptions.hold(holder, keys, mode, self._monotonic())
        self._look_again()

    def replace(self, holder: str, keys: Iterable[str], mode: FeedMode | str = FeedMode.FULL) -> None:
        """`holder` wants exactly `keys` from now on. Raises as `hold` does."""
        with self._lock:
            self._subscriptions.replace(holder, keys, mode, self._monotonic())
        self._look_again()

    def drop(self, holder: str, keys: Iterable[str]) -> None:
        """`holder` lets go of `keys`."""
        with self._lock:
            self._subscriptions.drop(holder, keys, self._monotonic())
        self._look_again()

    def release(self, holder: str) -> None:
        """`holder` is gone. Its keys stay subscribed for some seconds, then only if others want them."""
        with self._lock:
            self._subscriptions.release(holder, self._monotonic())
        self._look_again()

    def abandon(self, holder: str) -> None:
        """`release`, soon, for a finalizer: takes no lock and waits for nothing."""
        self._talk.abandon(holder)

    def wanted(self, keys: Iterable[str], until: float, mode: FeedMode | str = FeedMode.FULL) -> None:
        """Somebody looks at `keys` until the instant `until` of `time.monotonic`. To be renewed by each run; what is
        not renewed falls away. Raises as `hold` does."""
        with self._lock:
            self._subscriptions.lease(keys, mode, until, self._monotonic())
            news = self._subscriptions.pending
        if news:
            self._look_again()

    def ask_again(self, keys: Iterable[str]) -> None:
        """Have the broker send a snapshot of those of `keys` that it was told of already: somebody new wants them."""
        self._talk.ask_again(keys)
        self._stream.wake()

    def settle(self, timeout: float = SAY_SECONDS) -> bool:
        """Wait until the broker was told all that is wanted, at most `timeout` seconds. False: it was not, or there is
        no connection."""
        return self._stream.wait_for(lambda: self._said() or not self.connected, timeout) and self._said()

    # -- how it does -------------------------------------------------------------------------------------------------

    @property
    def market_info(self) -> MarketInfo | None:
        """The broker's last word on its segments; `None` before the first."""
        return self._talk.market_info

    def serves(self, keys: Iterable[str]) -> set[str]:
        """Of `keys`, those that the feed keeps fresh now: subscribed on the connection that is open, and something has
        come since. Their quotes need no request."""
        if not self.connected:
            return set()
        has_come = self._talk.arrivals.has_come
        with self._lock:
            sent = self._subscriptions.sent()
            return {key for key in keys if key in sent and has_come(key)}

    def health(self) -> StreamHealth:
        """How the feed does now. Waits for nothing."""
        now = self._monotonic()
        with self._lock:
            self._talk.drop_abandoned(now)
            self._subscriptions.expire(now)
            subscribed, sent = self._subscriptions.count(), len(self._subscriptions.sent())
        return self._health.snapshot(
            subscribed=subscribed, sent=sent, silent=self._talk.arrivals.silent, slot=self._slots.held
        )

    @property
    def clock_offset(self) -> float | None:
        """Seconds that the host's clock is ahead of the broker's, as the frames of the last seconds tell."""
        return self._talk.clock_offset.seconds(self._monotonic())

    def segments(self) -> frozenset[str]:
        """Segments of all that is wanted here, whether there is a connection or not."""
        with self._lock:
            return frozenset(key.partition("|")[0] for key in self._subscriptions.wanted())

    def holders(self) -> dict[str, int]:
        """How many instruments each holder has."""
        with self._lock:
            return self._subscriptions.holders()

    def counts(self) -> dict[str, int]:
        """Wanted instruments by mode."""
        with self._lock:
            return self._subscriptions.counts()

    # -- who else hears of it ------------------------------------------------------------------------------------------

    def add_tick_sink(self, sink: TickSink) -> None:
        """Have `sink(received_ms, ticks)` called on the feed's thread. It must neither wait nor raise. Adding the same
        one again does nothing."""
        self._talk.add_tick_sink(sink)

    def add_frame_sink(self, sink: FrameSink) -> None:
        """The same for whole frames, as they came: `sink(received_ms, frame)`."""
        self._talk.add_frame_sink(sink)

    def add_info_sink(self, sink: Callable[[bytes], None]) -> None:
        """The same for those frames alone that tell the state of the market's segments."""
        self._talk.add_info_sink(sink)

    def begin_close(self) -> None:
        self._stream.begin_close()

    def close(self) -> None:
        """End the feed for good; two seconds at the most."""
        self._stream.close()

    def _look_again(self) -> None:
        self._talk.look_again()
        self._stream.wake()

    def _said(self) -> bool:
        with self._lock:
            return self._talk.all_said

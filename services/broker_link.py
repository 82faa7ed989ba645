"""Where the broker is, and what time it is there: the real addresses, or a paper broker that is found or started."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Event, Lock

import orjson

from services.domain.clock import FollowedClock, HostClock, ScaledClock, ist_date, practice_day
from services.domain.errors import ConfigurationError, MalformedPayload, NotSent, UpstoxError
from services.domain.quotes import PriceSource
from services.paper.finding import CARD, HELLO_SECONDS, Found, ask_clock, find_or_start
from services.paper.options import LIVE, PaperOptions
from services.paper.relay.upstream import LiveSource
from services.settings import UPSTOX_API, UPSTOX_ASSETS, UPSTOX_ORDER, Mode, Settings
from services.transport.http import HttpClient
from services.wire.endpoints import Base

SEEK_SECONDS = 10.0
"""To find or start a broker, where nothing can be done without."""
ASK_AGAIN_SECONDS = 3.0
"""A broker that may be another one is asked no more often than this which one it is."""
_OPENING = timedelta(hours=9, minutes=15)
"""After midnight IST: shares open, and a practice market with real hours goes over to its next day."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is. `label` is for the screen; a paper broker hands out its own token."""

    api: str
    order: str
    assets: str
    label: str

    def base(self, which: Base) -> str:
        return {Base.API: self.api, Base.ORDER: self.order, Base.ASSETS: self.assets}[which]


@dataclass(frozen=True, slots=True)
class Told:
    """What a broker says of itself at `/_paper/clock`, read. `days`: the days that `source` is about."""

    clock: HostClock | ScaledClock
    source: PriceSource
    instance: str = ""
    days: tuple[date, date] | None = None


class BrokerTime:
    """The broker's clock and where its prices come from: asked once, and again only where that may have changed.

    A broker that was restarted may tell another time: after `doubt()` the next `settle()` asks which broker it is, and
    the clock goes over to that one if it is another. `ask=None`: nothing can change.
    """

    def __init__(
        self, told: Told, ask: Callable[[], Told] | None = None, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._told = told
        self._ask = ask
        self._monotonic = monotonic
        self._followed = FollowedClock(told.clock)
        self.clock = self._followed
        self._doubted = False
        self._not_before = 0.0
        self._asking = Lock()  # held while one thread asks, HELLO_SECONDS at most

    @property
    def source(self) -> PriceSource:
        """As it was told last. Makes no request."""
        return self._told.source

    def current_source(self) -> PriceSource:
        """`source`, asked for anew if another day has begun or another broker may be there."""
        if self._ask is not None and self._told.days != _days(self.clock.now()):
            self._doubted = True
        self.settle()
        return self._told.source

    def doubt(self) -> None:
        """The broker may be another one from now on."""
        self._doubted = True

    def settle(self) -> None:
        """If there is doubt, ask; not more often than every `ASK_AGAIN_SECONDS`, and without an answer it remains."""
        if self._ask is None or not self._due() or not self._asking.acquire(timeout=HELLO_SECONDS):
            return
        try:
            if self._due():  # else another thread has just asked
                self._not_before = self._monotonic() + ASK_AGAIN_SECONDS
                self._take(self._ask())
        except UpstoxError as error:
            log.info("the paper broker does not tell its clock: %s", error)
        finally:
            self._asking.release()

    def _due(self) -> bool:
        return self._doubted and self._monotonic() >= self._not_before

    def _take(self, told: Told) -> None:
        if told.instance != self._told.instance:
            log.info("another paper broker is there; its clock is followed from now on")
            self._followed.follow(told.clock)
        self._told = told
        self._doubted = False


class BrokerLink:
    """The broker of this process. `close()` stops a paper broker that is ours."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._found = _FoundBroker(folder, _paper_options(settings, folder)) if settings.starts_own_broker else None

    def address(self) -> BrokerAddress:
        """Where requests go now. In paper mode without an address this finds the running broker or starts one."""
        given = self._settings
        if self._found is not None:
            base = self._found.now().base_url
            return BrokerAddress(base, base, base, "paper broker of this desk")
        if given.api_base is not None:
            label = "rehearsal broker" if given.live_rehearsal else "paper broker"
            return BrokerAddress(
                given.api_base,
                given.order_base or given.api_base,
                given.assets_base or given.api_base,
                f"{label} at {given.api_base}",
            )
        return BrokerAddress(UPSTOX_API, given.order_base or UPSTOX_ORDER, given.assets_base or UPSTOX_ASSETS, "Upstox")

    def ask_time(self, http: Callable[[], HttpClient]) -> BrokerTime:
        """The clock and the price source: in live mode the host's clock; a paper broker is asked, once."""
        if self._settings.mode is Mode.LIVE:
            label = "rehearsal broker" if self._settings.live_rehearsal else "Upstox"
            return BrokerTime(Told(HostClock(time.time), PriceSource("upstox", label)))
        address = self.address()
        asked = time.monotonic()
        answer = http().send("GET", f"{address.api}/_paper/clock")
        if answer.status != 200:
            raise ConfigurationError(f"{address.label} is not a paper broker of this desk: it tells no clock")
        return BrokerTime(_read_told(answer.body, (time.monotonic() - asked) / 2), self._ask_again)

    def _ask_again(self) -> Told:
        api, asked = self.address().api, time.monotonic()
        body = ask_clock(api)
        if body is None:
            raise NotSent(f"nothing answers at {api}")
        return _read_told(body, (time.monotonic() - asked) / 2)

    def access_token(self) -> str | None:
        """The token that a paper broker hands to the desks of its machine; `None` where a person has to log in."""
        given = self._settings
        if given.mode is not Mode.PAPER:
            return None
        if self._found is not None:
            return self._found.now().access_token()
        return given.access_token.get_secret_value() if given.access_token else None

    def seek(self, *, seconds: float = SEEK_SECONDS) -> bool:
        """The paper broker took no connection: if it is gone, find the next one or take its place. False where the
        address was given and nothing can be sought. Raises `NotSent` if there is none after `seconds`."""
        if self._found is None:
            return False
        self._found.seek(seconds)
        return True

    def changed_hands(self) -> bool:
        """May another broker have taken the folder since this was asked last, at the same address and without a
        failure? Looks at the card's time only: cheap enough before each request."""
        return self._found is not None and self._found.has_new_card()

    def begin_close(self) -> None:
        """End the wait of whoever seeks."""
        if self._found is not None:
            self._found.stop.set()

    def close(self) -> None:
        if self._found is not None:
            self._found.close()


class _FoundBroker:
    """The paper broker of a data folder: found or started on first need, looked for again when it is gone."""

    def __init__(self, folder: Path, options: PaperOptions) -> None:
        self._folder = folder
        self._options = options
        self._lock = Lock()
        self._found: Found | None = None
        self._card_time = 0
        self.stop = Event()

    def now(self) -> Found:
        return self._found or self.seek(SEEK_SECONDS)

    def seek(self, seconds: float) -> Found:
        """Find the broker that runs now, or start one. To start one may take longer than `seconds`, to wait may not."""
        end = time.monotonic() + seconds
        if not self._lock.acquire(timeout=seconds):
            raise NotSent("the paper broker is being sought already")
        try:
            if self.stop.is_set():
                raise NotSent("the desk is closing; the broker is not sought any more")
            if self._found is not None and self._found.server is not None:
                if self._found.server.is_alive:
                    return self._found
                log.error("the paper broker of this desk has ended; another one is started")
                self._found.close()
            left = max(0.0, end - time.monotonic())
            self._found = find_or_start(self._folder, self._options, timeout=left, stop=self.stop)
            self._card_time = self._read_card_time()
            return self._found
        finally:
            self._lock.release()

    def has_new_card(self) -> bool:
        """Was the card rewritten (by another broker, or with a new token) since this was asked last?"""
        if self._found is None or self._found.server is not None:
            return False
        before, self._card_time = self._card_time, self._read_card_time()
        return self._card_time != before

    def _read_card_time(self) -> int:
        try:
            return (self._folder / CARD).stat().st_mtime_ns
        except OSError:
            return 0

    def close(self) -> None:
        self.stop.set()
        with self._lock:
            if self._found is not None:
                self._found.close()


def _paper_options(settings: Settings, folder: Path) -> PaperOptions:
    return PaperOptions(
        folder=folder,
        clock=settings.paper_clock,
        seed=settings.paper_seed,
        instruments=settings.paper_instruments,
        prices=settings.paper_prices,
        live=_live_source(settings),
        candles=settings.paper_candles,
        faults=settings.paper_faults,
        plus=settings.plus,
    )


def _live_source(settings: Settings) -> LiveSource | None:
    """Live prices for paper orders, where the settings ask for them: with the read-only token."""
    if settings.paper_prices != LIVE or settings.read_token is None:
        return None
    return LiveSource(settings.read_token.get_secret_value())


def _read_told(body: bytes, half_trip: float) -> Told:
    """What `/_paper/clock` told, as a clock and a price source."""
    try:
        told = orjson.loads(body)
        mode, speed, source = str(told["mode"]), float(told["speed"]), str(told["source"])
        then, instance = datetime.fromisoformat(told["now"]), str(told["instance"])
        days = _days(then)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise MalformedPayload("the paper broker's clock cannot be read", field="_paper/clock") from error
    if mode == "simulated":
        clock: HostClock | ScaledClock = ScaledClock(
            then + timedelta(seconds=half_trip * speed), speed=speed, monotonic=time.monotonic
        )
    else:
        clock = HostClock(time.time)
    return Told(clock, _read_source(source, practice=mode == "always"), instance, days)


def _read_source(source: str, *, practice: bool) -> PriceSource:
    kind, _, day = source.partition(":")
    if kind == "mixed":
        return PriceSource("replay", f"replay of {day}, others simulated", practice)
    labels = {"replay": f"replay of {day}", LIVE: "live prices, paper orders"}
    return PriceSource(kind, labels.get(kind, kind), practice)


def _days(now: datetime) -> tuple[date, date]:
    """The practice day, and the date in India as of the opening: a broker's source may change when one of them does."""
    return practice_day(now), ist_date(now - _OPENING)

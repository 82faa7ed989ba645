"""Builds the real object graph, each part on first use, and closes it. One runtime per process.

Paper and live differ here in base addresses, data folder and credentials, and nowhere else.
"""

from __future__ import annotations

import atexit
import logging
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock, RLock
from typing import Any

import orjson

from services.day_tracks import DayTracks
from services.domain.accounts import Token
from services.domain.clock import Clock, HostClock, ScaledClock
from services.domain.errors import ConfigurationError, MalformedPayload
from services.domain.phases import PhaseNow, nse_phase
from services.domain.quotes import PriceSource
from services.instrument_master import InstrumentMaster
from services.ledger.alerts import Alerts
from services.ledger.engine import Ledger, open_ledger
from services.ledger.watchlists import Watchlists
from services.login import Login, read_token_text
from services.logs import hide, redact
from services.paper.finding import Found, find_or_start
from services.paper.options import PaperOptions
from services.parts import Parts, part
from services.quote_book import QuoteBook
from services.settings import UPSTOX_API, UPSTOX_ASSETS, UPSTOX_ORDER, Mode, Settings, ensure_folder, load_settings
from services.storage.error_log import ErrorLog
from services.storage.pool import Pool
from services.storage.quote_store import QuoteStore
from services.storage.schema import migrate_market
from services.storage.token_store import TokenStore
from services.transport.http import HttpClient
from services.transport.rate_gate import RateGate
from services.transport.upstox_api import UpstoxApi
from services.wire.endpoints import Base

MARKET_FILE = "market_data.db"
LEDGER_FILE = "ledger.db"

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
class BrokerTime:
    """What a paper broker says of its clock and its prices."""

    clock: Clock
    source: PriceSource


class _Bases(Mapping[Base, str]):
    """The broker's addresses as they are now: a paper broker that was restarted may have moved."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def __getitem__(self, which: Base) -> str:
        return self._runtime.broker.base(which)

    def __iter__(self) -> Iterator[Base]:
        return iter(Base)

    def __len__(self) -> int:
        return len(Base)


class Runtime(Parts):
    """Everything that the desk is made of. `with Runtime(settings) as rt:` or `get_runtime()`."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self._pools: dict[Path, Pool] = {}
        self._books: dict[Path, QuoteBook] = {}
        self._registry = RLock()
        self._seeking = Lock()
        for secret in (settings.access_token, settings.read_token, settings.client_secret, settings.encryption_key):
            if secret is not None:
                hide(secret.get_secret_value())

    # -- where we are, and what time it is there ---------------------------------------------------------------

    @part
    def folder(self) -> Path:
        """The data folder of this mode."""
        return ensure_folder(self.settings.folder)

    @part
    def _found(self) -> _FoundBroker:
        return _FoundBroker(self.folder, _paper_options(self.settings, self.folder))

    @property
    def broker(self) -> BrokerAddress:
        """Where requests go. In paper mode without an address this finds the running paper broker or starts one."""
        given = self.settings
        if given.starts_own_broker:
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
        return BrokerAddress(
            UPSTOX_API, given.order_base or UPSTOX_ORDER, given.assets_base or UPSTOX_ASSETS, "Upstox"
        )

    @part
    def _broker_time(self) -> BrokerTime:
        host = HostClock(time.time)
        if self.settings.mode is Mode.LIVE:
            label = "rehearsal broker" if self.settings.live_rehearsal else "Upstox"
            return BrokerTime(host, PriceSource("upstox", label))
        asked = time.monotonic()
        answer = self.http.send("GET", f"{self.broker.api}/_paper/clock")
        if answer.status != 200:
            raise ConfigurationError(f"{self.broker.label} is not a paper broker of this desk: it tells no clock")
        return _read_broker_time(answer.body, host, (time.monotonic() - asked) / 2)

    @property
    def clock(self) -> Clock:
        """The host's in live mode; in paper mode the broker's, asked once."""
        return self._broker_time.clock

    @property
    def source(self) -> PriceSource:
        """Where this process's prices come from."""
        return self._broker_time.source

    def phase(self, segment: str = "NSE_EQ") -> PhaseNow:
        """The phase of the real market in `segment`, by this process's clock."""
        return nse_phase(self.clock.now(), segment)

    # -- storage -----------------------------------------------------------------------------------------------

    @part
    def ledger(self) -> Ledger:
        """What may not be lost."""
        return open_ledger(self.folder / LEDGER_FILE, backups=self.folder / "backups", now=self.clock.now())

    @part
    def watchlists(self) -> Watchlists:
        return Watchlists(self.ledger, self.clock)

    @part
    def alerts(self) -> Alerts:
        return Alerts(self.ledger, self.clock)

    def pool(self, db_path: str | Path = MARKET_FILE, size: int = 5) -> Pool:
        """The pool of that market file, one per file; a relative name lives in the data folder."""
        path = (self.folder / db_path).resolve()
        with self._registry:
            if path not in self._pools:
                if self._closed:
                    raise RuntimeError(f"the runtime is closed; {path.name} was asked for")
                migrate_market(path, backups=path.parent / "backups", now=self.clock.now())
                made = self._pools[path] = Pool(path, size=size)
                self._exit.callback(made.close_all)
            elif self._pools[path].closed:
                self._pools[path] = Pool(path, size=size)
                self._exit.callback(self._pools[path].close_all)
            return self._pools[path]

    @property
    def market_pool(self) -> Pool:
        return self.pool()

    @part
    def errors(self) -> ErrorLog:
        """Every failed request, stored without secrets."""
        return ErrorLog(self.market_pool, self.clock, redact=redact)

    @part
    def tokens(self) -> TokenStore:
        key = self.settings.encryption_key
        return TokenStore(self.folder, key=key.get_secret_value() if key else None, clock=self.clock)

    # -- the broker --------------------------------------------------------------------------------------------

    @part
    def http(self) -> HttpClient:
        return HttpClient(
            connect_timeout=self.settings.connect_timeout,
            read_timeout=self.settings.read_timeout,
            trust_env=self.settings.use_system_proxy,
        )

    @part
    def gate(self) -> RateGate:
        return RateGate()

    @part
    def api(self) -> UpstoxApi:
        """The broker's operations, typed."""
        return UpstoxApi(
            http=self.http,
            gate=self.gate,
            bases=_Bases(self),
            profile=self.settings.route_profile,
            token=lambda writes: self.login.token(writes=writes).secret,
            token_rejected=lambda secret: self.login.rejected(secret),
            error_sink=self._broker_failed,
        )

    @part
    def login(self) -> Login:
        """The life of the token."""
        return Login(
            settings=self.settings,
            store=self.tokens,
            exchange=lambda **grant: self.api.exchange_code(**grant),
            profile=lambda secret: self.api.profile(token=secret),
            clock=self.clock,
            paper_token=self._paper_token if self.settings.mode is Mode.PAPER else None,
            nonce=lambda: secrets.token_urlsafe(24),
        )

    def _paper_token(self) -> Token | None:
        """The token that a paper broker hands to the desks on its own machine."""
        given = self.settings.access_token
        if given is not None:
            return read_token_text(given.get_secret_value(), now=self.clock.now())
        if not self.settings.starts_own_broker:
            return None
        return read_token_text(self._found.now().access_token(), now=self.clock.now())

    def _broker_failed(
        self,
        error_type: str,
        message: str,
        *,
        status_code: int | None = None,
        endpoint: str = "",
        retry_count: int = 0,
        context: dict[str, Any] | None = None,
    ) -> None:
        """Store a failed request. If the paper broker's process is gone, look for it again or take its place."""
        if error_type == "NotSent" and self.settings.starts_own_broker and not self._closed:
            self._found.seek()
        self.errors.add(
            error_type, message, status_code=status_code, endpoint=endpoint, retry_count=retry_count, context=context
        )

    # -- market data -------------------------------------------------------------------------------------------

    @part
    def instruments(self) -> InstrumentMaster:
        return InstrumentMaster(pool=self.market_pool, download=self.api.instrument_file, clock=self.clock)

    def quotes_in(self, db_path: str | Path = MARKET_FILE) -> QuoteBook:
        """The quote book over that market file, one per file."""
        pool = self.pool(db_path)
        with self._registry:
            if pool.path not in self._books:
                if self._closed:
                    raise RuntimeError("the runtime is closed; quotes were asked for")
                made = self._books[pool.path] = QuoteBook(
                    fetch=self.api.full_quotes,
                    store=QuoteStore(pool),
                    clock=self.clock,
                    source=lambda: self.source,
                )
                self._exit.callback(made.close)
            return self._books[pool.path]

    @property
    def quotes(self) -> QuoteBook:
        return self.quotes_in()

    @part
    def tracks(self) -> DayTracks:
        """The day's path of each watched instrument, for sparklines."""
        return DayTracks(fetch_bars=self.api.intraday_bars, clock=self.clock)


class _FoundBroker:
    """The paper broker of a data folder: found or started on first need, looked for again when it is gone."""

    def __init__(self, folder: Path, options: PaperOptions) -> None:
        self._folder = folder
        self._options = options
        self._lock = Lock()
        self._found: Found | None = None
        self._ended = False

    def now(self) -> Found:
        if self._found is not None:
            return self._found
        return self.seek()

    def seek(self) -> Found:
        """Find the broker that runs now, or start one. Bounded by the finder's own deadline."""
        with self._lock:
            if self._ended:
                raise RuntimeError("the runtime is closed; the broker was asked for")
            if self._found is not None and self._found.server is not None:
                return self._found  # it is ours: it lives as long as we do
            self._found = find_or_start(self._folder, self._options)
            return self._found

    def close(self) -> None:
        with self._lock:
            self._ended = True
            if self._found is not None:
                self._found.close()


def _paper_options(settings: Settings, folder: Path) -> PaperOptions:
    return PaperOptions(
        folder=folder,
        clock=settings.paper_clock,
        seed=settings.paper_seed,
        instruments=settings.paper_instruments,
        prices=settings.paper_prices,
        candles=settings.paper_candles,
        faults=settings.paper_faults,
    )


def _read_broker_time(body: bytes, host: Clock, half_trip: float) -> BrokerTime:
    """What `/_paper/clock` told, as a clock and a price source."""
    try:
        told = orjson.loads(body)
        mode, speed, source = str(told["mode"]), float(told["speed"]), str(told["source"])
        then = datetime.fromisoformat(told["now"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise MalformedPayload("the paper broker's clock cannot be read", field="_paper/clock") from error
    if mode == "simulated":
        clock: Clock = ScaledClock(then + timedelta(seconds=half_trip * speed), speed=speed, monotonic=time.monotonic)
    else:
        clock = host
    kind, _, day = source.partition(":")
    label = f"replay of {day}" if kind == "replay" else kind
    return BrokerTime(clock, PriceSource(kind, label, practice=mode == "always"))


_current: Runtime | None = None
_making = RLock()


def get_runtime() -> Runtime:
    """The runtime of this process, made from the environment on first use and closed when the program ends."""
    global _current  # noqa: PLW0603  # the one process-wide object, swapped in tests by `use_runtime`
    with _making:
        if _current is None:
            _current = Runtime(load_settings())
            atexit.register(_current.close)
        return _current


@contextmanager
def use_runtime(runtime: Runtime) -> Iterator[Runtime]:
    """Make `runtime` the process's runtime inside the block. The caller closes it."""
    global _current  # noqa: PLW0603
    with _making:
        before, _current = _current, runtime
    try:
        yield runtime
    finally:
        with _making:
            _current = before

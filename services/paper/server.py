"""The paper broker as a running server: a thread of its own with its own event loop, on loopback only."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any, Self

from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from services.domain.errors import ConfigurationError
from services.paper.accounts import FILE, AccountBook
from services.paper.app import build_app
from services.paper.broker import Broker
from services.paper.calendar_faults import CalendarFaults
from services.paper.clock import PaperClock
from services.paper.faults import Faults
from services.paper.feed.feeds import make_feeds
from services.paper.feed.portfolio_feed import PortfolioUpdates
from services.paper.feed.protocol import LARGEST_REQUEST, PING_SECONDS, PONG_SECONDS, FeedProtocol, WatchfulProtocol
from services.paper.feed.recorded import RecordedMarket
from services.paper.feed.recording_file import Recording, find_recording
from services.paper.instrument_files import InstrumentFiles
from services.paper.limits import RateLimits
from services.paper.live_room import Relay, open_relay
from services.paper.logins import Logins, is_local_http
from services.paper.model import Market
from services.paper.options import EXCHANGE_CLOCK, LIVE, USUAL_CLOCK, PaperOptions
from services.paper.pump import pump
from services.paper.sessions import Sessions
from services.paper.tokens import DeskToken, Tokens
from services.paper.trading.store import TradingStore
from services.paper.trading_room import open_desk
from services.wire.endpoints import OPERATIONS, ORDER_OPERATIONS

HOST = "127.0.0.1"
START_SECONDS = 10.0
LONGEST_REQUEST_LINE = 256 * 1024
_RENEWAL_LOOK_SECONDS = 30.0

log = logging.getLogger(__name__)


class PaperServer:
    """One broker over one folder. `start()` returns when it answers; `stop()` ends it within a second.

    Its thread, `paper-broker`, is a daemon: a program that forgets to stop it can still end.
    """

    def __init__(
        self,
        options: PaperOptions,
        *,
        market: Market | None = None,
        clock: PaperClock | None = None,
        old_port: int = 0,
    ) -> None:
        """`old_port` is tried first when the options leave the port open."""
        self._options = options
        self._market = market
        self._clock = clock
        self._old_port = old_port
        self._accounts: AccountBook | None = None
        self._trades: TradingStore | None = None
        self._relay: Relay | None = None
        self._desk_token: DeskToken | None = None
        self._broker: Broker | None = None
        self._server: Server | None = None
        self._thread: Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = Event()
        self._port = 0
        self._token_renewed: Callable[[], None] | None = None

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self._port}"

    @property
    def port(self) -> int:
        return self._port

    @property
    def instance(self) -> str:
        """Differs on every start."""
        return self._running().instance

    @property
    def portfolio_updates(self) -> PortfolioUpdates:
        """The hub behind the portfolio feeds."""
        return self._running().portfolio_updates

    @property
    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def access_token(self) -> str:
        """A token for the desks of this folder, alive now; a new one after 03:30 IST or a logout."""
        if self._desk_token is None:
            raise ConfigurationError("the paper broker is not running")
        return self._desk_token.current()

    def when_token_renewed(self, tell: Callable[[], None]) -> None:
        """Call `tell` after each renewal of `access_token()`."""
        self._token_renewed = tell
        if self._desk_token is not None:
            self._desk_token.when_renewed(tell)

    def start(self) -> Self:
        """Open the folder, bind, serve. ConfigurationError says what is wrong with the options."""
        options = self._options
        if options.notifier_url and not is_local_http(options.notifier_url):
            raise ConfigurationError("the notifier URL must be an http address on this machine")
        options.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        recording = find_recording(options.prices)
        clock = self._clock or _clock(options, recording)
        declared = CalendarFaults() if options.faults else None
        listener = self._bind()
        self._port = listener.getsockname()[1]
        try:
            self._relay = open_relay(options, clock)
            market = self._market or self._own_market(clock, recording)
            self._accounts = AccountBook(options.folder)
            tokens = Tokens(self._accounts, clock, plus=options.plus)
            user_id = self._accounts.account().user_id
            self._desk_token = DeskToken(tokens, user_id)
            if self._token_renewed is not None:
                self._desk_token.when_renewed(self._token_renewed)
            sessions = Sessions(always=clock.mode == "always", faults=declared)
            feeds = make_feeds(
                options,
                market=market,
                clock=clock,
                sessions=sessions,
                tokens=tokens,
                relay=self._relay.feed if self._relay is not None else None,
            )
            self._trades = TradingStore(options.folder / FILE)
            desk, gtt = open_desk(self._trades, market, clock, sessions, feeds.portfolio, user_id)
            self._broker = Broker(
                instance=secrets.token_hex(8),
                clock=clock,
                market=market,
                accounts=self._accounts,
                tokens=tokens,
                logins=Logins(monotonic=time.monotonic),
                sessions=sessions,
                files=InstrumentFiles(market),
                limits=RateLimits(monotonic=time.monotonic) if options.limits else None,
                faults=Faults(op.name for op in (*OPERATIONS, *ORDER_OPERATIONS)) if options.faults else None,
                calendar_faults=declared,
                notifier_url=options.notifier_url,
                feeds=feeds,
                user_id=user_id,
                desk=desk,
                upstream=self._relay.upstream if self._relay is not None else None,
                gtt=gtt,
            )
            self._serve(listener, self._broker)
        except BaseException:
            listener.close()
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Answer no more, cut what is open, close the folder. A second call does nothing."""
        thread, server, loop, broker = self._thread, self._server, self._loop, self._broker
        if thread is not None and thread.is_alive() and server is not None:
            server.should_exit = True
            if loop is not None and broker is not None and not loop.is_closed():
                loop.call_soon_threadsafe(broker.stopping.set)
            thread.join(1.5)
            server.force_exit = True
            thread.join(1.5)
        self._thread = None
        if self._relay is not None:
            self._relay.close()
            self._relay = None
        if self._trades is not None:
            self._trades.close()
            self._trades = None
        if self._accounts is not None:
            self._accounts.close()
            self._accounts = None

    def _running(self) -> Broker:
        if self._broker is None:
            raise ConfigurationError("the paper broker is not running")
        return self._broker

    def _own_market(self, clock: PaperClock, recording: Recording | None) -> Market:
        return self._relay.market if self._relay is not None else _build_market(self._options, clock, recording)

    def _bind(self) -> socket.socket:
        wanted = self._options.port
        if wanted == 0 and self._old_port:
            try:
                return socket.create_server((HOST, self._old_port))
            except OSError:
                log.info("port %s of last time is taken, taking another", self._old_port)
        try:
            return socket.create_server((HOST, wanted))
        except (OSError, OverflowError) as error:
            raise ConfigurationError(f"port {wanted} on {HOST} cannot be used: {error}") from error

    def _serve(self, listener: socket.socket, broker: Broker) -> None:
        ping = self._options.ping_seconds
        config = Config(
            build_app(broker),
            http=_Protocol,
            ws=FeedProtocol if ping is None else WatchfulProtocol,
            ws_max_size=LARGEST_REQUEST,
            ws_ping_interval=ping or PING_SECONDS,
            ws_ping_timeout=ping or PONG_SECONDS,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,  # else uvicorn rewrites the logging of the whole process
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=LONGEST_REQUEST_LINE,
        )
        self._server = server = Server(config)
        self._thread = Thread(target=self._run, args=(server, listener), name="paper-broker", daemon=True)
        self._thread.start()
        self._ready.wait(START_SECONDS)
        end = time.monotonic() + START_SECONDS
        while not server.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                raise ConfigurationError("the paper broker did not start; the log says why")
            self._thread.join(0.005)

    def _run(self, server: Server, listener: socket.socket) -> None:
        try:
            asyncio.run(self._serve_and_renew(server, listener))
        except Exception:
            log.exception("the paper broker ended by an error")
        finally:
            self._ready.set()

    async def _serve_and_renew(self, server: Server, listener: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        beside = [asyncio.create_task(self._renew()), asyncio.create_task(pump(self._running().desk))]
        try:
            await server.serve(sockets=[listener])
        finally:
            for task in beside:
                task.cancel()

    async def _renew(self) -> None:
        """Renew the desks' token when the broker's clock passes 03:30 IST, whether or not somebody asks."""
        broker, token = self._broker, self._desk_token
        assert broker is not None
        assert token is not None
        while True:
            left = (token.expires - broker.clock.now()).total_seconds() / broker.clock.speed
            await asyncio.sleep(min(max(left, 0.05), _RENEWAL_LOOK_SECONDS))
            token.current()


def _clock(options: PaperOptions, recording: Recording | None) -> PaperClock:
    """A recorded session brings the time of its day along."""
    if recording is None:
        live = options.prices == LIVE and options.clock == USUAL_CLOCK  # where prices are real, so are the hours
        return PaperClock.parse(EXCHANGE_CLOCK if live else options.clock)
    if options.clock != USUAL_CLOCK:
        raise ConfigurationError("prices: a recorded session runs on its own clock; leave the clock option out")
    return recording.clock()


def _build_market(options: PaperOptions, clock: PaperClock, recording: Recording | None) -> Market:
    from services.paper.market import build_market  # numpy behind it is heavy, and only who starts a broker needs it

    market = build_market(
        seed=options.seed,
        clock=clock,
        instruments=options.instruments,
        prices=options.prices if recording is None else "simulated",
        candles=options.candles,
    )
    return market if recording is None else RecordedMarket(recording, market)


class _Protocol(H11Protocol):
    """Hands the connection to the application, which the fault kinds that cut it need."""

    def connection_made(self, transport: Any) -> None:  # Any: the base class narrows asyncio's type
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}
        # asyncio leaves this out for sockets made by `create_server`; without it each small answer waits 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

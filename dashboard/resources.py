"""Where Streamlit meets object lifetimes: the runtime is opened beside the server and handed to the pages here."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Event, Thread
from types import MappingProxyType

import streamlit as st

from dashboard.asking import Asker
from dashboard.candle_loading import CandleLoader
from dashboard.chart_own import OwnMarks
from dashboard.desk_version import desk_version
from dashboard.first_start import make_first_watchlist
from dashboard.kept import Keeper
from dashboard.option_chains import ChainKeeper
from dashboard.order_drafts import send_draft
from dashboard.order_news import told_after
from dashboard.order_sending import OrderSender
from dashboard.push.hub import PushHub
from dashboard.push.prices import DeskPrices
from dashboard.push.tokens import PushTokens
from dashboard.sealing_keys import key_for
from services.domain.accounts import Profile, RegisteredAddresses
from services.domain.errors import ConfigurationError, UpstoxError
from services.domain.instruments import Instrument
from services.domain.paper_accounts import PaperAccount
from services.measures.exposition import Exposition
from services.measures.snapshot import PushNow, Snapshot
from services.runtime import Runtime, get_runtime

log = logging.getLogger(__name__)

_PARTS = ("clock", "watchlists", "alerts", "login", "quotes", "tracks", "instruments", "calendar", "orders")
"""What pages need at first sight, opened before they are served."""
RETRY_SECONDS = 2.0
MASTER_CHECK_SECONDS = 600.0
PERSON_SECONDS = 300.0
PAPER_ACCOUNT_SECONDS = 10.0


class Opening:
    """Opens the runtime in a thread of its own, then keeps the instrument master of the day.

    The server answers while this works, and pages say what they wait for. A broker that cannot be reached is tried
    again every 2 s; a wrong set-up stays a problem until a person has acted. Thread: `desk-opening`.
    """

    def __init__(self, make: Callable[[], Runtime], *, check_seconds: float = MASTER_CHECK_SECONDS) -> None:
        self._make = make
        self._check_seconds = check_seconds
        self._stop = Event()
        self._settled = Event()
        self.ready = Event()
        self.master_ready = Event()
        """Set once the instrument master holds rows: before that a look-up would wait for its download."""
        self.problem: UpstoxError | None = None
        self.master_problem: UpstoxError | None = None
        self._thread = Thread(target=self._run, name="desk-opening", daemon=True)

    def start(self) -> Opening:
        self._thread.start()
        return self

    def wait(self, seconds: float) -> bool:
        """Wait until it is open or something is in the way, at most that long. Is it open?"""
        self._settled.wait(seconds)
        return self.ready.is_set()

    def stop(self, *, seconds: float = 1.0) -> None:
        """End the thread. The runtime is closed by whoever stops the process (`close_desk`)."""
        self._stop.set()
        self._settled.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            runtime = self._open()
            if runtime is not None:
                self._keep_master(runtime)
        except Exception:
            if self._stop.is_set():
                log.info("the desk was closed while it was opened")
                return
            log.exception("the desk could not be opened")
            self.problem = ConfigurationError("An unexpected error; the log in the data folder has the details")
        finally:
            self._settled.set()

    def _open(self) -> Runtime | None:
        """The runtime with its first parts built; None if it was stopped or cannot be."""
        while not self._stop.is_set():
            try:
                runtime = self._make()
                runtime.alert_desk.start()  # before any file is opened: what is wrong with one is an alert too
                for name in _PARTS:
                    getattr(runtime, name)
                runtime.calendar.start()
                if (shared := runtime.shared) is not None:
                    shared.start(_address(), desk_version())
                runtime.feed_in().connect(timeout=0)
                runtime.housekeeping.start()
                runtime.orders.start()
                runtime.pnl.start()
                runtime.measures.push = listeners
                runtime.measures.start()
                make_first_watchlist(runtime)
            except ConfigurationError as error:
                self.problem = error
                return None
            except UpstoxError as error:
                log.warning("the desk is not open yet: %s", error)
                self.problem = error
                self._settled.set()
                self._stop.wait(RETRY_SECONDS)
            else:
                self.problem = None
                self.ready.set()
                self._settled.set()
                return runtime
        return None

    def _keep_master(self, runtime: Runtime) -> None:
        """Look again and again whether today's instrument files are due; the old copy serves meanwhile."""
        while not self._stop.is_set():
            try:
                if runtime.instruments.state().rows:  # yesterday's copy serves while today's is fetched
                    self.master_ready.set()
                runtime.instruments.refresh_if_due()
                if runtime.instruments.state().rows:
                    self.master_ready.set()
                self.master_problem = None
            except UpstoxError as error:
                log.warning("the instrument master was not refreshed: %s", error)
                self.master_problem = error
            self._stop.wait(self._check_seconds)


def _address() -> str:
    """Where this process serves: the host's name and the port."""
    return f"{socket.gethostname()}:{st.get_option('server.port')}"


@st.cache_resource(show_spinner=False)
def opening() -> Opening:
    """The one opening of this process; begun by the server's lifespan, or by the first page that asks."""
    return Opening(get_runtime).start()


@st.cache_resource(show_spinner=False)
def push_tokens() -> PushTokens:
    """Who may listen to the push channel of any process of this desk."""
    return PushTokens(key_for("push tokens", get_runtime().settings))


@st.cache_resource(show_spinner=False)
def push_hub() -> PushHub:
    """Who listens to it, and what they are told."""
    prices = DeskPrices(get_runtime)
    news = told_after(lambda: get_runtime().orders, lambda: get_runtime().clock.now())
    return PushHub(lambda: prices, painted=prices.painted, sent=prices.sent, whole_way=prices.whole_way, news=news)


@st.cache_resource(show_spinner=False)
def exposition() -> Exposition:
    """The measures, in the form that Prometheus reads."""

    def snapshot() -> Snapshot:
        return get_runtime().measures.snapshot()

    return Exposition(
        snapshot, lambda: get_runtime().measures.checks(), mode=get_runtime().folder.name, version=desk_version()
    )


@st.cache_resource(show_spinner=False, on_release=Asker.close)
def asker() -> Asker:
    """Who finds out why prices are old."""
    return Asker(lambda keys: get_runtime().quotes.get(keys))


@st.cache_resource(show_spinner=False)
def person_keeper() -> Keeper[Profile]:
    """Who the broker says is logged in. Money comes from `desk().portfolio`."""
    return Keeper(lambda: get_runtime().api.profile(), now=lambda: get_runtime().clock.now(), seconds=PERSON_SECONDS)


@st.cache_resource(show_spinner=False)
def addresses_keeper() -> Keeper[RegisteredAddresses]:
    """From where the broker takes orders of this account."""
    return Keeper(
        lambda: get_runtime().api.registered_addresses(), now=lambda: get_runtime().clock.now(), seconds=PERSON_SECONDS
    )


@st.cache_resource(show_spinner=False)
def paper_account_keeper() -> Keeper[PaperAccount | None]:
    """How the paper account stands; `None`: this desk has none."""

    def ask() -> PaperAccount | None:
        accounts = get_runtime().paper_account
        return None if accounts is None else accounts.look()

    return Keeper(ask, now=lambda: get_runtime().clock.now(), seconds=PAPER_ACCOUNT_SECONDS)


@st.cache_resource(show_spinner=False, on_release=ChainKeeper.close)
def chain_keeper() -> ChainKeeper:
    """Option chains, for every page that shows them."""
    return ChainKeeper(
        lambda key, expiry: get_runtime().api.option_chain(key, expiry), lambda: get_runtime().clock.now()
    )


@st.cache_resource(show_spinner=False, on_release=CandleLoader.close)
def candle_loader() -> CandleLoader:
    """Who reads candles for the charts."""
    return CandleLoader(lambda: get_runtime().candles)


@st.cache_resource(show_spinner=False)
def own_marks() -> OwnMarks:
    """Own trades and open orders, for every chart."""
    return OwnMarks(lambda: get_runtime().orders)


@st.cache_resource(show_spinner=False, on_release=OrderSender.close)
def order_sender() -> OrderSender:
    """Who sends what was confirmed on a page."""
    return OrderSender(lambda draft, actor: send_draft(get_runtime().orders, draft, actor))


def listeners() -> PushNow:
    """Who listens to the push channel, for the measures."""
    hub = push_hub()
    return PushNow(clients=len(hub), dropped=hub.let_go, messages=hub.sent)


def desk() -> Runtime:
    """The runtime, for pages. Ask for it inside each run and fragment, never keep it."""
    return get_runtime()


def instruments_of(runtime: Runtime, keys: Sequence[str]) -> Mapping[str, Instrument]:
    """The instruments of `keys` that are known, remembered for a minute; none while there is no master yet."""
    if not keys or not opening().master_ready.is_set():
        return {}
    return _remembered(id(runtime), tuple(keys))


@st.cache_resource(show_spinner=False, ttl=60, max_entries=64)
def _remembered(runtime_id: int, keys: tuple[str, ...]) -> Mapping[str, Instrument]:
    """`runtime_id` keeps the answers of different runtimes apart."""
    return MappingProxyType(get_runtime().instruments.many(keys))


def close_desk(*, seconds: float = 2.0) -> None:
    """Close everything in reverse order of opening, at most that long; what hangs dies with the process."""
    asker().close()
    candle_loader().close()
    chain_keeper().close()
    order_sender().close()
    opening().stop(seconds=seconds / 2)
    closer = Thread(target=get_runtime().close, name="desk-closing", daemon=True)
    began = time.monotonic()
    closer.start()
    closer.join(seconds)
    log.info("the desk is closed (%.1f s)", time.monotonic() - began)

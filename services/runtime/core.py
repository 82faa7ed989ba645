"""The part of the object graph that everything else stands on.

Paper and live differ here in base addresses, data folder and credentials, and nowhere else.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import RLock
from typing import Any

from services.acting import acting
from services.broker_link import BrokerAddress, BrokerLink, BrokerTime
from services.domain.accounts import Token, TokenKind
from services.domain.clock import Clock
from services.domain.errors import NotSent, UpstoxError
from services.domain.quotes import PriceSource
from services.ledger.alerts import Alerts
from services.ledger.audit import Audit
from services.ledger.engine import Ledger
from services.ledger.watchlists import Watchlists
from services.login import Login, read_token_text
from services.logs import hide, redact
from services.parts import Parts, part
from services.runtime.doors import ledger_of, passwords_in, sign_ins_of, tokens_of
from services.runtime.sharing import asking_of, gate_of, shared_of
from services.settings import Mode, Settings, ensure_folder
from services.shared.shared import Shared
from services.sign_in import SignIns
from services.storage.error_log import ErrorLog
from services.storage.modes import mark_mode, refuse_other_mode
from services.storage.pool import Pool
from services.storage.schema import migrate_market
from services.storage.token_store import TokenStore
from services.transport.http import HttpClient
from services.transport.upstox_api import UpstoxApi
from services.wire.endpoints import Base
from services.wire.rate_windows import Gate

MARKET_FILE = "market_data.db"
SINK_SECONDS = 1.0
"""A request that failed waits so long for another paper broker to be found."""

log = logging.getLogger(__name__)


class _Bases(Mapping[Base, str]):
    """The broker's addresses as they are now: a paper broker that was restarted may have moved."""

    def __init__(self, runtime: CoreRuntime) -> None:
        self._runtime = runtime

    def __getitem__(self, which: Base) -> str:
        self._runtime.settle_time()
        return self._runtime.broker.base(which)

    def __iter__(self) -> Iterator[Base]:
        return iter(Base)

    def __len__(self) -> int:
        return len(Base)


class CoreRuntime(Parts):
    """Where the desk is and what it keeps: broker, clock, storage, calls, login."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self._pools: dict[Path, Pool] = {}
        self._registry = RLock()
        for secret in (
            settings.access_token,
            settings.read_token,
            settings.client_secret,
            settings.encryption_key,
            settings.oidc_client_secret,
            settings.metrics_token,
        ):
            for literal in [] if secret is None else secret.get_secret_value().split(","):  # keys come as a list
                hide(literal.strip())
        for url in (settings.ledger_url, settings.redis_url):
            if url is not None:
                for literal in (url.get_secret_value(), *passwords_in(url.get_secret_value())):
                    hide(literal)

    # -- where we are, and what time it is there ---------------------------------------------------------------

    @part
    def folder(self) -> Path:
        """The data folder of this mode."""
        return ensure_folder(self.settings.folder)

    @part
    def link(self) -> BrokerLink:
        """The way to the broker."""
        return BrokerLink(self.settings, self.folder)

    @property
    def broker(self) -> BrokerAddress:
        """Where requests go now."""
        return self.link.address()

    @part
    def _broker_time(self) -> BrokerTime:
        return self.link.ask_time(lambda: self.http)

    @property
    def clock(self) -> Clock:
        """The host's in live mode; in paper mode the broker's, asked once for each broker that comes."""
        return self._broker_time.clock

    @property
    def source(self) -> PriceSource:
        """Where this process's prices come from."""
        return self._broker_time.source

    def settle_time(self) -> None:
        """If another paper broker may be there now, find that out and go over to its clock."""
        if self.link.changed_hands():
            self._broker_time.doubt()
        self._broker_time.settle()

    # -- storage -----------------------------------------------------------------------------------------------

    @part
    def ledger(self) -> Ledger:
        """What may not be lost."""
        return ledger_of(self.settings, self.folder, self.clock.now())

    @part
    def sign_ins(self) -> SignIns:
        """Who may come in, and who has."""
        return sign_ins_of(self.ledger, self.settings, self.shared)

    @part
    def watchlists(self) -> Watchlists:
        return Watchlists(self.ledger, self.clock)

    @part
    def alerts(self) -> Alerts:
        return Alerts(self.ledger, self.clock)

    def pool(self, db_path: str | Path = MARKET_FILE, size: int = 5) -> Pool:
        """The pool of that market file, one per file; a relative name lives in the data folder."""
        path = (self.folder / db_path).resolve()
        mode, now = self.folder.name, self.clock.now()  # before the lock: the clock may have to find the broker first
        with self._registry:
            known = self._pools.get(path)
            if known is None or known.closed:
                if self._closed:
                    raise RuntimeError(f"the runtime is closed; {path.name} was asked for")
                if known is None:
                    refuse_other_mode(path, mode, root=self.settings.data_dir.resolve())
                    migrate_market(path, backups=path.parent / "backups", now=now)
                    mark_mode(path, mode, own=path.is_relative_to(self.folder.resolve()))
                known = self._pools[path] = self.keep(Pool(path, size=size), path.name)
            return known

    def pools(self) -> tuple[Pool, ...]:
        """Of every market file that is open, the desk's own first."""
        own = (self.folder / MARKET_FILE).resolve()
        with self._registry:
            return tuple(sorted(self._pools.values(), key=lambda pool: (pool.path != own, pool.path)))

    @property
    def market_pool(self) -> Pool:
        return self.pool()

    @part
    def errors(self) -> ErrorLog:
        """Every failed request, stored without secrets."""
        return ErrorLog(self.market_pool, self.clock, redact=redact)

    @part
    def tokens(self) -> TokenStore:
        return tokens_of(self.settings, self.folder, self.clock, lambda: self.ledger)

    # -- the other processes of this desk ----------------------------------------------------------------------

    @part
    def shared(self) -> Shared | None:
        """What this process has in common with others, over Redis; `None` where it is alone. It takes part from
        `start` on."""
        return shared_of(self.settings)

    # -- the broker --------------------------------------------------------------------------------------------

    @property
    def _is_outside(self) -> bool:
        """Is the broker anywhere but on this machine?"""
        return self.settings.mode is Mode.LIVE and not self.settings.live_rehearsal

    @part
    def http(self) -> HttpClient:
        given, outside = self.settings, self._is_outside  # no proxy sees calls within this machine
        return HttpClient(
            connect_timeout=given.connect_timeout,
            read_timeout=given.read_timeout,
            trust_env=outside and given.use_system_proxy,
        )

    @part
    def gate(self) -> Gate:
        """Keeps the broker's limits, together with the other processes where there are any."""
        return gate_of(self.shared, self.settings.processes)

    @part
    def api(self) -> UpstoxApi:
        """The broker's operations, typed."""
        return UpstoxApi(
            http=self.http,
            gate=self.gate,
            bases=_Bases(self),
            profile=self.settings.route_profile,
            token=lambda writes: self.login.token(writes=writes).secret,
            token_rejected=self._token_rejected,
            write_rejected=self._write_rejected,
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
            base=lambda: self.broker.api,
            request_token=lambda client, secret: self.api.request_token(client, secret),
            logout=lambda: self.api.logout(),
            write_down=self._write_down,
            asking=asking_of(self.shared),
        )

    def _write_down(self, what: str, about: str) -> None:
        Audit(self.ledger, self.clock).add(acting(), what, about)

    def _paper_token(self) -> Token | None:
        """The token that a paper broker hands to the desks on its own machine. It is always alive there: where it does
        not look so by our clock, another broker has come, with another time."""
        secret = self.link.access_token()
        if secret is None:
            return None
        token = read_token_text(secret, now=self.clock.now())
        if token.seconds_left(self.clock) > 0 and token.kind is TokenKind.ACCESS:
            return token
        self._doubt_time()
        return read_token_text(secret, now=self.clock.now())

    def _token_rejected(self, secret: str) -> None:
        self._doubt_time()
        self.login.rejected(secret)

    def _write_rejected(self, secret: str) -> None:
        """A 401 to an order may mean another thing (a changed static IP, an inactive app): the token is asked about."""
        self._doubt_time()
        self.login.rejected(secret, verify=self.login.still_works)

    def _doubt_time(self) -> None:
        self._broker_time.doubt()
        self.settle_time()

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
        if self._closed:
            return
        if error_type == NotSent.__name__:
            self._seek()
        self.errors.add(
            error_type, message, status_code=status_code, endpoint=endpoint, retry_count=retry_count, context=context
        )

    def _seek(self) -> None:
        """Look for the paper broker, briefly. Whatever comes of it, the request's own error is what its caller gets."""
        self._broker_time.doubt()
        try:
            if self.link.seek(seconds=SINK_SECONDS):
                self.settle_time()
        except UpstoxError as error:
            log.warning("the paper broker was looked for: %s", error)

"""Every option of the desk, typed, read once from environment and `.env`, and handed down. Nobody else reads them."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Iterable
from datetime import time
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

from dotenv.parser import parse_stream
from platformdirs import user_data_path
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.domain.errors import ConfigurationError
from services.wire.endpoints import Profile
from services.wire.tokens import PAPER_ISSUER, UNREADABLE, bearer_text, read_claims

UPSTOX_API = "https://api.upstox.com"
UPSTOX_ORDER = "https://api-hft.upstox.com"
UPSTOX_ASSETS = "https://assets.upstox.com"
_NOT_PREFIXED = ("UPSTOX_CLIENT_ID", "UPSTOX_CLIENT_SECRET", "UPSTOX_REDIRECT_URI", "ENCRYPTION_KEY")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_PLAIN_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")
_PLAIN_URL = re.compile(r"(?:https?|wss?)://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:/[A-Za-z0-9._~/-]*)?")


class Mode(StrEnum):
    """Fixed when the process starts."""

    PAPER = "paper"
    LIVE = "live"


class SignIn(StrEnum):
    """Who has to sign in."""

    BEYOND_LOOPBACK = "beyond-loopback"
    """Everybody, as soon as the desk is served beyond this machine."""
    ALWAYS = "always"


def is_loopback(url: str) -> bool:
    """Does `url` point at this machine?"""
    return _host(url) in _LOOPBACK


def is_upstox(url: str) -> bool:
    """Is `url` an https or wss address of Upstox itself?"""
    host = _host(url) or ""
    return urlsplit(url).scheme in {"https", "wss"} and (host == "upstox.com" or host.endswith(".upstox.com"))


def _host(url: str) -> str | None:
    """The host of a plain web address, lower-case; `None` for anything that two readers could take for two hosts
    (a backslash, a name and password, blanks), because the HTTP client reads addresses by rules of its own."""
    if not _PLAIN_URL.fullmatch(url):
        return None
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


class Settings(BaseSettings):
    """The desk's settings. Names in the environment: `DESK_<FIELD>` unless another is given here."""

    model_config = SettingsConfigDict(
        env_prefix="DESK_",
        env_file=".env",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    mode: Mode = Mode.PAPER
    data_dir: Path = Field(default_factory=lambda: user_data_path("upstox-desk", appauthor=False))
    """Root of the data; each mode has a folder of its own below it (`folder`)."""
    route_profile: Profile = Profile.UPSTOX
    api_base: str | None = None
    order_base: str | None = None
    assets_base: str | None = None
    feed_base: str | None = None
    access_token: SecretStr | None = None
    """A paper broker elsewhere: its token, beside `DESK_API_BASE`."""
    read_token: SecretStr | None = None
    """The analytics token: read-only, a year long; used for reads when there is no other."""
    live_rehearsal: bool = False
    """Live mode may point at a loopback broker, and every page says that it is a rehearsal."""
    use_system_proxy: bool = False
    """Let the HTTP client read proxy settings of the environment (requests' `trust_env`)."""
    plus: bool = False
    """The account is on Upstox Plus: depth of 30 levels may be asked for."""
    tick_days: int = Field(default=30, ge=1)
    """How long ticks of the live feed are kept, packed, in days."""
    record_feed: bool = False
    """Keep the feed's frames as they come, to be replayed (some hundred megabytes a day)."""
    recording_days: int = Field(default=30, ge=1)
    connect_timeout: float = Field(default=3.05, gt=0)
    read_timeout: float = Field(default=10.0, gt=0)
    max_order_value: Decimal = Field(default=Decimal(2_500_000), gt=0)
    """Rupees that one order may be worth. This and the six below hold while nobody has set others on the desk, where
    they are kept in the ledger."""
    max_order_quantity: int = Field(default=50_000, ge=1)
    max_orders_per_second: int = Field(default=8, ge=1, le=10)
    """Above 10 an algorithm must be registered with the exchange."""
    max_orders_per_day: int = Field(default=500, ge=1)
    price_distance_percent: Decimal = Field(default=Decimal(5), gt=0)
    """How much worse than the last price a limit may be."""
    option_distance_percent: Decimal = Field(default=Decimal(40), gt=0)
    max_quote_age_seconds: float = Field(default=15.0, gt=0, le=3600)
    order_lost_after: float = Field(default=15.0, ge=1, le=600)
    """Seconds after a lost answer until an order that no book shows counts as never arrived."""
    mcx_orders: bool = False
    """Let MCX orders past the desk's own check; Upstox has taken none through its API since April 2026."""
    square_off: time | None = None
    """When the broker closes intraday positions (IST), if not at its usual times: for the warning before that."""
    ledger_url: SecretStr | None = None
    """A PostgreSQL database for the ledger (`postgresql://user:password@host/name`) instead of the file `ledger.db`."""
    redis_url: SecretStr | None = None
    """A Redis (`redis://…`, `rediss://…`) over which processes share one feed, quotes and the broker's limits."""
    process_name: str | None = None
    """What the health page calls this process; by default the host's name and the port."""
    processes: int = Field(default=4, ge=1, le=64)
    """How many processes share the account at most: without Redis each takes its part of the broker's limits."""
    warming: bool = False
    """Count what is looked at, and fetch charts that will likely be opened soon (why it is off: docs/scale.md)."""
    metrics_token: SecretStr | None = Field(default=None, min_length=16)
    """Whoever brings it (`Authorization: Bearer …`) may read `/metrics`, `/livez` and `/readyz` from elsewhere too."""
    paper_clock: str = "always"
    """`always`, `exchange`, or an ISO instant with an optional speed (`2026-11-20T09:15:00+05:30x60`)."""
    paper_seed: int = 7
    paper_prices: str = "simulated"
    paper_instruments: Path | None = None
    paper_candles: Path | None = None
    paper_faults: bool = False

    sign_in: SignIn = SignIn.BEYOND_LOOPBACK
    """Who has to sign in. Whoever comes from another machine, or through a proxy, always has to."""
    sign_in_hours: float = Field(default=12.0, ge=0.1, le=168)
    """How long a sign-in is good."""
    names: str | None = None
    """Names and addresses, separated by commas, under which browsers on other machines reach the desk."""
    public_url: str | None = None
    """The address of a proxy before the desk (`https://desk.example.com`), as browsers see it."""
    tls_cert: Path | None = None
    """Certificate (PEM, with its chain) and key, with which the desk itself speaks TLS."""
    tls_key: Path | None = None
    plain_http: bool = False
    """Serve other machines without TLS: everybody on the way can read passwords. For a network that is trusted."""
    oidc_metadata_url: str | None = None
    """An OpenID Connect issuer by which persons may sign in as well: the address of its `openid-configuration`."""
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None

    client_id: str | None = Field(default=None, validation_alias=AliasChoices("UPSTOX_CLIENT_ID", "client_id"))
    client_secret: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("UPSTOX_CLIENT_SECRET", "client_secret")
    )
    redirect_uri: str | None = Field(default=None, validation_alias=AliasChoices("UPSTOX_REDIRECT_URI", "redirect_uri"))
    encryption_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("ENCRYPTION_KEY", "encryption_key")
    )

    @field_validator("api_base", "order_base", "assets_base", "feed_base")
    @classmethod
    def _without_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else None

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @model_validator(mode="after")
    def _bases_fit_the_mode(self) -> Settings:
        given = {n: b for n in ("api_base", "order_base", "assets_base", "feed_base") if (b := getattr(self, n))}
        local = [n for n, base in given.items() if is_loopback(base)]
        if self.mode is Mode.PAPER:
            for name in given.keys() - set(local):
                raise ValueError(f"DESK_{name.upper()}: a paper process talks to a broker on this machine only")
            if self.live_rehearsal:
                raise ValueError("DESK_LIVE_REHEARSAL belongs to --mode live")
        elif local and not self.live_rehearsal:
            raise ValueError(
                f"DESK_{local[0].upper()}: live mode points at this machine; set DESK_LIVE_REHEARSAL=1 to rehearse"
            )
        elif self.live_rehearsal and len(local) != len(given):
            raise ValueError("a rehearsal talks to brokers on this machine only")
        elif self.live_rehearsal and self.api_base is None:
            raise ValueError("a rehearsal needs DESK_API_BASE, a broker on this machine")
        elif not self.live_rehearsal:
            for name, base in given.items():
                if not is_upstox(base):
                    raise ValueError(f"DESK_{name.upper()}: live mode needs an https address of upstox.com")
        return self

    @field_validator("names")
    @classmethod
    def _plain_names(cls, value: str | None) -> str | None:
        for name in (value or "").split(","):
            if name.strip() and not _PLAIN_NAME.fullmatch(name.strip()):
                raise ValueError("write names and addresses alone, separated by commas: desk.lan,192.168.1.5")
        return value

    @field_validator("public_url")
    @classmethod
    def _plain_address(cls, value: str | None) -> str | None:
        given = (value or "").rstrip("/")
        if given and (not _PLAIN_URL.fullmatch(given) or urlsplit(given).path or not given.startswith("http")):
            raise ValueError("write the address alone: https://desk.example.com")
        return given or None

    @model_validator(mode="after")
    def _whole_sets(self) -> Settings:
        """What belongs together is there together."""
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("DESK_TLS_CERT and DESK_TLS_KEY belong together")
        issuer = (self.oidc_metadata_url, self.oidc_client_id, self.oidc_client_secret)
        if any(issuer) and not all(issuer):
            raise ValueError("DESK_OIDC_METADATA_URL, DESK_OIDC_CLIENT_ID and DESK_OIDC_CLIENT_SECRET belong together")
        url = self.oidc_metadata_url
        if url and not (url.startswith("https://") or is_loopback(url)):
            raise ValueError("DESK_OIDC_METADATA_URL: an issuer is asked over https")
        if url and self.public_url is None:
            raise ValueError("DESK_OIDC_METADATA_URL needs DESK_PUBLIC_URL: the issuer sends browsers back to it")
        return self

    @model_validator(mode="after")
    def _no_live_token_on_paper(self) -> Settings:
        """A process that trades on paper never has a token at hand that trades for money."""
        if self.access_token is None or (self.mode is Mode.LIVE and not self.live_rehearsal):
            return self
        claims = read_claims(bearer_text(self.access_token.get_secret_value()))
        if claims != UNREADABLE and claims.issuer != PAPER_ISSUER:
            what = "a rehearsal" if self.live_rehearsal else "a paper process"
            raise ValueError(f"DESK_ACCESS_TOKEN: {what} holds no live trading token; take it out, or use --mode live")
        return self

    @property
    def folder(self) -> Path:
        """Where this mode keeps its files. A rehearsal has its own, so that it never touches live data."""
        return self.data_dir / ("rehearsal" if self.live_rehearsal else self.mode.value)

    def common_key(self, purpose: str) -> bytes | None:
        """32 bytes that every process with the same `ENCRYPTION_KEY` has for `purpose`, and nobody else; `None` where
        that is not given. Where several keys are given (the newest first) it comes from the first."""
        first = self.encryption_key.get_secret_value().partition(",")[0].strip() if self.encryption_key else ""
        return hmac.new(first.encode(), purpose.encode(), hashlib.sha256).digest() if first else None

    @property
    def own_names(self) -> tuple[str, ...]:
        """The names beyond this machine under which the desk may be reached, in lower case."""
        given = [name.strip() for name in (self.names or "").split(",")]
        public = urlsplit(self.public_url).hostname if self.public_url else None
        return tuple(dict.fromkeys(name.lower() for name in (*given, public or "") if name))

    @property
    def starts_own_broker(self) -> bool:
        """Paper without an address given: the embedded broker is found or started."""
        return self.mode is Mode.PAPER and self.api_base is None


def load_settings(**given: object) -> Settings:
    """Settings from the environment and `.env`, overridden by `given`; a clear error instead of pydantic's.

    A name that is almost one of ours, or a line that is none, is refused: what it was meant to change would silently
    stay as it is.
    """
    _refuse_misspelt([*os.environ, *_names_in(Path(".env"))])
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        lines = [_in_words(item["loc"], item["msg"]) for item in error.errors(include_input=False, include_url=False)]
        raise ConfigurationError("; ".join(lines)) from None


def _names_in(file: Path) -> list[str]:
    """The names that `file` sets; none if there is no such file."""
    try:
        lines = list(parse_stream(StringIO(file.read_text(encoding="utf-8"))))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error
    for line in lines:
        if line.error:
            raise ConfigurationError(f"{file}, line {line.original.line}: not NAME=value")
    return [line.key for line in lines if line.key]


def _refuse_misspelt(names: Iterable[str]) -> None:
    known = {f"DESK_{name.upper()}" for name in Settings.model_fields} | set(_NOT_PREFIXED)
    for name in dict.fromkeys(names):
        if name in known or not name.startswith(("DESK_", "UPSTOX_", "ENCRYPTION_")):
            continue
        if meant := get_close_matches(name.upper(), known, n=1, cutoff=0.85):
            raise ConfigurationError(f"{name} is not a setting of the desk; {meant[0]} is")


def _in_words(place: tuple[int | str, ...], message: str) -> str:
    name = str(place[0]) if place else ""
    label = name if name.isupper() else f"DESK_{name.upper()}"
    text = re.sub(r"^Value error, ", "", message)
    return text if not name else f"{label}: {text}"


def ensure_folder(folder: Path) -> Path:
    """The folder, made if need be, readable by its owner only. `ConfigurationError` in words if that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.name == "posix" and folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise ConfigurationError(f"the data folder {folder} cannot be used: {error.strerror or error}") from error
    if not os.access(folder, os.W_OK):
        raise ConfigurationError(f"the data folder {folder} cannot be written to")
    return folder

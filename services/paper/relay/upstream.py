"""The real API behind the relay: reads, with the read-only token, in whichever thread asks."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import orjson
import requests

from services.domain.errors import ConfigurationError, ForeignToken
from services.paper.envelope import refusal

UPSTOX_API = "https://api.upstox.com"
UPSTOX_ASSETS = "https://assets.upstox.com"
TIMEOUTS = (3.05, 10.0)
LIVES_LONGER_THAN = timedelta(days=2)
"""An analytics token lives a year, a trading token until the next 03:30."""

_USER_AGENT = "upstox-desk/1.0 (paper broker)"
_TAKEN_OVER = ("content-type", "etag", "cache-control", "requestid", "retry-after")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came, unpacked."""

    status: int
    headers: Mapping[str, str]
    """Those that are worth passing on, lower case."""
    body: bytes


@dataclass(frozen=True, slots=True)
class LiveSource:
    """Where live prices come from. Its token appears in no repr."""

    token: str
    api: str = UPSTOX_API
    assets: str = UPSTOX_ASSETS

    def __repr__(self) -> str:
        return f"LiveSource(api={self.api!r})"


class Upstream:
    """One session. Raises `BrokerError` 503 where Upstox cannot be reached: no price is ever made up instead."""

    def __init__(self, source: LiveSource, *, now: datetime) -> None:
        """`ForeignToken` for a token that could trade, `ConfigurationError` for an address that is not https (or on
        this machine, for a rehearsal)."""
        for address in (source.api, source.assets):
            parts = urlsplit(address)
            if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost"}:
                raise ConfigurationError("live prices come over https only")
        _refuse_trading_token(source.token, now)
        self._source = source
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = _USER_AGENT

    def get(self, path: str, *, assets: bool = False, headers: Mapping[str, str] | None = None) -> Reply:
        """The answer to `path`, which carries its query, percent-encoded. The token goes to the API alone."""
        sent = dict(headers or {})
        if not assets:
            sent |= {"Authorization": f"Bearer {self._source.token}", "Accept": "application/json"}
        base = self._source.assets if assets else self._source.api
        try:
            answer = self._session.get(base + path, headers=sent, timeout=TIMEOUTS, allow_redirects=False)
        except requests.RequestException as error:
            why = "in time" if isinstance(error, requests.Timeout) else "at all"
            raise refusal(
                "UDAPI100500", status=503, message=f"Upstox did not answer {why}; prices are missing"
            ) from None
        told = {name.lower(): value for name, value in answer.headers.items() if name.lower() in _TAKEN_OVER}
        return Reply(answer.status_code, told, answer.content)

    def close(self) -> None:
        self._session.close()


def _refuse_trading_token(token: str, now: datetime) -> None:
    """A token that ends within two days is one that can trade: a paper process holds none of these."""
    ends = _end_of(token)
    if ends is None or ends - now < LIVES_LONGER_THAN:
        raise ForeignToken(
            "live prices need the read-only analytics token, which lives for a year; this one could trade, has ended "
            "or cannot be read, and a paper broker does not take it"
        )


def _end_of(token: str) -> datetime | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        told = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(told["exp"], UTC)
    except (binascii.Error, ValueError, KeyError, TypeError, OverflowError, OSError):
        return None

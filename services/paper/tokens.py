"""Tokens of the paper broker: shaped like Upstox's (a JWT that dies at 03:30 IST), signed with the folder's secret.

By hand, because one algorithm over one fixed header is twenty lines, and a JWT library's choice of algorithms is what
goes wrong with JWTs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock

import orjson

from services.domain.clock import Clock, epoch_ms, next_token_end
from services.paper.accounts import AccountBook
from services.paper.envelope import refusal

ISSUER = "desk-paper"
READ_ONLY_LIFE = timedelta(days=365)
_HEADER = base64.urlsafe_b64encode(b'{"typ":"JWT","alg":"HS256"}').rstrip(b"=")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says of itself."""

    token_id: str
    user_id: str
    expires: datetime
    read_only: bool = False
    """Good for everything but writes."""


class Tokens:
    """Issues, checks and revokes. Safe from any thread."""

    def __init__(self, book: AccountBook, clock: Clock, *, plus: bool = False) -> None:
        """`plus`: what tokens say of the account's plan."""
        self._plus = plus
        self._book = book
        self._clock = clock
        self._key = book.signing_secret()
        self._revoked = book.revoked()
        self._tell_revoked: list[Callable[[], object]] = []

    def issue(self, user_id: str, *, read_only: bool = False) -> tuple[str, Claims]:
        """A new token, good until the next 03:30 IST; a read-only one, Upstox calls it analytics token, for a year."""
        now = self._clock.now()
        expires = now + READ_ONLY_LIFE if read_only else next_token_end(now)
        claims = Claims(secrets.token_hex(8), user_id, expires, read_only)
        payload = {
            "sub": user_id,
            "jti": claims.token_id,
            "isMultiClient": False,
            "isPlusPlan": self._plus,
            "iat": int(now.timestamp()),
            "iss": ISSUER,
            "exp": int(claims.expires.timestamp()),
        }
        if read_only:
            payload["readOnly"] = True
        signed = _HEADER + b"." + _pack(orjson.dumps(payload))
        return (signed + b"." + self._sign(signed)).decode(), claims

    def check(self, token: str) -> Claims:
        """The claims of a good token; a forged, expired or revoked one is answered with UDAPI100050."""
        try:
            signed, signature = token.encode("ascii").rsplit(b".", 1)
            if not hmac.compare_digest(signature, self._sign(signed)):
                raise refusal("UDAPI100050")
            told = orjson.loads(_unpack(signed.split(b".")[1]))
            expires = datetime.fromtimestamp(told["exp"], UTC)
            claims = Claims(told["jti"], told["sub"], expires, bool(told.get("readOnly")))
        except (ValueError, KeyError, IndexError, TypeError, binascii.Error):
            raise refusal("UDAPI100050") from None
        if claims.token_id in self._revoked or claims.expires <= self._clock.now():
            raise refusal("UDAPI100050")
        return claims

    def revoke(self, claims: Claims) -> None:
        """Kill a token, now and after a restart."""
        self._book.revoke(claims.token_id, expires_at_ms=epoch_ms(claims.expires), now_ms=epoch_ms(self._clock.now()))
        self._revoked.add(claims.token_id)
        for tell in self._tell_revoked:
            tell()

    def when_revoked(self, tell: Callable[[], object]) -> None:
        """Call `tell` after each revocation, from the thread that asked for it."""
        self._tell_revoked.append(tell)

    def is_alive(self, claims: Claims) -> bool:
        return claims.token_id not in self._revoked and claims.expires > self._clock.now()

    def _sign(self, signed: bytes) -> bytes:
        return _pack(hmac.digest(self._key, signed, hashlib.sha256))


class DeskToken:
    """The token that the broker hands to the desks of its own folder: a new one whenever the last has ended."""

    def __init__(self, tokens: Tokens, user_id: str) -> None:
        self._tokens = tokens
        self._user_id = user_id
        self._lock = Lock()
        self._token, self._claims = tokens.issue(user_id)
        self._renewed: Callable[[], None] | None = None
        tokens.when_revoked(self.current)  # a logout with this very token must not leave the other desks without one

    def when_renewed(self, tell: Callable[[], None]) -> None:
        """Call `tell` after each renewal, from the thread that caused it."""
        self._renewed = tell

    def current(self) -> str:
        """A token that is alive now."""
        with self._lock:
            if self._tokens.is_alive(self._claims):
                return self._token
            self._token, self._claims = self._tokens.issue(self._user_id)
            token = self._token
        if self._renewed is not None:
            self._renewed()
        return token

    @property
    def expires(self) -> datetime:
        return self._claims.expires


def is_foreign(token: str) -> bool:
    """Does this text say that another broker made it, or nothing at all? Asked before anything is started with it; only
    `Tokens.check` says whether it is good."""
    try:
        return bool(orjson.loads(_unpack(token.encode("ascii").split(b".")[1]))["iss"] != ISSUER)
    except (ValueError, KeyError, IndexError, TypeError, binascii.Error):
        return True


def _pack(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _unpack(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))

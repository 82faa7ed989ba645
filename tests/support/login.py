"""A login with everything around it in the test's hands."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from services.domain.accounts import Profile, Token
from services.domain.errors import TokenRejected
from services.login import Login, read_token_text
from services.settings import Settings
from services.wire.account import TokenGrant, TokenRequest
from tests.support.clocks import FakeClock, FakeMonotonic
from tests.support.tokens import REAL, MemoryStore, jwt

OUTSIDE = ("UPSTOX_CLIENT_ID", "UPSTOX_CLIENT_SECRET", "UPSTOX_REDIRECT_URI", "DESK_READ_TOKEN", "DESK_MODE")
"""What a developer's own environment must not put into these tests."""

MORNING = datetime(2026, 11, 20, 4, 30, tzinfo=UTC)  # 10:00 IST
END = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)  # 03:30 IST of the 21st
APP = {"client_id": "app-1", "client_secret": "the-apps-secret", "redirect_uri": "https://desk.test/back"}
PERSON = Profile("4AB123", "ASHA RAO", "", "UPSTOX", (), (), (), True)
REFUSED = TokenRejected("Invalid token used to access API", status=401, code="UDAPI100050")


def token(secret: str, *, now: datetime = MORNING) -> Token:
    return read_token_text(secret, now=now)


def access(issuer: str = REAL, salt: str = "") -> str:
    return jwt(issuer=issuer, expires=END, issued=MORNING, salt=salt)


def analytics(issuer: str = REAL) -> str:
    return jwt(issuer=issuer, expires=MORNING + timedelta(days=360))


@dataclass
class Broker:
    """What the login may ask: exchanges and profile calls, by secret."""

    grant: Callable[[], TokenGrant] = field(default=lambda: grant(access()))
    person: Callable[[str], Profile] = field(default=lambda secret: PERSON)
    exchanged: list[dict[str, str]] = field(default_factory=list)
    profiled: list[str] = field(default_factory=list)
    phoned: list[tuple[str, str]] = field(default_factory=list)
    logouts: int = 0

    def exchange(self, *, code: str, client_id: str, client_secret: str, redirect_uri: str) -> TokenGrant:
        self.exchanged.append(
            {"code": code, "client_id": client_id, "client_secret": client_secret, "redirect_uri": redirect_uri}
        )
        return self.grant()

    def profile(self, secret: str) -> Profile:
        self.profiled.append(secret)
        return self.person(secret)

    def request_token(self, client_id: str, client_secret: str) -> TokenRequest:
        self.phoned.append((client_id, client_secret))
        return TokenRequest(END, "https://desk.test/notice")

    def logout(self) -> None:
        self.logouts += 1


def grant(secret: str) -> TokenGrant:
    return TokenGrant(secret, None, "4AB123", "ASHA RAO", "asha@example.com", "UPSTOX", True)


class Desk:
    """A login with everything around it in the test's hands."""

    def __init__(self, *, paper_token: Callable[[], Token | None] | None = None, **options: Any) -> None:
        numbers = itertools.count(1)
        self.clock = FakeClock(MORNING)
        self.monotonic = FakeMonotonic()
        self.store = MemoryStore()
        self.broker = Broker()
        self.settings = Settings(**options)
        self.login = Login(
            settings=self.settings,
            store=self.store,
            exchange=self.broker.exchange,
            profile=self.broker.profile,
            clock=self.clock,
            nonce=lambda: f"nonce-{next(numbers)}",
            paper_token=paper_token,
            base=lambda: "http://127.0.0.1:7000" if options["mode"] == "paper" else "https://api.upstox.com",
            request_token=self.broker.request_token,
            logout=self.broker.logout,
            monotonic=self.monotonic,
        )


def state_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["state"][0]

"""Users and sign-ins over a fresh ledger, with a quick hash and a time that tests move; and calls to what is gated."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

from services.domain.actors import Actor, Role
from services.ledger.audit import Audit
from services.ledger.users import Users
from services.settings import Settings
from services.sign_in.attempts import Attempts
from services.sign_in.passwords import Scrypt
from services.sign_in.sign_ins import SignIns
from tests.support.asgi import Answer
from tests.support.clocks import FakeClock, FakeMonotonic
from tests.support.ledger import NOW, new_ledger

OPERATOR = Actor("omar", Role.OPERATOR)
PASSWORD = "correct horse battery"
QUICK = Scrypt(cost=2, lanes=1)


@dataclass
class House:
    """Everything of the lock but the door."""

    sign_ins: SignIns
    users: Users
    audit: Audit
    clock: FakeClock
    monotonic: FakeMonotonic
    settings: Settings

    def noted(self, what: str) -> int:
        """How often that stands in the audit."""
        return len(self.audit.of_kinds([what], 1000))

    @property
    def runtime(self) -> Any:
        """As much of a runtime as the lock asks for."""
        return SimpleNamespace(sign_ins=self.sign_ins, settings=self.settings, built=lambda name: True)

    def later(self, seconds: float) -> None:
        """Time passes, on both clocks."""
        self.clock.move(seconds=seconds)
        self.monotonic.now += seconds


@contextmanager
def house(folder: Path, *, per_minute: int = 10_000, fresh: bool = True, **settings: Any) -> Iterator[House]:
    """Users asha (trader) and vina (viewer), both with `PASSWORD`; `fresh=False`: as it was left in `folder`."""
    with closing(new_ledger(folder)) as ledger:
        clock, monotonic = FakeClock(NOW), FakeMonotonic()
        users, audit = Users(ledger, clock), Audit(ledger, clock)
        sign_ins = SignIns(
            users=users,
            audit=audit,
            clock=clock,
            monotonic=monotonic,
            hours=12,
            attempts=Attempts(monotonic=monotonic, per_minute=per_minute),
            scrypt=QUICK,
        )
        for name, role in (("asha", Role.TRADER), ("vina", Role.VIEWER)) if fresh else ():
            sign_ins.add(name, role, PASSWORD, actor=OPERATOR)
        given = Settings(_env_file=None, data_dir=folder, **settings)  # type: ignore[call-arg]  # pydantic-settings' own
        yield House(sign_ins, users, audit, clock, monotonic, given)


def scope_of(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    peer: str | None = "127.0.0.1",
    kind: str = "http",
    scheme: str = "http",
) -> dict[str, Any]:
    """What a server hands to an application."""
    parts = urlsplit(url)
    host = parts.netloc or "127.0.0.1:8501"
    given = {"host": host, **{name.lower(): value for name, value in (headers or {}).items()}}
    return {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": {"http": scheme, "websocket": scheme.replace("http", "ws")}[kind],
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
        "client": None if peer is None else (peer, 50000),
        "server": ("127.0.0.1", 8501),
        "subprotocols": [],
    }


def ask(app: Any, url: str, *, body: bytes | Sequence[bytes] = b"", **given: Any) -> Answer:
    """The answer to one request."""
    pieces = [body] if isinstance(body, bytes) else list(body)
    coming = [
        {"type": "http.request", "body": piece, "more_body": at < len(pieces) - 1} for at, piece in enumerate(pieces)
    ]
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        messages.append(message)

    asyncio.run(app(scope_of(url, **given), receive, send))
    headers = {name.decode().lower(): value.decode() for name, value in messages[0]["headers"]}
    return Answer(messages[0]["status"], headers, b"".join(m.get("body", b"") for m in messages[1:]).decode())

"""Tokens of the right shape, and a store that keeps them in memory."""

from __future__ import annotations

import base64
from datetime import datetime

import orjson

from services.domain.accounts import Token

PAPER = "desk-paper"
REAL = "udapi-gateway-service"


def jwt(*, issuer: str, expires: datetime, issued: datetime | None = None, user: str = "4AB123", salt: str = "") -> str:
    """A token that says so of itself. `salt` makes a different one of the same claims."""
    claims = {"sub": user, "iss": issuer, "exp": int(expires.timestamp()), "salt": salt}
    if issued is not None:
        claims["iat"] = int(issued.timestamp())
    parts = (b'{"typ":"JWT","alg":"HS256"}', orjson.dumps(claims), b"signature")
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


class MemoryStore:
    """Behaves like the token store; a save ends a sign-out."""

    def __init__(self) -> None:
        self.tokens: dict[str, Token] = {}
        self.out: set[str] = set()
        self.loads = 0

    def save(self, user_id: str, token: Token) -> None:
        self.tokens[user_id] = token
        self.out.discard(user_id)

    def load(self, user_id: str) -> Token | None:
        self.loads += 1
        return self.tokens.get(user_id)

    def delete(self, user_id: str) -> None:
        self.tokens.pop(user_id, None)

    def drop(self, user_id: str, secret: str) -> None:
        if user_id in self.tokens and self.tokens[user_id].secret == secret:
            del self.tokens[user_id]

    def mark_signed_out(self, user_id: str) -> None:
        self.out.add(user_id)

    def signed_out(self, user_id: str) -> bool:
        return user_id in self.out

"""What a bearer token says of itself, read without verifying it: only the broker can do that."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from services.domain.errors import InvalidRequest

REAL_ISSUER = "udapi-gateway-service"
PAPER_ISSUER = "desk-paper"
_LONGEST = 8192


@dataclass(frozen=True, slots=True)
class Claims:
    """The members of a JSON web token that matter here. `None` or "" where it does not say."""

    issuer: str
    user_id: str
    issued: datetime | None
    expires: datetime | None


UNREADABLE = Claims("", "", None, None)
"""Of a token that is not a JSON web token. Such a one is possible; it just tells nothing."""


def bearer_text(given: str) -> str:
    """A token as a person pastes it, without `Bearer`, quotes and blanks around it. `InvalidRequest` if it holds what
    no header can carry; the message does not repeat it."""
    text = given.strip().strip("\"'")
    if text[:7].rstrip().lower() == "bearer":
        text = text[7:].strip()
    if not text:
        raise InvalidRequest("the token is empty")
    if len(text) > _LONGEST or not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidRequest("this is not a token: it holds blanks or characters that no token has")
    return text


def read_claims(secret: str) -> Claims:
    """The claims of a JSON web token, `UNREADABLE` for any other text. Never raises."""
    parts = secret.split(".")
    if len(parts) != 3:
        return UNREADABLE
    body = parts[1].encode("ascii", "replace")
    try:
        told = orjson.loads(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
    except (binascii.Error, ValueError):
        return UNREADABLE
    if not isinstance(told, dict):
        return UNREADABLE
    return Claims(_text(told.get("iss")), _text(told.get("sub")), _instant(told.get("iat")), _instant(told.get("exp")))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _instant(value: object) -> datetime | None:
    """Seconds since the epoch, as the standard has it."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError):
        return None

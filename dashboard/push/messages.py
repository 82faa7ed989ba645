"""What a browser may say on the push channel, checked before anything is done with it.

    {"t": "hello", "token": "...", "rows": [keys], "depth": [keys]}    first, within five seconds
    {"t": "want", "rows": [keys], "depth": [keys]}                     what it looks at now, in place of before
    {"t": "painted", "n": 17}                                          message 17 is on the screen

And what it is told: `{"t": "state"|"diff"|"beat", "n", "now", "feed", "rows", "depth"}` with `now` in epoch ms of the
desk's clock, `rows` by instrument key in the order of `dashboard.push.fields.FIELDS`; a `beat` has no rows. Where
something happened to orders, `news` is a list of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from services.domain.errors import InvalidRequest
from services.domain.instruments import is_instrument_key

MOST_BYTES = 256_000
MOST_KEYS = 2_000
MOST_DEPTHS = 20
_MOST_TOKEN = 200


@dataclass(frozen=True, slots=True)
class Want:
    """What one browser tab looks at. Equal wants share their messages."""

    rows: frozenset[str] = frozenset()
    depth: frozenset[str] = frozenset()

    @property
    def keys(self) -> frozenset[str]:
        return self.rows | self.depth


@dataclass(frozen=True, slots=True)
class Painted:
    """A message is on the screen."""

    number: int


def parse_hello(text: str) -> tuple[str, Want]:
    """The token and what is wanted. Raises `InvalidRequest`."""
    message = _message(text)
    token = message.get("token")
    if message.get("t") != "hello" or not isinstance(token, str) or not 0 < len(token) <= _MOST_TOKEN:
        raise InvalidRequest("the first message must be a hello with its token")
    return token, _want(message)


def parse(text: str) -> Want | Painted:
    """Any later message. Raises `InvalidRequest`."""
    message = _message(text)
    kind = message.get("t")
    if kind == "want":
        return _want(message)
    if kind == "painted":
        number = message.get("n")
        if not isinstance(number, int) or isinstance(number, bool):
            raise InvalidRequest("a paint is reported with the number of the message")
        return Painted(number)
    raise InvalidRequest(f"a message of the unknown kind {str(kind)[:20]!r}")


def _message(text: str) -> Mapping[str, object]:
    if len(text) > MOST_BYTES:
        raise InvalidRequest(f"a message has at most {MOST_BYTES} characters")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidRequest("a message must be JSON") from None
    if not isinstance(message, dict):
        raise InvalidRequest("a message must be a JSON object")
    return message


def _want(message: Mapping[str, object]) -> Want:
    return Want(_keys(message, "rows", MOST_KEYS), _keys(message, "depth", MOST_DEPTHS))


def _keys(message: Mapping[str, object], member: str, most: int) -> frozenset[str]:
    given = message.get(member, [])
    if not isinstance(given, list) or len(given) > most:
        raise InvalidRequest(f"{member} is a list of at most {most} instrument keys")
    if not all(isinstance(key, str) and is_instrument_key(key) for key in given):
        raise InvalidRequest(f"{member} holds something that is no instrument key")
    return frozenset(given)

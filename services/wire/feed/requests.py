"""What the desk says to the market feed: JSON objects, sent as BINARY frames. There is no answer to any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

import orjson

from services.domain.errors import InvalidRequest
from services.wire.chunks import chunk_keys

CHUNK = 200
"""Keys in one request; 100 to 500 are known to work."""
MAX_CHARS = 15_000
"""Length of the keys of one request, so that a request of the longest keys stays small as well."""


class FeedMethod(StrEnum):
    """What is asked of the feed."""

    SUBSCRIBE = "sub"
    UNSUBSCRIBE = "unsub"
    CHANGE_MODE = "change_mode"


class FeedMode(StrEnum):
    """How much is told of an instrument."""

    LTPC = "ltpc"
    FULL = "full"
    OPTION_GREEKS = "option_greeks"
    FULL_D30 = "full_d30"


def encode(method: FeedMethod, keys: Iterable[str], mode: FeedMode | None, guid: str) -> bytes:
    """One request, to be sent as a binary frame. `mode` is None for `unsub`, and only there.

    Raises `InvalidRequest` without keys or with an empty one, and where the mode is missing or too much: the broker
    would not say so, it would stay silent.
    """
    wanted = list(keys)
    if not wanted or not all(wanted):
        raise InvalidRequest("a request to the feed needs instrument keys")
    if (mode is None) is not (method is FeedMethod.UNSUBSCRIBE):
        raise InvalidRequest(f"{method} {'needs a' if mode is None else 'takes no'} mode")
    data = {"instrumentKeys": wanted} if mode is None else {"mode": mode, "instrumentKeys": wanted}
    return orjson.dumps({"guid": guid, "method": method, "data": data})


def read(request: bytes) -> tuple[FeedMethod, list[str], FeedMode | None]:
    """What one of our own requests asks for. Raises `InvalidRequest` for anything that `encode` does not make."""
    try:
        told = orjson.loads(request)
        method, data = FeedMethod(told["method"]), told["data"]
        mode = None if method is FeedMethod.UNSUBSCRIBE else FeedMode(data["mode"])
        return method, [str(key) for key in data["instrumentKeys"]], mode
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise InvalidRequest("no request of this desk to the feed") from error


def requests(
    method: FeedMethod,
    keys: Iterable[str],
    mode: FeedMode | None,
    *,
    new_guid: Callable[[], str],
    chunk: int = CHUNK,
) -> Iterator[bytes]:
    """The requests for a list of any length, each of at most `chunk` keys, in order, each key once."""
    for piece in chunk_keys(dict.fromkeys(keys), chunk, MAX_CHARS):
        yield encode(method, piece, mode, new_guid())

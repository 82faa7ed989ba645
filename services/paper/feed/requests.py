"""What clients ask of the market feed: one JSON object in a binary frame. What cannot be read is met with silence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import orjson

MOST_KEYS = 20_000
"""In one request; more than any limit allows."""


class Mode(StrEnum):
    """How much of an instrument is streamed."""

    LTPC = "ltpc"
    FULL = "full"
    OPTION_GREEKS = "option_greeks"
    FULL_D30 = "full_d30"


class Method(StrEnum):
    SUB = "sub"
    UNSUB = "unsub"
    CHANGE_MODE = "change_mode"


@dataclass(frozen=True, slots=True)
class FeedRequest:
    """One request that makes sense. `mode` means nothing with `unsub`."""

    method: Method
    keys: tuple[str, ...]
    mode: Mode = Mode.LTPC


def read_request(raw: bytes) -> FeedRequest | None:
    """The request in `raw`; `None` for one that the broker passes over: not JSON, no such method or mode, no keys."""
    try:
        told = orjson.loads(raw)
        data = told["data"]
        keys = data["instrumentKeys"]
        method = Method(told["method"])
        mode = Mode.LTPC if method is Method.UNSUB else Mode(_mode_word(method, data))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
    if not isinstance(keys, list) or len(keys) > MOST_KEYS or not all(isinstance(key, str) for key in keys):
        return None
    return FeedRequest(method, tuple(dict.fromkeys(keys)), mode)


def _mode_word(method: Method, data: dict[str, object]) -> str:
    """`sub` without a mode means `ltpc`; a change of mode must name one."""
    return str(data.get("mode", Mode.LTPC) if method is Method.SUB else data["mode"])

"""Errors by kind, as a person reads them in a message: "52 could not be sent"; and calls, as people write them. The
error log has the names of the classes."""

from __future__ import annotations

from collections.abc import Mapping

from services.domain import errors as e

MOST_KINDS = 3

_WORDS: dict[type[e.UpstoxError], str] = {
    e.ConfigurationError: "failed by the desk's own set-up",
    e.InvalidRequest: "failed the desk's own checks",
    e.SignInRefused: "failed to sign in",
    e.LoginRequired: "needed a login",
    e.NoData: "found no data",
    e.NotPublished: "asked for what is not published",
    e.TooManyBadKeys: "held too many unknown instruments",
    e.RateBudgetSpent: "came when the rate limit was used up",
    e.OrderOutcomeUnknown: "left an order whose fate is unknown",
    e.NotSent: "could not be sent",
    e.NoAnswer: "got no answer",
    e.ConnectionLost: "lost the connection",
    e.NoHolder: "found no process with the feed",
    e.MalformedPayload: "got an answer that cannot be read",
    e.TransportError: "got no usable answer",
    e.RedisAway: "found no Redis",
    e.RouteMissing: "asked for what the broker's API does not have",
    e.TokenRejected: "had the login refused",
    e.AccessDenied: "had the access denied",
    e.RateLimited: "came too fast for the broker",
    e.BadInstrumentKey: "named an instrument that the broker does not know",
    e.RequestRefused: "had the request refused",
    e.ServiceClosed: "came outside the broker's hours",
    e.BrokerFault: "met a fault of the broker",
    e.BrokerError: "got an error from the broker",
    e.LedgerAway: "found no ledger",
    e.StorageError: "failed in the desk's own files",
    e.UpstoxError: "failed",
}
"""After a number, be it one or many."""
_SHORT = {"gtt": "GTT", "ip": "IP", "ltp": "LTP", "mtf": "MTF", "ohlc": "OHLC", "pnl": "P&L"}
_CLASSES = {name: kind for name, kind in vars(e).items() if isinstance(kind, type) and issubclass(kind, e.UpstoxError)}


def kinds_in_words(breakdown: Mapping[str, int], *, most: int = MOST_KINDS) -> str:
    """How many of each kind, the first `most` of them: `40 came too fast for the broker, 20 got no answer`. A name
    that no class of ours has, as a notebook may log it, stands as it is."""
    return ", ".join(f"{count} {_of_kind(name)}" for name, count in list(breakdown.items())[:most])


def call_in_words(operation: str) -> str:
    """What was asked of the broker, by its name in the route table: `MTF positions`."""
    return " ".join(_SHORT.get(word, word) for word in operation.split("_"))


def _of_kind(name: str) -> str:
    kind = _CLASSES.get(name)
    if kind is None:
        return f"of the kind “{name}”"
    return next(_WORDS[one] for one in kind.__mro__ if one in _WORDS)

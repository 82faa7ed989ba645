"""The one error tree. Classes differ by what a caller would do about them.

    UpstoxError
    ├── ConfigurationError           the desk's own set-up is wrong; a person must act
    │   ├── DataFolderTooNew         written by a newer version of the desk
    │   ├── TokenStoreLocked         a token store without the key that opens it
    │   └── ForeignToken             a token that this process must not hold
    ├── InvalidRequest               refused here, nothing was sent
    │   ├── UnknownInstrument        not in the instrument master
    │   └── Forbidden                whoever asks may not do this
    ├── SignInRefused                wrong name or password, or too many of them
    │   └── SignInPaused             nobody is let in for a while (`wait_seconds`)
    ├── LoginRequired                a person must log in (carries the login URL)
    ├── NoData                       the broker answered and has nothing to say of this instrument
    ├── NotPublished                 nobody has told this yet: next year's holidays
    ├── TooManyBadKeys               a list with so many unknown keys that the known ones have to wait
    ├── RateBudgetSpent              our own pacing would make the caller wait too long
    ├── OrderOutcomeUnknown          a write was sent and nobody knows yet whether it was taken
    ├── TransportError               no usable answer from the broker
    │   ├── NotSent                  the connection certainly never carried the request
    │   │   └── BrokerNotAnswering   a paper broker holds the data folder and does not answer
    │   ├── NoAnswer                 sent, or perhaps sent; no complete answer came back
    │   ├── ConnectionLost           an open stream has ended, and nobody here asked for it
    │   │   └── HandedOver           another process of the desk holds it from now on, or this one shall
    │   ├── NoHolder                 no process of the desk has the stream open just now
    │   └── MalformedPayload         an answer came and is not what the API promises
    ├── RedisAway                    what the processes of a desk share does not answer in time
    ├── BrokerError                  the broker answered with an error
    │   ├── RouteMissing             the gateway does not know this path
    │   ├── TokenRejected            401: the token is dead
    │   ├── AccessDenied             403: static IP, plan, entitlement, an edge block
    │   ├── RateLimited              429
    │   ├── RequestRefused           400-422: the request itself is at fault
    │   │   └── BadInstrumentKey     one key of the request is unknown to the broker
    │   ├── ServiceClosed            outside the service hours of this call
    │   └── BrokerFault              5xx
    └── StorageError                 our own files
        ├── LedgerAway               the server that keeps the ledger does not answer, or takes nothing
        ├── PoolExhausted            no connection became free in time
        ├── PoolClosed               used after close
        └── NestedCheckout           one thread asked for a second connection while holding one

Retry, fallback and reconciliation read only the three attributes of the base class.
"""

from __future__ import annotations


class UpstoxError(Exception):
    """Base of everything that this program raises on purpose."""

    retryable: bool = False
    """Would the same call, a little later, be reasonable?"""
    outcome_unknown: bool = False
    """May the broker have acted on the request?"""
    other_route: bool = False
    """May another path for the same read (v3 then v2) do better?"""


class ConfigurationError(UpstoxError):
    """The set-up is wrong; the message says what to change."""


class DataFolderTooNew(ConfigurationError):
    """The data folder was written by a newer version of the desk."""


class TokenStoreLocked(ConfigurationError):
    """There are stored tokens, but the key that opens them is missing or wrong."""


class ForeignToken(ConfigurationError):
    """A token that belongs to another mode: a paper process holds no live trading token."""


class InvalidRequest(UpstoxError, ValueError):
    """The request is nonsense; it was not sent."""


class UnknownInstrument(InvalidRequest):
    """The instrument master does not know this key or symbol."""


class Forbidden(InvalidRequest):
    """Whoever asks may not do this: a viewer who writes, a trader who changes what operators decide."""


class SignInRefused(UpstoxError):
    """Nobody was let in. Says nothing of whether the name or the password was wrong."""


class SignInPaused(SignInRefused):
    """Too many wrong attempts: nobody is let in under this name, from there, or at all, for `wait_seconds`."""

    retryable = True

    def __init__(self, message: str, *, wait_seconds: float) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class LoginRequired(UpstoxError):
    """There is no valid token; a person must log in at `login_url`."""

    def __init__(self, message: str, *, login_url: str | None = None) -> None:
        super().__init__(message)
        self.login_url = login_url


class NoData(UpstoxError):
    """The broker answered, and said nothing of this instrument (silent, suspended or not traded yet)."""

    retryable = True


class NotPublished(UpstoxError):
    """What was asked for has not been published (the holidays of a coming year): it is unknown, and nothing follows."""


class TooManyBadKeys(UpstoxError):
    """The list holds so many unknown keys that finding them all now would spend the rate budget."""

    retryable = True


class RateBudgetSpent(UpstoxError):
    """The documented rate limit leaves no room now; `wait_seconds` says when it will."""

    retryable = True

    def __init__(self, message: str, *, wait_seconds: float) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class OrderOutcomeUnknown(UpstoxError):
    """A write was sent, or perhaps sent, and no answer that can be read came back. The desk looks for it in the
    broker's books; only a person may decide to send anew, as a new intent."""

    outcome_unknown = True

    def __init__(self, message: str, *, intent_id: str, tag: str = "") -> None:
        super().__init__(message)
        self.intent_id = intent_id
        self.tag = tag


class TransportError(UpstoxError):
    """No usable answer."""

    retryable = True
    other_route = True


class NotSent(TransportError):
    """The connection certainly never carried the request (refused, no route, name unknown)."""


class BrokerNotAnswering(NotSent):
    """Another process's paper broker holds the data folder and does not answer; it may come back or go."""


class NoAnswer(TransportError):
    """The request may have arrived; no complete answer came back in time."""

    outcome_unknown = True


class ConnectionLost(TransportError):
    """An open stream has ended without being asked to; `code` is the broker's close code, `None` if it sent none."""

    def __init__(self, message: str, *, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class HandedOver(ConnectionLost):
    """Who holds the stream has changed among the processes of the desk: it is opened anew at once, in the new role."""


class NoHolder(TransportError):
    """The stream belongs to one process of the desk, and that one has no connection just now, or there is none."""


class MalformedPayload(TransportError):
    """The answer is not what the API promises; `field` names where."""

    outcome_unknown = True

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class RedisAway(UpstoxError):
    """Redis gave no usable answer within its time. Nothing of worth lies there: this process goes on by itself."""

    retryable = True


class BrokerError(UpstoxError):
    """The broker answered with an error; everything it said is kept."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str = "",
        endpoint: str = "",
        property_path: str | None = None,
        invalid_value: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(f"{message} ({code or 'no code'}, HTTP {status})")
        self.plain = message
        self.status = status
        self.code = code
        self.endpoint = endpoint
        self.property_path = property_path
        self.invalid_value = invalid_value
        self.request_id = request_id


class RouteMissing(BrokerError):
    """The gateway does not route this path; nothing can have been acted on."""

    other_route = True


class TokenRejected(BrokerError):
    """401: expired, revoked or wrong."""


class AccessDenied(BrokerError):
    """403."""


class RateLimited(BrokerError):
    """429; `retry_after` in seconds where the broker said so."""

    retryable = True
    retry_after: float | None = None


class RequestRefused(BrokerError):
    """The broker understood the request and refuses it."""


class BadInstrumentKey(RequestRefused):
    """At least one instrument key of the request is unknown to the broker; `invalid_value` may name it."""


class ServiceClosed(BrokerError):
    """This call is not served at this hour."""


class BrokerFault(BrokerError):
    """5xx: the broker's own trouble."""

    retryable = True
    outcome_unknown = True
    other_route = True


class StorageError(UpstoxError):
    """The desk's own files."""


class LedgerAway(StorageError):
    """The server that keeps the ledger cannot be reached, or takes nothing. It comes back without us."""

    retryable = True


class PoolExhausted(StorageError):
    """No connection became free within the time allowed."""

    retryable = True


class PoolClosed(StorageError):
    """The pool is closed."""


class NestedCheckout(StorageError):
    """This thread already holds a connection of this pool; a second would be able to wait for itself."""

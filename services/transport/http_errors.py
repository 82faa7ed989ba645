"""What the errors of the HTTP libraries mean. The question is always the same: can the broker have received it?"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests
import urllib3.exceptions as low

from services.domain.errors import ConfigurationError, MalformedPayload, NoAnswer, NotSent, UpstoxError


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Their errors -> ours, raised from the original."""
    try:
        yield
    except requests.exceptions.InvalidHeader:
        # Its text quotes the header, which may be the token: not even the traceback may carry it.
        raise ConfigurationError("a request header, perhaps the token, holds characters that cannot be sent") from None
    except (requests.RequestException, low.HTTPError, http.client.HTTPException, OSError) as error:
        raise _ours(error, place) from error


def _ours(error: Exception, place: str) -> UpstoxError:
    """What a foreign error means."""
    causes = list(_chain(error))
    for kinds, mean in _TABLE:
        if any(isinstance(cause, kinds) for cause in causes):
            return mean(place)
    return NoAnswer(f"{place} gave no complete answer")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that it wraps: `reason`, exceptions among its arguments, its cause. Not its context:
    that may be an older failure which somebody was handling when this request was made."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop(0)
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [getattr(found, "reason", None), *found.args, found.__cause__]


_TABLE: tuple[tuple[tuple[type[BaseException], ...], Callable[[str], UpstoxError]], ...] = (
    (
        (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema,
         low.LocationParseError),
        lambda place: ConfigurationError(f"the broker's address {place!r} is not a web address"),
    ),
    ((low.NameResolutionError,), lambda place: NotSent(f"the name of {place} cannot be resolved")),
    ((low.NewConnectionError, ConnectionRefusedError), lambda place: NotSent(f"{place} takes no connection")),
    ((low.ConnectTimeoutError, requests.ConnectTimeout), lambda place: NotSent(f"{place} took no connection in time")),
    ((ssl.SSLCertVerificationError,), lambda place: NotSent(f"the certificate of {place} cannot be trusted")),
    ((low.ReadTimeoutError, requests.ReadTimeout), lambda place: NoAnswer(f"{place} did not answer in time")),
    (
        (low.DecodeError, requests.exceptions.ContentDecodingError),
        lambda place: MalformedPayload(f"{place} sent a body that cannot be unpacked", field="body"),
    ),
    (
        (low.IncompleteRead, http.client.IncompleteRead),
        lambda place: NoAnswer(f"{place} broke off in the middle of its answer"),
    ),
    (
        (http.client.RemoteDisconnected,),
        lambda place: NoAnswer(f"{place} closed the connection without an answer"),
    ),
    (
        (http.client.BadStatusLine, http.client.LineTooLong, http.client.UnknownProtocol),
        lambda place: MalformedPayload(f"{place} does not speak HTTP", field="status"),
    ),
    ((low.ProtocolError, ConnectionError), lambda place: NoAnswer(f"{place} closed the connection without an answer")),
)  # fmt: skip
"""Most certain first, subclasses before their bases. `OSError` and what is not listed count as "perhaps sent"."""

"""One HTTP session with time limits on everything. Its errors become ours in `http_errors`.

    send()    a request and its whole answer, bounded in time and size
    stream()  a request whose body is read piece by piece (instrument files)

No retries here: the adapter's own are off, because urllib3 would repeat PUT and DELETE.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import orjson
import requests
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry

from services.domain.errors import ConfigurationError, MalformedPayload, NoAnswer
from services.transport.http_errors import translated
from services.transport.long_query import LONG_QUERY, QUERY, LongQueryAdapter, encoded

CONNECT_TIMEOUT = 3.05
READ_TIMEOUT = 10.0
WHOLE_ANSWER_FACTOR = 2.0
"""An answer that keeps dripping is given up after this many read timeouts."""
STREAM_SECONDS = 180.0
"""A file download is given up after this long."""
MAX_BODY_BYTES = 64 * 1024 * 1024
USER_AGENT = "Mozilla/5.0 (compatible; UpstoxDesk/0.1)"
"""An explicit, ordinary one: the edge refuses the default of Python clients with an HTML 403 (error 1010)."""
_PIECE = 256 * 1024
_CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. `headers` ignores case; the body stays out of the repr."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    elapsed_ms: float

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "")

    @property
    def request_id(self) -> str | None:
        """The id under which the broker's support finds this call."""
        return self.headers.get("requestId") or self.headers.get("x-request-id")

    @property
    def retry_after(self) -> float | None:
        """Seconds, where the broker says so (undocumented; a date form is not expected and is ignored)."""
        value = self.headers.get("Retry-After", "").strip()
        return float(value) if value.isascii() and value.isdigit() else None


class Stream:
    """An open answer: `status`, `headers`, and `read(size)` for its body (content encoding removed)."""

    def __init__(self, response: requests.Response, *, place: str, deadline: float, monotonic: Callable[[], float]):
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self._raw: BaseHTTPResponse = response.raw
        self._place = place
        self._deadline = deadline
        self._monotonic = monotonic

    def read(self, size: int = _PIECE) -> bytes:
        """At most `size` bytes; empty at the end. A cut or too slow body raises `NoAnswer`."""
        with translated(self._place):
            if self._monotonic() > self._deadline:
                raise NoAnswer(f"{self._place} sends too slowly; given up")
            return self._raw.read1(size, decode_content=True) or b""


class _NoCredentials(requests.auth.AuthBase):
    """Keeps requests from taking a password out of ~/.netrc in place of our token."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class HttpClient:
    """Sends requests over kept-alive connections. Safe to share between threads."""

    def __init__(
        self,
        *,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        trust_env: bool = False,
        user_agent: str = USER_AGENT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.connect_timeout = connect_timeout
        self.read_timeout = read_timeout
        self._monotonic = monotonic
        session = self._session = requests.Session()
        session.trust_env = trust_env
        session.auth = _NoCredentials()
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # calls are told apart by tokens only
        session.headers.clear()
        session.headers.update(
            {
                "User-Agent": user_agent,
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "Connection": "keep-alive",
            }
        )
        adapter = LongQueryAdapter(
            pool_connections=_CONNECTIONS,
            pool_maxsize=_CONNECTIONS,
            max_retries=Retry(total=0, connect=0, read=False, redirect=0, status=0, other=0),
        )
        session.mount("https://", adapter)
        session.mount("http://", adapter)

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
        slow: bool = False,
    ) -> Answer:
        """Send and read the whole answer, within `seconds` if given. Silence ends the wait after the client's own read
        timeout all the same, but for an answer that is known to be `slow`.

        Raises `NotSent`, `NoAnswer` or `MalformedPayload`. Redirects are answers: no call of the broker expects one,
        and following it would carry the token elsewhere.
        """
        started = self._monotonic()
        silence = self.read_timeout if seconds is None else seconds if slow else min(self.read_timeout, seconds)
        read_timeout = max(0.05, silence)
        whole = self.read_timeout * WHOLE_ANSWER_FACTOR if seconds is None else seconds
        place = _place(url)
        with translated(place):
            response = self._open(method, url, params, json, form, headers, read_timeout)
            try:
                body = self._whole_body(response.raw, place, started + whole)
            finally:
                response.close()
        elapsed_ms = (self._monotonic() - started) * 1000
        return Answer(response.status_code, response.headers, body, elapsed_ms)

    @contextmanager
    def stream(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, seconds: float = STREAM_SECONDS
    ) -> Iterator[Stream]:
        """An open answer inside the block, closed after it. The body is not bounded in size, only in time."""
        deadline = self._monotonic() + seconds
        place = _place(url)
        with translated(place):
            response = self._open(method, url, None, None, None, headers, self.read_timeout)
        try:
            yield Stream(response, place=place, deadline=deadline, monotonic=self._monotonic)
        finally:
            response.close()

    def close(self) -> None:
        """Close every kept connection."""
        self._session.close()

    def _open(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        json: object,
        form: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        read_timeout: float,
    ) -> requests.Response:
        sent = dict(headers or {})
        data: bytes | dict[str, str] | None = None
        if json is not None:
            data = orjson.dumps(json)
            sent["Content-Type"] = "application/json"
        elif form is not None:
            data = dict(form)
        if params and sum(map(len, params.values())) > LONG_QUERY:
            sent[QUERY] = encoded(tuple(params.items()))
            params = None
        return self._session.request(
            method,
            url,
            params=dict(params) if params else None,
            data=data,
            headers=sent,
            timeout=(min(self.connect_timeout, read_timeout), read_timeout),
            allow_redirects=False,
            stream=True,
        )

    def _whole_body(self, raw: BaseHTTPResponse, place: str, deadline: float) -> bytes:
        """The body, read piece by piece, so that neither a dripping nor an endless answer holds the caller."""
        pieces = []
        size = 0
        while piece := raw.read1(_PIECE, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_BODY_BYTES:
                raise MalformedPayload(f"{place} answers with more than {MAX_BODY_BYTES} bytes", field="body")
            if self._monotonic() > deadline:
                raise NoAnswer(f"{place} did not finish its answer in time")
        return b"".join(pieces)


def _place(url: str) -> str:
    """Host and port, which is all of an address that a message of ours shows."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or "the broker"
    except ValueError:
        raise ConfigurationError(f"the broker's address {url[:60]!r} is not a web address") from None

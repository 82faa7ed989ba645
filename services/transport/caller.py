"""Carries a call to the broker: pacing, retry, fallback to the next route, the dead token, and the books about it.

Read downwards, each method adds one concern: `read` goes over the routes, `_on_route` repeats, `_with_token` deals with
a refused token, `_exchange` sends once. Decisions are made by the error tree alone (`retryable`, `other_route`). What
changes something at the broker goes through `write`, by the rules of `writing`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from services.domain.errors import (
    LoginRequired,
    MalformedPayload,
    RateLimited,
    RouteMissing,
    TokenRejected,
    UpstoxError,
)
from services.transport.call import Call, RequestLine, request_line
from services.transport.failures import ErrorSink, Failures, outcome_of
from services.transport.http import Answer, HttpClient, Stream
from services.transport.order_times import OrderTimes
from services.transport.retry import ReadRetry, Strikes
from services.transport.route_report import RouteReports
from services.transport.writing import WRITE_GATE_SECONDS, goes_on, require_in_time, settled
from services.wire.endpoints import Base, Operation, Profile, Route
from services.wire.envelope import Envelope, broker_latency, unwrap
from services.wire.rate_windows import Gate

T = TypeVar("T")

GATE_SECONDS = 5.0
"""A read waits no longer than this for its turn; a longer wait is told at once as `RateBudgetSpent`."""
MISSING_SECONDS = 60.0
"""A route that the gateway said it does not know is not asked again for so long, where there is another."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Served(Generic[T]):
    """A value, the version of the API that served it, and how long that one answer took."""

    value: T
    api_version: str
    elapsed_ms: float


class Caller:
    """The broker's reads with everything that makes them dependable, and its few calls that are sent exactly once."""

    def __init__(
        self,
        *,
        http: HttpClient,
        gate: Gate,
        bases: Mapping[Base, str],
        profile: Profile,
        token: Callable[[bool], str],
        token_rejected: Callable[[str], None],
        error_sink: ErrorSink,
        retry: ReadRetry,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.reports = RouteReports(monotonic=monotonic)
        self.order_times = OrderTimes(monotonic=monotonic)
        self._http = http
        self._gate = gate
        self._bases = bases
        self._profile = profile
        self._token = token
        self._token_rejected = token_rejected
        self._failures = Failures(error_sink, self.reports)
        self._retry = retry
        self._strikes = Strikes(retry.policy)
        self._monotonic = monotonic
        self._missing: dict[tuple[str, str], float] = {}

    # -- reads -------------------------------------------------------------------------------------------------

    def read(
        self,
        call: Call,
        parse: Callable[[Any], T],
        *,
        use_v3: bool = True,
        token: str | None = None,
        decode: Callable[[bytes], T] | None = None,
    ) -> Served[T]:
        """`parse(data)` of the first route that serves the call. With `token` that one is used and none is dropped.
        `decode(body)` is a quicker way to the same value; what it refuses as malformed is parsed as usual."""

        def understand(envelope: Envelope) -> T:
            return parse(envelope.data)

        def exchange(route: Route, seconds: float) -> Served[T]:
            return self._with_token(
                call, route, token, lambda secret: self._exchange(call, route, understand, decode, secret, seconds)
            )

        return self._over_routes(call, use_v3, exchange)

    def read_page(self, call: Call, parse: Callable[[Any, Mapping[str, object]], T]) -> Served[T]:
        """`parse(data, metadata)`, for an answer that comes page by page."""

        def understand(envelope: Envelope) -> T:
            return parse(envelope.data, envelope.metadata)

        def exchange(route: Route, seconds: float) -> Served[T]:
            return self._with_token(
                call, route, None, lambda secret: self._exchange(call, route, understand, None, secret, seconds)
            )

        return self._over_routes(call, True, exchange)

    def open(self, call: Call, headers: Mapping[str, str], stack: ExitStack) -> Stream:
        """An answer to be read piece by piece, open until `stack` is closed. Opening is retried, reading is not."""

        def opened(route: Route, seconds: float) -> Stream:
            self._gate.acquire(call.operation, max_wait=min(seconds, GATE_SECONDS))
            line = request_line(call, route)
            attempt = ExitStack()
            began = self._monotonic()
            try:
                stream = attempt.enter_context(
                    self._http.stream(line.method, self._bases[route.base] + line.path, headers=headers)
                )
            except UpstoxError as error:
                self.reports.attempted(call.operation.name, route.version, outcome_of(error), None)
                raise
            self.reports.attempted(
                call.operation.name, route.version, f"{stream.status // 100}xx", self._monotonic() - began
            )
            if stream.status not in {200, 304}:
                with attempt:
                    body = stream.read()
                unwrap(
                    stream.status,
                    body,
                    endpoint=f"{line.method} {route.path}",
                    request_id=stream.headers.get("requestId"),
                    content_type=stream.headers.get("Content-Type", ""),
                )
                raise MalformedPayload(
                    f"the broker answered HTTP {stream.status} where a file should be", field="status"
                )
            stack.push(attempt)
            self.reports.served(call.operation.name, route.version, stream.headers.get("requestId"))
            return stream

        return self._over_routes(call, True, opened)

    def _over_routes(self, call: Call, use_v3: bool, exchange: Callable[[Route, float], T]) -> T:
        """The result on the first route that serves. Every read ends within the policy's `total_seconds`."""
        operation = call.operation
        if operation.writes:
            raise ValueError(f"{operation.name} writes; it is never repeated nor sent another way")
        until = self._monotonic() + self._retry.policy.total_seconds
        routes = self._routes(call, use_v3)
        first_error: UpstoxError | None = None
        for place, route in enumerate(routes):
            now = self._monotonic()
            share = (until - now) / (len(routes) - place)  # a mute route must leave time for the next
            tries = _Tries()
            try:
                return self._on_route(operation, route, now + share, tries, exchange)
            except LoginRequired:
                raise
            except UpstoxError as error:
                if isinstance(error, RouteMissing):
                    self._missing[operation.name, route.path] = self._monotonic() + MISSING_SECONDS
                if error.other_route and place + 1 < len(routes) and self._monotonic() < until:
                    self.reports.fell_back(operation.name, route.version)
                    self._failures.tell(
                        operation, route, error, tries.retries, then=f"asking {routes[place + 1].version}"
                    )
                    first_error = first_error or error
                    continue
                self._failures.tell(operation, route, error, tries.retries, then="")
                if first_error is not None and isinstance(error, RouteMissing):
                    raise first_error from error  # what went wrong where the call is served says more
                raise
        raise AssertionError("an operation has at least one route")

    def _on_route(
        self, operation: Operation, route: Route, until: float, tries: _Tries, exchange: Callable[[Route, float], T]
    ) -> T:
        def retrying(error: UpstoxError, retries: int, pause: float) -> None:
            tries.retries = retries + 1
            self.reports.retried(operation.name, route.version)
            self._failures.tell(operation, route, error, retries, then=f"again in {pause:.2f} s")

        return self._retry.run(lambda seconds: exchange(route, seconds), until=until, retrying=retrying)

    def _with_token(self, call: Call, route: Route, given: str | None, exchange: Callable[[str | None], T]) -> T:
        """`exchange` with a token. One that the broker refuses is dropped once and replaced once, if there is another;
        if there is none, `LoginRequired` asks for a person. Never a loop."""
        if not call.operation.needs_token:
            return exchange(None)
        if given is not None:
            return exchange(given)
        secret = self._token(False)
        try:
            return exchange(secret)
        except TokenRejected as error:
            self._token_rejected(secret)
            refused = error
        fresh = self._token_after(refused, call, route)
        if fresh == secret:
            raise refused
        self._failures.tell(call.operation, route, refused, 0, then="using another token")
        try:
            return exchange(fresh)
        except TokenRejected as error:
            self._token_rejected(fresh)
            self._token_after(error, call, route)
            raise

    def _token_after(self, refused: TokenRejected, call: Call, route: Route) -> str:
        try:
            return self._token(False)
        except LoginRequired as required:
            self._failures.tell(call.operation, route, refused, 0, then="")
            raise required from refused

    def _exchange(
        self,
        call: Call,
        route: Route,
        understand: Callable[[Envelope], T],
        decode: Callable[[bytes], T] | None,
        secret: str | None,
        seconds: float,
    ) -> Served[T]:
        waited = self._gate.acquire(call.operation, max_wait=min(seconds, GATE_SECONDS))
        line = request_line(call, route)
        answer = self._send(call.operation, line, route, secret, seconds=max(0.05, seconds - waited))
        try:
            value = _value_of(answer, f"{line.method} {route.path}", understand, decode)
        except RateLimited as error:
            self._limited(call.operation, error)
            raise
        except MalformedPayload as error:
            self.reports.malformed(call.operation.name, route.version)
            error.add_note(f"request id {answer.request_id}")
            raise
        self._strikes.cleared(call.operation.name)
        self.reports.served(call.operation.name, route.version, answer.request_id)
        return Served(value, route.version, answer.elapsed_ms)

    # -- calls that are sent once ------------------------------------------------------------------------------

    def write(self, call: Call, understand: Callable[[Answer, str], T], *, may_fall_back: bool = False) -> Served[T]:
        """Send once, and say truly what became of it: `understand(answer, endpoint)`, or an error whose
        `outcome_unknown` tells whether the broker may have acted.

        `may_fall_back`: another version may carry the call where it is certain that nobody took the first
        (`writing.goes_on`). Nothing is ever repeated, and no token is replaced on the way.
        """
        operation = call.operation
        if not operation.writes:
            raise ValueError(f"{operation.name} writes nothing")
        routes = self._write_routes(call, may_fall_back)
        secret = self._token(True)
        for place, route in enumerate(routes):
            try:
                return self._write_once(call, route, understand, secret)
            except UpstoxError as error:
                if isinstance(error, RouteMissing):
                    self._missing[operation.name, route.path] = self._monotonic() + MISSING_SECONDS
                if place + 1 < len(routes) and goes_on(error):
                    self.reports.fell_back(operation.name, route.version)
                    self._failures.tell(operation, route, error, 0, then=f"asking {routes[place + 1].version}")
                    continue
                self._failures.tell(operation, route, error, 0, then="")
                if isinstance(error, TokenRejected):
                    self._drop(secret)
                raise
        raise AssertionError("an operation has at least one route")

    def _write_once(self, call: Call, route: Route, understand: Callable[[Answer, str], T], secret: str) -> Served[T]:
        line = request_line(call, route)
        self._gate.acquire(call.operation, max_wait=WRITE_GATE_SECONDS)
        require_in_time()
        answer = self._send(call.operation, line, route, secret)
        self.order_times.answered(answer.elapsed_ms, broker_latency(answer.body))
        try:
            value = understand(answer, f"{line.method} {route.path}")
        except RateLimited as error:
            self._limited(call.operation, error)
            raise
        except UpstoxError as error:
            if isinstance(error, MalformedPayload):
                self.reports.malformed(call.operation.name, route.version)
            error.add_note(f"request id {answer.request_id}")
            settled(error, answer.status)
            raise
        self._strikes.cleared(call.operation.name)
        self.reports.served(call.operation.name, route.version, answer.request_id)
        return Served(value, route.version, answer.elapsed_ms)

    def _write_routes(self, call: Call, may_fall_back: bool) -> tuple[Route, ...]:
        """v2 only if it may carry the call, or nothing else can; a route that was missing a moment ago only if there is
        no other."""
        routes = tuple(route for route in call.operation.routes(self._profile) if call.fits(route))
        if not may_fall_back:
            routes = tuple(route for route in routes if route.version != "v2") or routes
        return self._without_missing(call.operation, routes)

    def _drop(self, secret: str) -> None:
        """Tell of the refused token. Trouble with that must not take the place of the broker's answer."""
        try:
            self._token_rejected(secret)
        except UpstoxError as trouble:
            log.warning("the refused token could not be dropped: %s", trouble)

    def once(
        self,
        call: Call,
        *,
        json: Mapping[str, object] | None = None,
        form: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """Send on the first route and hand back the answer as it is. Neither repeated nor sent another way."""
        operation = call.operation
        route = operation.routes(self._profile)[0]
        secret = self._token(operation.writes) if operation.needs_token else None
        line = request_line(call, route)
        try:
            self._gate.acquire(operation, max_wait=GATE_SECONDS)
            return self._send(operation, line, route, secret, json=json, form=form, seconds=seconds)
        except UpstoxError as error:
            self._failures.tell(operation, route, error, 0, then="")
            raise

    def told(self, call: Call, error: UpstoxError) -> None:
        """Write down what became of the answer of a call that was sent once."""
        self._failures.tell(call.operation, call.operation.routes(self._profile)[0], error, 0, then="")

    # -- shared ------------------------------------------------------------------------------------------------

    def _send(
        self,
        operation: Operation,
        line: RequestLine,
        route: Route,
        secret: str | None,
        *,
        json: Mapping[str, object] | None = None,
        form: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Answer:
        try:
            answer = self._http.send(
                line.method,
                self._bases[route.base] + line.path,
                params=line.params,
                json=json if line.json is None else line.json,
                form=form,
                headers=None if secret is None else {"Authorization": f"Bearer {secret}"},
                seconds=seconds,
            )
        except UpstoxError as error:
            self.reports.attempted(operation.name, route.version, outcome_of(error), None)
            raise
        self.reports.attempted(operation.name, route.version, f"{answer.status // 100}xx", answer.elapsed_ms / 1000)
        log.log(
            logging.DEBUG if answer.status < 400 else logging.INFO,
            "%s %s: HTTP %d in %.0f ms, request id %s",
            line.method,
            route.path,
            answer.status,
            answer.elapsed_ms,
            answer.request_id,
        )
        return answer

    def _routes(self, call: Call, use_v3: bool) -> tuple[Route, ...]:
        """The candidates, without v3 if the caller wants none, and without those that were missing a moment ago."""
        operation = call.operation
        routes = tuple(route for route in operation.routes(self._profile) if call.fits(route))
        if not use_v3:
            routes = tuple(route for route in routes if route.version != "v3") or routes
        return self._without_missing(operation, routes)

    def _without_missing(self, operation: Operation, routes: tuple[Route, ...]) -> tuple[Route, ...]:
        now = self._monotonic()
        served = tuple(route for route in routes if self._missing.get((operation.name, route.path), 0.0) <= now)
        return served or routes

    def _limited(self, operation: Operation, error: RateLimited) -> None:
        """The broker said that there were too many calls: nothing of this budget leaves for a while."""
        error.retry_after = self._strikes.struck(operation.name, error.retry_after)
        self._gate.penalise(operation, error.retry_after)


def _value_of(
    answer: Answer, endpoint: str, understand: Callable[[Envelope], T], decode: Callable[[bytes], T] | None
) -> T:
    """What the answer says, or the error that it is."""
    if decode is not None and answer.status == 200:
        with suppress(MalformedPayload):  # not quite as documented: the patient way reads it, or says what is wrong
            return decode(answer.body)
    envelope = unwrap(
        answer.status,
        answer.body,
        endpoint=endpoint,
        request_id=answer.request_id,
        content_type=answer.content_type,
        retry_after=answer.retry_after,
    )
    return understand(envelope)


@dataclass(slots=True)
class _Tries:
    """How often one route has been asked again."""

    retries: int = 0

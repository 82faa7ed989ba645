"""Carries a call to the broker: pacing, retry, fallback to the next route, the dead token, and the books about it.

Read downwards, each method adds one concern: `read` goes over the routes, `_on_route` repeats, `_with_token` deals with
a refused token, `_exchange` sends once. Decisions are made by the error tree alone (`retryable`, `other_route`). What
changes something at the broker goes through `write` (`once`), by the rules of `writing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from services.domain.errors import (
    LoginRequired,
    MalformedPayload,
    RateLimited,
    RouteMissing,
    TokenRejected,
    UpstoxError,
)
from services.transport.call import Call, request_line
from services.transport.carrier import GATE_SECONDS, MISSING_SECONDS, Served
from services.transport.failures import outcome_of
from services.transport.http import Answer, Stream
from services.transport.once import SentOnce
from services.wire.endpoints import Operation, Route
from services.wire.envelope import Envelope, unwrap

__all__ = ["Caller", "Served"]

T = TypeVar("T")


class Caller(SentOnce):
    """The broker's reads with everything that makes them dependable, and its few calls that are sent exactly once."""

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
            self.reports.succeeded()
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
        self.reports.succeeded()
        return Served(value, route.version, answer.elapsed_ms)

    def _routes(self, call: Call, use_v3: bool) -> tuple[Route, ...]:
        """The candidates, without v3 if the caller wants none, and without those that were missing a moment ago."""
        operation = call.operation
        routes = tuple(route for route in operation.routes(self._profile) if call.fits(route))
        if not use_v3:
            routes = tuple(route for route in routes if route.version != "v3") or routes
        return self._without_missing(operation, routes)


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

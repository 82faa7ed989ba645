"""Calls that are sent exactly once, by the rules of `writing`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

from services.domain.errors import MalformedPayload, RateLimited, RouteMissing, TokenRejected, UpstoxError
from services.transport.call import Call, request_line
from services.transport.carrier import GATE_SECONDS, MISSING_SECONDS, Carrier, Served
from services.transport.http import Answer
from services.transport.writing import WRITE_GATE_SECONDS, goes_on, require_in_time, settled
from services.wire.endpoints import Route
from services.wire.envelope import broker_latency

T = TypeVar("T")

log = logging.getLogger(__name__)


class SentOnce(Carrier):
    """The few calls that are never repeated, however they end."""

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
        self.reports.succeeded()
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
            (self._write_rejected or self._token_rejected)(secret)
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

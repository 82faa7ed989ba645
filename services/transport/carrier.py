"""What every call to the broker shares, a read or one that is sent once: a request on one route, and the books."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.domain.errors import RateLimited, UpstoxError
from services.transport.call import RequestLine
from services.transport.failures import ErrorSink, Failures, outcome_of
from services.transport.http import Answer, HttpClient
from services.transport.order_times import OrderTimes
from services.transport.retry import ReadRetry, Strikes
from services.transport.route_report import RouteReports
from services.wire.endpoints import Base, Operation, Profile, Route
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


class Carrier:
    """Sends a request, counts it, and keeps what was learnt of routes and limits."""

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
        write_rejected: Callable[[str], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`write_rejected(secret)` hears of a 401 to a write, in the place of `token_rejected`: such a one may have
        other causes than the token."""
        self.reports = RouteReports(monotonic=monotonic)
        self.order_times = OrderTimes(monotonic=monotonic)
        self._http = http
        self._gate = gate
        self._bases = bases
        self._profile = profile
        self._token = token
        self._token_rejected = token_rejected
        self._write_rejected = write_rejected
        self._failures = Failures(error_sink, self.reports)
        self._retry = retry
        self._strikes = Strikes(retry.policy)
        self._monotonic = monotonic
        self._missing: dict[tuple[str, str], float] = {}

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

    def _without_missing(self, operation: Operation, routes: tuple[Route, ...]) -> tuple[Route, ...]:
        now = self._monotonic()
        served = tuple(route for route in routes if self._missing.get((operation.name, route.path), 0.0) <= now)
        return served or routes

    def _limited(self, operation: Operation, error: RateLimited) -> None:
        """The broker said that there were too many calls: nothing of this budget leaves for a while."""
        error.retry_after = self._strikes.struck(operation.name, error.retry_after)
        self._gate.penalise(operation, error.retry_after)

"""Writes failed attempts down: one log line, one entry in the error sink, one count."""

from __future__ import annotations

import logging
from typing import Any, Protocol

from services.domain.error_words import call_in_words
from services.domain.errors import (
    BrokerError,
    BrokerFault,
    MalformedPayload,
    RateLimited,
    RequestRefused,
    StorageError,
    TransportError,
    UpstoxError,
)
from services.transport.route_report import RouteReports
from services.wire.endpoints import Operation, Route

log = logging.getLogger(__name__)


class ErrorSink(Protocol):
    """Where failed attempts are kept."""

    def __call__(
        self,
        error_type: str,
        message: str,
        *,
        status_code: int | None,
        endpoint: str,
        retry_count: int,
        context: dict[str, Any] | None,
    ) -> None: ...


def outcome_of(error: UpstoxError) -> str:
    """What came of an attempt that got no answer, in a word for the counts."""
    if isinstance(error, MalformedPayload):
        return "malformed"
    return "no_answer" if error.outcome_unknown else "not_sent"


class Failures:
    """The books about what went wrong."""

    def __init__(self, sink: ErrorSink, reports: RouteReports) -> None:
        self._sink = sink
        self._reports = reports

    def tell(self, operation: Operation, route: Route, error: UpstoxError, retries: int, *, then: str) -> None:
        """A failed attempt after `retries` others on this route. `then` is what happens next; "" if the caller gets the
        error."""
        name = type(error).__name__
        broker = error if isinstance(error, BrokerError) else None
        request_id = broker.request_id if broker is not None else None
        if isinstance(error, TransportError | BrokerFault | RateLimited):
            self._reports.troubled(f"{call_in_words(operation.name)}: {error}")
        ordinary = bool(then) or isinstance(error, RequestRefused)
        log.log(
            logging.INFO if ordinary else logging.WARNING,
            "%s over %s failed: %s: %s; request id %s; %s",
            operation.name,
            route.version,
            name,
            error,
            request_id,
            then or "given up",
        )
        try:
            self._sink(
                name,
                str(error),
                status_code=broker.status if broker is not None else None,
                endpoint=f"{route.method} {route.path}",
                retry_count=retries,
                context={
                    "operation": operation.name,
                    "api_version": route.version,
                    "error_code": broker.code if broker is not None else "",
                    "request_id": request_id,
                    "then": then or "given up",
                },
            )
        except StorageError as trouble:  # a full disk must not turn a served read into a failed one
            log.warning("the failure could not be stored: %s", trouble)

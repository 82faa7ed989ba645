"""Errors stored, counted and, above a threshold, raised as an alert.

from services.error_handler import error_handler

alert = error_handler.check_error_threshold(threshold=10.0, window_minutes=5)
if alert["alert"]:
    error_handler.send_alert(alert)
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

if __name__ == "__main__":  # run as a file, Python looks for `services` beside it and not where it is
    import sys
    from pathlib import Path

    sys.path[0] = str(Path(__file__).resolve().parents[1])

from services.alerts.rules import ERROR_RATE
from services.domain.error_words import kinds_in_words
from services.domain.errors import InvalidRequest
from services.logs import redact
from services.runtime import get_runtime
from services.self_check import assure, main

__all__ = ["ErrorHandler", "error_handler"]

_FIGURES = ("rate", "threshold", "window_minutes", "timestamp", "error_breakdown")

log = logging.getLogger(__name__)


class ErrorHandler:
    """The error log and the alerts of this process's runtime. Holds nothing itself; may be used from any thread."""

    def log_error(
        self,
        error_type: str,
        error_message: str,
        status_code: int | None = None,
        endpoint: str | None = None,
        retry_count: int = 0,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        """Store one error as of now, secrets removed, and write it to the log."""
        get_runtime().errors.add(
            error_type,
            error_message,
            status_code=status_code,
            endpoint=endpoint,
            retry_count=retry_count,
            context=context,
        )
        log.error("%s at %s (HTTP %s): %s", error_type, endpoint or "-", status_code or "-", redact(error_message))

    def get_error_statistics(self, hours: float = 24) -> dict[str, Any]:
        """The errors of the last `hours`: `total_errors errors_per_minute by_type by_status by_endpoint retries
        first_at last_at hours`."""
        return get_runtime().errors.statistics(hours)

    def get_error_rate(self, minutes: float = 5) -> float:
        """Errors per minute over the last `minutes`."""
        return get_runtime().errors.rate(minutes)

    def check_error_threshold(self, threshold: float = 10.0, window_minutes: float = 5) -> dict[str, Any]:
        """Is the rate above `threshold` errors per minute?

        A dict with `alert` (bool), `rate`, `threshold`, `window_minutes`, `timestamp` (ISO, UTC), `message` and
        `error_breakdown` (how many of each type in the window, most frequent first).
        """
        if not 0 <= threshold < float("inf"):
            raise InvalidRequest(f"the threshold is a number of errors per minute, not {threshold}")
        runtime = get_runtime()
        breakdown = runtime.errors.breakdown(window_minutes)
        rate = sum(breakdown.values()) / window_minutes
        exceeded = rate > threshold
        return {
            "alert": exceeded,
            "rate": rate,
            "threshold": threshold,
            "window_minutes": window_minutes,
            "timestamp": runtime.clock.now().isoformat(),
            "message": _told(rate, threshold, window_minutes, breakdown, exceeded),
            "error_breakdown": breakdown,
        }

    def send_alert(self, alert: Mapping[str, Any]) -> None:
        """Raise `alert`, as `check_error_threshold` made it, in the ledger and in the log, and have it sent over every
        channel. While the last one is open it is brought up to date instead; it is over when the rate is low again.
        One that says `alert: False` is refused: there is nothing to raise."""
        if not alert.get("alert"):
            raise InvalidRequest("the error rate is within its threshold: there is no alert to send")
        message = redact(str(alert.get("message") or "the error rate is above its threshold"))
        raised = get_runtime().alert_desk.raise_alert(
            ERROR_RATE, message, context={name: alert[name] for name in _FIGURES if name in alert}
        )
        log.warning("alert %d: %s", raised.id, message)


def _told(rate: float, threshold: float, minutes: float, breakdown: Mapping[str, int], exceeded: bool) -> str:
    told = f"{rate:.2f} errors per minute over the last {minutes:g} minutes"
    if not exceeded:
        return f"{told}, within the threshold of {threshold:g}"
    return f"{told}, above the threshold of {threshold:g}: {kinds_in_words(breakdown)}"


error_handler = ErrorHandler()


def check_itself() -> Iterator[str]:
    """Sixty errors in a moment: counted, above the threshold, raised as an alert; a secret in one is not kept."""
    for number in range(60):
        error_handler.log_error("SelfCheck", f"error {number}, Authorization: Bearer {'x' * 40}", 503, "check")
    alert = error_handler.check_error_threshold(threshold=10.0, window_minutes=5)
    assure(alert["alert"] and alert["rate"] == 12, f"12 errors a minute were expected, not {alert['rate']}")
    yield alert["message"]
    told = repr(error_handler.get_error_statistics(1))
    assure("x" * 8 not in told, "a secret was kept")
    error_handler.send_alert(alert)
    standing = [one.kind for one in get_runtime().alerts.all(open_only=True)]
    assure(ERROR_RATE in standing, "no alert was raised")
    yield "raised as an alert, in the ledger and on every channel"


if __name__ == "__main__":
    main(check_itself)

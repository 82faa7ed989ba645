"""Alerts in the words of a message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.alerts.rules import title_of
from services.domain.clock import IST
from services.ledger.alert_channels import What
from services.ledger.alerts import Alert

MOST_LINES = 10

Told = Sequence[tuple[Alert, What]]


def title(desk: str, told: Told) -> str:
    """What stands above a message of `desk`."""
    if len(told) == 1:
        alert, what = told[0]
        over = "over: " if what is What.ENDED else ""
        return f"{desk}: {over}{title_of(alert.kind)}"
    return f"{desk}: {len(told)} alerts"


def body(told: Told) -> str:
    """A line for each, the newest last; of many the newest."""
    lines = [_line(alert, what) for alert, what in told[-MOST_LINES:]]
    more = len(told) - len(lines)
    return "\n".join([*([f"{more} older ones, see the desk"] if more > 0 else []), *lines])


def _line(alert: Alert, what: What) -> str:
    since = f"since {_time(alert.raised_at)}"
    if what is What.ENDED and alert.resolved_at is not None:
        return f"Over at {_time(alert.resolved_at)}, {since}: {title_of(alert.kind)}. {alert.message}"
    over = "" if alert.resolved_at is None else f", over since {_time(alert.resolved_at)}"
    return f"[{alert.severity.value}] {title_of(alert.kind)}: {alert.message} ({since}{over})"


def _time(instant: datetime) -> str:
    return f"{instant.astimezone(IST):%d %b %H:%M:%S} IST"

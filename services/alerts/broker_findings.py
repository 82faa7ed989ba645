"""What the measures say of the broker: its answers, its prices, the token, the calls that are left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.alerts.judging import AtLeast, Finding
from services.domain.error_words import kinds_in_words
from services.domain.time_words import span
from services.ledger.alerts import Severity
from services.measures.calls_now import RestNow
from services.measures.snapshot import Snapshot

LOGIN_NEEDED = "login needed"
LONG_WINDOW_SECONDS = 60.0
"""Windows below it are used up and free again while somebody looks: pacing, not trouble."""
LONGEST_WINDOW_SECONDS = 1800.0
"""The broker counts no call for longer."""


def error_rate(now: Snapshot, at: float) -> Sequence[Finding] | None:
    """Failed requests a minute, with what failed."""
    errors = now.errors
    if errors is None:
        return None
    most = kinds_in_words(errors.breakdown)
    message = f"{errors.per_minute:.1f} errors a minute over the last {errors.minutes:g} minutes" + (
        f"; of the requests, {most}" if most else ""
    )
    context = {
        "rate": round(errors.per_minute, 2),
        "window_minutes": errors.minutes,
        "error_breakdown": dict(errors.breakdown),
    }
    return [Finding(errors.per_minute, message, context=context)]


def broker_failing(now: Snapshot, at: float) -> Sequence[Finding] | None:
    """Nothing has succeeded for a while."""
    if now.rest is None:
        return None
    seconds = now.rest.failing_since
    if seconds is None:
        return None if now.rest.last_success_ago is None else []  # nothing was asked yet
    why = now.rest.last_failure or "no answer"
    return [Finding(seconds, f"No request has succeeded for {span(seconds)}. The last failure: {why}")]


def feed_silent(now: Snapshot, at: float) -> Sequence[Finding] | None:
    """Prices are expected and do not come. A missing login is told by the token's own rule."""
    if now.feed is None:
        return None
    seconds = now.feed.silent_seconds
    if now.feed.state == LOGIN_NEEDED:
        return []
    if seconds is None:  # too early to tell, while the first price is waited for
        return None if now.feed.expected and now.feed.last_update_ago is None else []
    why = now.feed.reason or ("the connection is open and mute" if now.feed.connected else now.feed.state)
    message = f"No price has come for {span(seconds)} though the market is open: {why}"
    return [Finding(seconds, message, context={"state": now.feed.state, "subscribed": now.feed.subscribed})]


@dataclass(frozen=True)
class TokenEnding:
    """What is left of the token. `renewed()`: another one comes by itself, as from the desk's own paper broker."""

    renewed: Callable[[], bool]

    def __call__(self, now: Snapshot, at: float) -> Sequence[Finding] | None:
        if now.token is None:
            return None
        if now.token.kind is None or self.renewed():
            return []
        minutes = now.token.seconds_left / 60
        message = f"The token ends in {span(now.token.seconds_left)}; log in again on the account page after that"
        return [Finding(minutes, message)]


def token_ended(now: Snapshot, at: float) -> Sequence[Finding] | None:
    """Nobody is logged in."""
    if now.token is None:
        return None
    if now.token.kind is not None:
        return []
    open_now = now.market is not None and now.market.in_session
    severity = Severity.CRITICAL if open_now else Severity.WARNING
    return [Finding(1.0, now.token.problem or "There is no valid token: log in", severity=severity)]


@dataclass
class BudgetLow:
    """How much of each budget is used, by its tightest longer window. A process counts the calls of its own life; the
    broker still counts those of before."""

    _first: float | None = None

    def __call__(self, now: Snapshot, at: float) -> Sequence[Finding] | None:
        if now.rest is None:
            return None
        self._first = at if self._first is None else self._first
        found = _budgets(now.rest)
        return AtLeast(found) if at - self._first < LONGEST_WINDOW_SECONDS else found


def _budgets(rest: RestNow) -> list[Finding]:
    found = []
    for budget in rest.budgets:
        windows = [one for one in budget.windows if one.seconds >= LONG_WINDOW_SECONDS and one.limit > 0]
        if not windows:
            continue
        tight = max(windows, key=lambda one: one.used / one.limit)
        percent = 100 * tight.used / tight.limit
        message = (
            f"{budget.name}: {tight.used:,} of {tight.limit:,} calls of {span(tight.seconds)} are used;"
            f" the first comes free in {span(tight.frees_in)}"
        )
        found.append(Finding(percent, message, subject=budget.name, context={"percent": round(percent, 1)}))
    return found

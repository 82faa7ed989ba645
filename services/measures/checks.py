"""Can the desk be trusted right now? What a check is, and the memory of when each came into its state: for the top row
of the health page, `/readyz` and the alert rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from threading import Lock

from services.measures.snapshot import Snapshot


class CheckState(StrEnum):
    """PASS: all is well. WARN: it works, and somebody should look. FAIL: it cannot be relied on. UNKNOWN: nothing has
    happened yet that would tell."""

    PASS = "pass"  # noqa: S105
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one look found."""

    state: CheckState
    reason: str


@dataclass(frozen=True, slots=True)
class Check:
    """One check, as of the last look. `since`: when its state began (desk's clock); `age_seconds`: real seconds since
    then."""

    name: str
    """`feed`, `rest`, `orders`, `storage`, `token` or `market`; `shared` on a desk of several processes."""
    state: CheckState
    reason: str
    since: datetime
    age_seconds: float


Rule = Callable[[Snapshot], Verdict | None]
"""`None`: there is nothing to check on this desk."""


class CheckBook:
    """The checks, with the memory of when each came into its state. Any thread may look."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = rules
        self._states: dict[str, tuple[CheckState, datetime, float]] = {}
        self._lock = Lock()  # guards the one above

    def look(self, snapshot: Snapshot, now: float) -> tuple[Check, ...]:
        """Every check of `snapshot`, taken at the monotonic instant `now`."""
        found = []
        with self._lock:
            for name, rule in self._rules.items():
                verdict = rule(snapshot)
                if verdict is None:
                    continue
                state, since, at = self._states.get(name, (None, snapshot.at, now))
                if state is not verdict.state:
                    since, at = snapshot.at, now
                    self._states[name] = (verdict.state, since, at)
                found.append(Check(name, verdict.state, verdict.reason, since, max(0.0, now - at)))
        return tuple(found)


def worst(checks: Iterable[Check]) -> CheckState:
    """The worst state among them. What is not known yet is no fault, and it is not well either."""
    states = {check.state for check in checks}
    order = (CheckState.FAIL, CheckState.WARN, CheckState.UNKNOWN)
    return next((state for state in order if state in states), CheckState.PASS)


def size(count: float) -> str:
    """So many bytes, in words."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"

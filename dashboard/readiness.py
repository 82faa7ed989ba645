"""Can the desk do its work now? Asked by `/readyz`, answered by the checks of the health page and by one question to
the broker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from dashboard.resources import Opening
from dashboard.words import in_words
from services.domain.errors import UpstoxError
from services.measures.checks import Check, CheckState, worst
from services.runtime import Runtime

KEPT_SECONDS = 5.0
"""Probes may come often; the broker is asked at most this often."""
NEEDED = ("storage",)
"""Without this, and without the broker, the desk can do nothing for anybody. Whatever else fails it shows, and serves
what it has: a load balancer that took it away would take the page where a person logs in again."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The answer: may traffic come, and how every check stands."""

    ready: bool
    state: CheckState
    reasons: dict[str, str]
    """What is in the way, by part; empty when it is ready."""
    checks: list[dict[str, Any]]  # Any: texts and a number, as they travel

    def as_json(self) -> dict[str, Any]:  # Any: as above
        return {"ready": self.ready, "state": self.state, "reasons": self.reasons, "checks": self.checks}


class Readiness:
    """Asks the broker, and keeps the answer for a moment. Blocks on the network: call it in a worker thread."""

    def __init__(
        self,
        opened: Callable[[], Opening],
        runtime: Callable[[], Runtime],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._opened = opened
        self._runtime = runtime
        self._monotonic = monotonic
        self._lock = Lock()  # guards the kept answer; never held while asking
        self._kept: tuple[float, str | None] | None = None

    def look(self) -> Ready:
        """How it stands now."""
        opened = self._opened()
        if not opened.ready.is_set():
            reason = str(in_words(opened.problem)) if opened.problem else "It is starting."
            return Ready(False, CheckState.FAIL, {"desk": reason}, [])
        try:
            checks = self._runtime().measures.checks()
        except UpstoxError as error:  # the data folder was taken away before anything could be built on it
            return Ready(False, CheckState.FAIL, {"desk": str(in_words(error))}, [])
        reasons = {one.name: one.reason for one in checks if one.name in NEEDED and one.state is CheckState.FAIL}
        broker = self._broker()
        if broker is not None:
            reasons["broker"] = broker
        state = CheckState.FAIL if broker is not None else worst(checks)
        return Ready(not reasons, state, reasons, [_told(one) for one in checks])

    def _broker(self) -> str | None:
        """Why the broker cannot be reached, if that is so."""
        with self._lock:
            if self._kept is not None and self._monotonic() - self._kept[0] < KEPT_SECONDS:
                return self._kept[1]
        problem = _broker_problem(self._runtime())
        with self._lock:
            self._kept = (self._monotonic(), problem)
        return problem


def _told(check: Check) -> dict[str, Any]:  # Any: as in `Ready`
    return {
        "check": check.name,
        "state": check.state,
        "reason": check.reason,
        "since": check.since.isoformat(timespec="seconds"),
        "seconds": round(check.age_seconds, 1),
    }


def _broker_problem(runtime: Runtime) -> str | None:
    """Any answer at all will do: who may log in is another question."""
    try:
        runtime.http.send("GET", f"{runtime.broker.api}/")
    except UpstoxError as error:
        return in_words(error).title
    return None

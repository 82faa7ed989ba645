"""Can the desk do its work now? Asked by `/readyz`, answered by the checks of the health page and by one question to
the broker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any, Generic, TypeVar

from dashboard.resources import Opening
from dashboard.words import in_words
from services.domain.errors import UpstoxError
from services.measures.checks import Check, CheckState, worst
from services.runtime import Runtime

KEPT_SECONDS = 5.0
"""Probes may come often; the broker is asked at most this often."""
PATIENCE_SECONDS = 1.0
"""A balancer that gets no answer takes the process away. So it gets one in time, of what was found out last; a broker
that hangs or a ledger that is slow is a reason to say so, not to fall silent."""
STUCK_SECONDS = 15.0
"""A look at the desk's own parts that takes so long does not come back: something hangs, a disk most likely."""
MUTE_SECONDS = 4.0
"""A question to the broker that has had no answer for so long counts as one that failed."""
NEEDED = ("storage",)
"""Without this, and without the broker, the desk can do nothing for anybody. Whatever else fails it shows, and serves
what it has: a load balancer that took it away would take the page where a person logs in again."""


T = TypeVar("T")


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
    """Asks the broker, and keeps the answer for a moment. Waits two seconds at most: call it in a worker thread."""

    def __init__(
        self,
        opened: Callable[[], Opening],
        runtime: Callable[[], Runtime],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._opened = opened
        self._runtime = runtime
        self._checks = _Asked(lambda: self._runtime().measures.checks(), 0.0, monotonic)
        self._broker = _Asked(lambda: _broker_problem(self._runtime()), KEPT_SECONDS, monotonic)

    def look(self) -> Ready:
        """How it stands now."""
        opened = self._opened()
        if not opened.ready.is_set():
            reason = str(in_words(opened.problem)) if opened.problem else "It is starting."
            return Ready(False, CheckState.FAIL, {"desk": reason}, [])
        try:
            checks = self._checks.last()
            broker = self._broker.last()
        except UpstoxError as error:  # the data folder was taken away before anything could be built on it
            return Ready(False, CheckState.FAIL, {"desk": str(in_words(error))}, [])
        if checks is None:
            return Ready(False, CheckState.FAIL, {"desk": "It does not know yet how it does."}, [])
        reasons = {one.name: one.reason for one in checks if one.name in NEEDED and one.state is CheckState.FAIL}
        if self._checks.waiting >= STUCK_SECONDS:
            reasons["desk"] = "It cannot look at its own parts: something hangs."
        if self._broker.waiting >= MUTE_SECONDS:
            broker = "The broker does not answer"
        if broker:
            reasons["broker"] = broker
        state = CheckState.FAIL if broker else worst(checks)
        return Ready(not reasons, state, reasons, [_told(one) for one in checks])


class _Asked(Generic[T]):
    """A question that may take long, asked in a thread of its own, once at a time; the last answer serves meanwhile."""

    def __init__(self, ask: Callable[[], T], fresh: float, monotonic: Callable[[], float]) -> None:
        self._ask = ask
        self._fresh = fresh
        self._monotonic = monotonic
        self._lock = Lock()  # guards the rest; never held while asking
        self._thread: Thread | None = None
        self._began = 0.0
        self._at: float | None = None
        self._answer: T | None = None
        self._error: UpstoxError | None = None

    def last(self) -> T | None:
        """The answer, at most `fresh` seconds old, or the last one if none comes in time; `None`: there is none yet.
        Raises what the question raised."""
        with self._lock:
            thread, now = self._thread, self._monotonic()
            if thread is None and (self._at is None or now - self._at >= self._fresh):
                thread = self._thread = Thread(target=self._run, name="readiness", daemon=True)
                self._began = now
                thread.start()
        if thread is not None:
            thread.join(PATIENCE_SECONDS)
        with self._lock:
            if self._error is not None:
                raise self._error
            return self._answer

    @property
    def waiting(self) -> float:
        """Seconds for which the question that is under way has had no answer."""
        with self._lock:
            return 0.0 if self._thread is None else self._monotonic() - self._began

    def _run(self) -> None:
        answer, failed = None, None
        try:
            answer = self._ask()
        except UpstoxError as error:
            failed = error
        finally:
            with self._lock:
                self._at, self._answer, self._error, self._thread = self._monotonic(), answer, failed, None


def _told(check: Check) -> dict[str, Any]:  # Any: as in `Ready`
    return {
        "check": check.name,
        "state": check.state,
        "reason": check.reason,
        "since": check.since.isoformat(timespec="seconds"),
        "seconds": round(check.age_seconds, 1),
    }


def _broker_problem(runtime: Runtime) -> str:
    """Why the broker cannot be reached; empty if it can. Any answer at all will do: who may log in is another
    question."""
    try:
        runtime.http.send("GET", f"{runtime.broker.api}/")
    except UpstoxError as error:
        return in_words(error).title
    return ""

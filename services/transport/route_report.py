"""Counts what came of the calls to each version of the API, how long answers took, and since when nothing succeeds."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from types import MappingProxyType

BOUNDS_SECONDS: tuple[float, ...] = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
"""Upper bounds of the histogram of answering times; beyond the last one is one more bucket."""


@dataclass(frozen=True, slots=True)
class VersionReport:
    """One operation over one version of the API since the start of the process. Counts are of attempts."""

    operation: str
    version: str
    answers: Mapping[str, int]
    """Attempts by what came of them: `2xx` `3xx` `4xx` `5xx` as the broker answered, else `no_answer`, `not_sent`,
    `malformed`."""
    buckets: tuple[int, ...]
    """Answered attempts by `BOUNDS_SECONDS`, each bucket by itself; the last one is what took longer."""
    seconds: float
    """All of them together."""
    retries: int
    fallbacks: int
    """How often its failure sent a call on to another version."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Does the broker answer, and well? Seconds ago, `None` where that has not happened."""

    answered_ago: float | None
    succeeded_ago: float | None
    failing_for: float | None
    """Since the first of the failures that no success has followed; `None`: the last call succeeded."""
    failure: str
    """The last of them, in words; "" while calls succeed."""


@dataclass(slots=True)
class _Version:
    answers: dict[str, int] = field(default_factory=dict)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_SECONDS) + 1))
    seconds: float = 0.0
    retries: int = 0
    fallbacks: int = 0


class RouteReports:
    """The counters of all operations, behind one lock."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._versions: dict[tuple[str, str], _Version] = {}
        self._answered: float | None = None
        self._succeeded: float | None = None
        self._failing: float | None = None
        self._failure = ""
        self._lock = Lock()  # guards all of the above

    def attempted(self, operation: str, version: str, outcome: str, seconds: float | None) -> None:
        """One request was sent, or could not be. `outcome` as in `VersionReport.answers`; `seconds` its answer took,
        `None` where none came."""
        with self._lock:
            count = self._version(operation, version)
            count.answers[outcome] = count.answers.get(outcome, 0) + 1
            if seconds is not None:
                count.buckets[bisect_left(BOUNDS_SECONDS, seconds)] += 1
                count.seconds += seconds
                self._answered = self._monotonic()

    def malformed(self, operation: str, version: str) -> None:
        """The last answer, counted as `2xx`, is not what the API promises."""
        with self._lock:
            answers = self._version(operation, version).answers
            if answers.get("2xx", 0) > 0:
                answers["2xx"] -= 1
                answers["malformed"] = answers.get("malformed", 0) + 1

    def succeeded(self) -> None:
        """A call was served."""
        with self._lock:
            self._succeeded, self._failing, self._failure = self._monotonic(), None, ""

    def retried(self, operation: str, version: str) -> None:
        with self._lock:
            self._version(operation, version).retries += 1

    def fell_back(self, operation: str, version: str) -> None:
        """A call goes on to another version, because `version` failed."""
        with self._lock:
            self._version(operation, version).fallbacks += 1

    def troubled(self, failure: str) -> None:
        """An attempt failed for the broker's sake, or on the way to it; a refused request is no such thing."""
        with self._lock:
            if self._failing is None:
                self._failing = self._monotonic()
            self._failure = failure

    def reach(self) -> Reach:
        """How the broker can be reached, by all operations together."""
        with self._lock:
            now = self._monotonic()

            def ago(then: float | None) -> float | None:
                return None if then is None else max(0.0, now - then)

            return Reach(ago(self._answered), ago(self._succeeded), ago(self._failing), self._failure)

    def versions(self) -> list[VersionReport]:
        """A snapshot of every operation and version that was used."""
        with self._lock:
            return [
                VersionReport(
                    operation,
                    version,
                    MappingProxyType(dict(count.answers)),
                    tuple(count.buckets),
                    count.seconds,
                    count.retries,
                    count.fallbacks,
                )
                for (operation, version), count in self._versions.items()
            ]

    def _version(self, operation: str, version: str) -> _Version:
        return self._versions.setdefault((operation, version), _Version())

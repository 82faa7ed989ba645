"""Counts which version of the API served what, for the health page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class RouteReport:
    """One operation since the start of the process."""

    operation: str
    served: Mapping[str, int]
    """Successful calls by API version."""
    retries: int
    fallbacks: int
    errors: int
    """Calls that ended in an error for the caller."""
    last_version: str
    """Version that served last; "" if none has."""
    last_error: str
    """Class name of the last error the caller got; "" if none."""
    last_request_id: str


@dataclass(slots=True)
class _Count:
    served: dict[str, int] = field(default_factory=dict)
    retries: int = 0
    fallbacks: int = 0
    errors: int = 0
    last_version: str = ""
    last_error: str = ""
    last_request_id: str = ""


class RouteReports:
    """The counters of all operations, behind one lock."""

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}
        self._lock = Lock()

    def served(self, operation: str, version: str, request_id: str | None) -> None:
        with self._lock:
            count = self._counts.setdefault(operation, _Count())
            count.served[version] = count.served.get(version, 0) + 1
            count.last_version = version
            count.last_request_id = request_id or count.last_request_id

    def retried(self, operation: str) -> None:
        with self._lock:
            self._counts.setdefault(operation, _Count()).retries += 1

    def fell_back(self, operation: str) -> None:
        with self._lock:
            self._counts.setdefault(operation, _Count()).fallbacks += 1

    def failed(self, operation: str, error: str, request_id: str | None) -> None:
        with self._lock:
            count = self._counts.setdefault(operation, _Count())
            count.errors += 1
            count.last_error = error
            count.last_request_id = request_id or count.last_request_id

    def all(self) -> dict[str, RouteReport]:
        """A snapshot by operation name."""
        with self._lock:
            return {
                name: RouteReport(
                    name,
                    MappingProxyType(dict(count.served)),
                    count.retries,
                    count.fallbacks,
                    count.errors,
                    count.last_version,
                    count.last_error,
                    count.last_request_id,
                )
                for name, count in self._counts.items()
            }

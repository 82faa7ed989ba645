"""Can the desk do its work now? Asked by `/readyz`, answered with reasons."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from threading import Lock

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from dashboard.resources import Opening
from dashboard.words import in_words
from services.domain.errors import UpstoxError
from services.runtime import Runtime

KEPT_SECONDS = 5.0
"""Probes may come often; the broker is asked at most this often."""


class Readiness:
    """Asks broker and storage, and keeps the answer for a moment. Blocks on the network: call it in a worker thread."""

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
        self._kept: tuple[float, dict[str, str]] | None = None

    def reasons(self) -> dict[str, str]:
        """What is in the way, by part; empty when the desk is ready."""
        with self._lock:
            if self._kept is not None and self._monotonic() - self._kept[0] < KEPT_SECONDS:
                return self._kept[1]
        found = self._ask()
        with self._lock:
            self._kept = (self._monotonic(), found)
        return found

    def _ask(self) -> dict[str, str]:
        opened = self._opened()
        if not opened.ready.is_set():
            return {"desk": str(in_words(opened.problem)) if opened.problem else "It is starting."}
        runtime = self._runtime()
        problems = {"storage": _storage_problem(runtime), "broker": _broker_problem(runtime)}
        return {name: problem for name, problem in problems.items() if problem}


def _storage_problem(runtime: Runtime) -> str | None:
    try:
        with runtime.market_pool.get_connection(2.0, write=False) as connection:
            connection.execute("SELECT 1")
        with runtime.ledger.read() as connection:
            connection.execute(text("SELECT 1"))
    except UpstoxError as error:
        return str(in_words(error))
    except (sqlite3.Error, SQLAlchemyError, OSError) as error:
        return f"The data files cannot be read ({type(error).__name__})."
    return None


def _broker_problem(runtime: Runtime) -> str | None:
    """Any answer at all will do: who may log in is another question."""
    try:
        runtime.http.send("GET", f"{runtime.broker.api}/")
    except UpstoxError as error:
        return in_words(error).title
    return None

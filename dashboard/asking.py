"""Why prices are not being renewed, learned without making a page wait.

Pages read what is known; the refresher behind the quote book renews it. When something stays old all the same, this
asks once more on a thread of its own and keeps what the broker, or the way to it, had to say.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Protocol

from services.domain.errors import InvalidRequest, NoData, NotSent, RequestRefused, UpstoxError

PAUSE = 3.0
"""Real seconds between two questions."""
MOST = 500
KEPT = 20.0
"""Real seconds for which a reason is believed: nobody may have looked since."""

log = logging.getLogger(__name__)


class Answer(Protocol):
    """What a batch of quotes came to."""

    @property
    def problems(self) -> Mapping[str, UpstoxError]: ...


class Asker:
    """Asks why quotes are old. `ask` may take long; it runs on the thread `desk-asking`, one question at a time."""

    def __init__(
        self, ask: Callable[[tuple[str, ...]], Answer], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="desk-asking")
        self._lock = Lock()  # guards the four below; never held while asking
        self._asking = False
        self._next = 0.0
        self._reasons: dict[str, tuple[float, UpstoxError]] = {}
        self._of_all: tuple[float, UpstoxError] | None = None
        """Why nothing of the last question was answered: it keeps other instruments from being renewed as well."""

    def why(self, keys: Iterable[str]) -> dict[str, UpstoxError]:
        """What is known to keep `keys` from being renewed. Starts a question if it is time for one; never waits."""
        wanted = tuple(keys)
        now = self._monotonic()
        with self._lock:
            reasons = {
                key: kept[1]
                for key in wanted
                if (kept := self._reasons.get(key, self._of_all)) is not None and now - kept[0] < KEPT
            }
            start = bool(wanted) and not self._asking and now >= self._next
            self._asking = self._asking or start
        if start:
            self._submit(wanted[:MOST])
        return reasons

    def close(self) -> None:
        """Take no more questions; one that is under way ends by itself."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _submit(self, keys: tuple[str, ...]) -> None:
        try:
            self._worker.submit(self._run, keys)
        except RuntimeError:  # closed: the desk is ending
            self._done(keys, dict.fromkeys(keys, NotSent("the desk is closing")))

    def _run(self, keys: tuple[str, ...]) -> None:
        try:
            problems: Mapping[str, UpstoxError] = self._ask(keys).problems
        except UpstoxError as error:
            problems = dict.fromkeys(keys, error)
        except Exception:
            log.exception("asking why %d prices are old failed", len(keys))
            problems = {}
        self._done(keys, problems)

    def _done(self, keys: tuple[str, ...], problems: Mapping[str, UpstoxError]) -> None:
        with self._lock:
            now = self._monotonic()
            for key in keys:
                self._reasons.pop(key, None)
            self._reasons.update((key, (now, error)) for key, error in problems.items())
            of_all = next((error for error in problems.values() if not of_one_instrument(error)), None)
            self._of_all = None if of_all is None or len(problems) < len(keys) else (now, of_all)
            self._asking = False
            self._next = now + PAUSE


def of_one_instrument(error: UpstoxError) -> bool:
    """Is this about one instrument, while all others are fine?"""
    return isinstance(error, InvalidRequest | NoData | RequestRefused)

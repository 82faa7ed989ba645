"""Answers of the broker by their parameters, asked in the background once those have stood still for a moment.

Whoever types a quantity digit by digit asks for the last one only; screens that ask the same share one answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from services.domain.clock import Clock
from services.domain.errors import BrokerError, UpstoxError
from services.domain.order_words import reason_in_words
from services.storage.background import Recurring

STILL_SECONDS = 0.25
"""Parameters that have stood so long are asked for."""
WANTED_SECONDS = 3.0
"""What nobody has asked for again since is not wanted any more."""
GOOD_SECONDS = 30.0
ERROR_SECONDS = 5.0
KEPT = 300
LINGER_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known: a value, or why there is none; neither = it is on its way."""

    value: Any = None  # Any: each question has a type of its own
    error: str | None = None
    at: datetime | None = None


@dataclass(slots=True)
class _Question:
    ask: Callable[[], Any]
    first: float
    last: float


class Asker:
    """The thread `order-preview` and its answers. Any thread asks; the lock is not held while the broker is asked."""

    def __init__(self, *, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._guard = Lock()  # guards the two below
        self._answers: dict[Hashable, tuple[Answer, float]] = {}
        self._questions: dict[Hashable, _Question] = {}
        self._thread = Recurring(self.step, name="order-preview", linger=LINGER_SECONDS)

    def answer(self, key: Hashable, ask: Callable[[], Any], *, wait: bool = False) -> Answer:
        """What `ask()` gave for these parameters, at most half a minute ago; asked now with `wait`, else soon."""
        known = self.known(key)
        if known is not None:
            return known
        if wait:
            return self._ask(key, ask)
        now = self._monotonic()
        with self._guard:
            question = self._questions.setdefault(key, _Question(ask, now, now))
            question.last = now
        self._thread.ensure()
        return Answer()

    def known(self, key: Hashable) -> Answer | None:
        """The same without asking."""
        with self._guard:
            answer, told = self._answers.get(key, (None, 0.0))
        if answer is None:
            return None
        good_for = GOOD_SECONDS if answer.error is None else ERROR_SECONDS
        return answer if self._monotonic() - told <= good_for else None

    def forget(self) -> None:
        """Something was filled or moved: what was told of money is old."""
        with self._guard:
            self._answers.clear()

    def close(self) -> None:
        self._thread.close()

    def step(self) -> float | None:
        """Ask what has stood still, the newest first. Seconds until the next look; `None`: nothing is wanted."""
        now = self._monotonic()
        with self._guard:
            for key in [one for one, asked in self._questions.items() if now - asked.last > WANTED_SECONDS]:
                del self._questions[key]
            ripe = [(asked.first, key) for key, asked in self._questions.items() if now - asked.first >= STILL_SECONDS]
            if not ripe:
                return STILL_SECONDS / 4 if self._questions else None
            _, key = max(ripe, key=lambda one: one[0])
            question = self._questions.pop(key)
        self._ask(key, question.ask)
        return 0.0

    def _ask(self, key: Hashable, ask: Callable[[], Any]) -> Answer:
        try:
            answer = Answer(ask(), at=self._clock.now())
        except BrokerError as error:
            answer = Answer(error=reason_in_words(error.code, error.plain))
        except UpstoxError as error:
            answer = Answer(error=str(error))
        with self._guard:
            self._answers[key] = (answer, self._monotonic())
            while len(self._answers) > KEPT:
                del self._answers[next(iter(self._answers))]
        return answer

"""Funds and person, asked of the broker now and then; what was known last stays while the broker cannot be asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from services.domain.accounts import Funds, Profile
from services.domain.errors import UpstoxError

ASK_SECONDS = 30.0
ASK_AGAIN_SECONDS = 3.0
"""After a failure: the login or the broker may be back any moment."""


@dataclass(frozen=True, slots=True)
class Money:
    """What the broker told of the account, and when (aware, UTC)."""

    funds: Funds
    person: Profile
    at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """The last known money, if any, and what keeps it from being renewed."""

    money: Money | None
    problem: UpstoxError | None


class MoneyKeeper:
    """One for the process: all sessions share what is known. `ask` may take as long as a read."""

    def __init__(self, ask: Callable[[], Money], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._asking = Lock()  # held by the one session that asks; the others take what is known
        self._look = Look(None, None)
        self._next = float("-inf")
        self._who = ""

    def look(self, who: str) -> Look:
        """What is known; asks first if it is time for that and nobody else is asking.

        `who` is logged in now ("" = nobody). A change is asked about at once, and one person's money is never shown to
        another.
        """
        changed = who != self._who
        wait = changed or self._look == Look(None, None)
        if (changed or self._monotonic() >= self._next) and self._asking.acquire(blocking=wait):
            try:
                if who != self._who:
                    self._look = Look(None if who else self._look.money, None)
                    self._who, self._next = who, float("-inf")
                if self._monotonic() >= self._next:
                    self._renew()
            finally:
                self._asking.release()
        return self._look

    def _renew(self) -> None:
        try:
            self._look = Look(self._ask(), None)
            pause = ASK_SECONDS
        except UpstoxError as error:
            self._look = Look(self._look.money, error)
            pause = ASK_AGAIN_SECONDS
        self._next = self._monotonic() + pause

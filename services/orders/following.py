"""What a process does while another one asks the broker for all: it knows the book as that one writes it down."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event

from services.orders.keeping import Keeper
from services.orders.together import BookNote, Together

FOLLOWS_SECONDS = 1.0
"""Between two looks into the ledger for what another process has written down."""
HASTE_SECONDS, HASTE_PAUSE = 1.0, 0.1
"""After the stream has told of something, that is looked for so long, and so often."""


class Following:
    """Whether this process follows another one, as found out in each round of the reconciliation. `together=None`: it
    is alone, and never does."""

    def __init__(
        self,
        together: Together | None,
        *,
        keeper: Keeper,
        another_account: Callable[[], object],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`another_account()`: the others have gone over to another account."""
        self._together = together
        self._keeper = keeper
        self._another_account = another_account
        self._monotonic = monotonic
        self._begun = Event()
        self._follows = False
        self._haste_until = float("-inf")

    @property
    def now(self) -> bool:
        """Does another process ask the broker and write down what it tells? One that leads and is not heard of does
        not."""
        return self._follows and self._together is not None and self._together.follows()

    @property
    def pause(self) -> float:
        """Seconds until the next look into the ledger."""
        return HASTE_PAUSE if self._monotonic() < self._haste_until else FOLLOWS_SECONDS

    def begin(self) -> None:
        """The first round begins: whom does it find?"""
        self._follows = self._note() is not None
        self._begun.set()

    def look(self) -> bool:
        """Know who asks, and what that one has written down. True: from now on it is this process that asks."""
        if self._together is None:
            return False
        note, before = self._note(), self._follows
        self._follows = note is not None
        if note is None:
            if before:
                self._keeper.take_over()
            return before
        self.catch_up()
        self._keeper.take_note(note)
        return False

    def catch_up(self) -> None:
        """Know what other processes have written down up to now."""
        if self._together is not None and self._begun.is_set() and self._keeper.catch_up():
            self._another_account()

    def hurry(self) -> None:
        """Something has been told to the process that writes it down: it will stand in the ledger in a moment."""
        self._haste_until = self._monotonic() + HASTE_SECONDS

    def tell(self) -> None:
        """Whoever asks tells the others how it knows the book."""
        if self._together is not None and not self._follows:
            self._together.tell(self._keeper.note())

    def _note(self) -> BookNote | None:
        return self._together.told() if self._together is not None and self._together.follows() else None

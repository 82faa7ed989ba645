"""Once a day, the book beside the broker's report without anybody asking: what does not agree becomes an alert."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from threading import Lock

from services.domain.clock import Clock, ist_date
from services.domain.errors import UpstoxError
from services.pnl.book import PnlBook
from services.pnl.comparisons import NoteCheck, PositionCheck, ReconcileView, SpanCheck
from services.portfolio.money import rupees_of_paise
from services.portfolio.reconcile import Cause
from services.storage.background import Recurring

AFTER_SECONDS = 600.0
"""From the start to the first check: by then the desk has more urgent things behind it."""
AGAIN_SECONDS = 3600.0
"""After a check that could not be made."""
LINGER_SECONDS = 30.0

Difference = tuple[str, str]
"""What it is about, and the difference in words."""

log = logging.getLogger(__name__)


class DailyCheck:
    """Compares when it is asked and the day's comparison is missing. Any thread."""

    def __init__(
        self,
        book: Callable[[], PnlBook],
        clock: Callable[[], Clock],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        after: float = AFTER_SECONDS,
    ) -> None:
        self._book = book
        self._clock = clock
        self._monotonic = monotonic
        self._lock = Lock()  # guards all below
        self._next = monotonic() + after
        self._checked: date | None = None
        self._found: list[Difference] | None = None
        self._worker = Recurring(self._step, name="pnl-check", linger=LINGER_SECONDS)

    def differences(self) -> list[Difference] | None:
        """What did not agree when it was compared last; `None`: it never was. Never waits: a comparison that is due is
        begun in the background."""
        with self._lock:
            found = self._found
            due = self._monotonic() >= self._next
            if due:
                self._next = self._monotonic() + AGAIN_SECONDS
        if due and self._checked != ist_date(self._clock().now()):
            self._worker.ensure()
        return found

    def check(self) -> None:
        """Ask the broker and compare. Raises `UpstoxError`, and then nothing has changed; nor has it where the broker
        told nothing that could be compared."""
        book = self._book()
        book.refresh()
        view = book.reconcile()
        if view.spans and len(view.missing) == len(view.spans):
            log.info("profit and loss were not compared: %s", view.missing[0].broker.error)
            return
        with self._lock:
            self._found = [*differences_of(view), *_still_open(self._found or (), view)]
            if not view.missing and not view.positions_error:
                self._checked = ist_date(self._clock().now())

    def close(self) -> None:
        self._worker.close()

    def _step(self) -> float | None:
        try:
            self.check()
        except UpstoxError as error:
            log.info("profit and loss were not compared with the broker's: %s", error)
        return None


def differences_of(view: ReconcileView) -> Iterator[Difference]:
    """What of a comparison needs a person: figures that miss each other for no cause that the desk knows."""
    for span in view.spans:
        yield from _of_span(span)
    for note in view.notes:
        yield from _of_note(note)
    for one in view.positions:
        yield from _of_position(one)


def _still_open(before: Sequence[Difference], view: ReconcileView) -> Iterator[Difference]:
    """Differences of before in what could not be compared now: nobody has said that they are over."""
    silent = tuple(f" {span.segment} {span.year}" for span in view.missing)
    for about, words in before:
        if about.endswith(silent) or (view.positions_error and about.startswith("position ")):
            yield about, words


def _of_span(span: SpanCheck) -> Iterator[Difference]:
    about, where = f"{span.segment} {span.year}", f"{span.segment} in {span.year}"
    if span.gross_off_by and span.broker.gross is not None:
        because = f": {span.gross_cause}" if span.gross_cause else ""
        told = f"ours is {_rupees(span.gross)}, the broker's {_rupees(span.broker.gross)}"
        yield f"gross {about}", f"Gross P&L of {where} does not agree, {told}{because}"
    for line in span.differences:
        if line.cause is Cause.UNKNOWN and line.theirs is not None:
            told = f"ours is {_rupees(line.ours)}, the broker's {_rupees(line.theirs)}"
            yield f"{line.line.value} {about}", f"{line.line.value} of {where} does not agree, {told}"


def _of_note(note: NoteCheck) -> Iterator[Difference]:
    for line in note.differences:
        if line.cause is Cause.UNKNOWN and line.theirs is not None:
            told = f"ours is {_rupees(line.ours)}, the note's {_rupees(line.theirs)}"
            yield f"{line.line.value} {note.name}", f"{line.line.value} of contract note {note.name}: {told}"


def _of_position(one: PositionCheck) -> Iterator[Difference]:
    if not one.agrees:
        yield f"position {one.symbol}", f"{one.symbol}: trades and positions do not agree: {one.words}"


def _rupees(paise: int) -> str:
    return f"Rs {rupees_of_paise(paise):,.2f}"

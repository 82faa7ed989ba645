"""Ours beside the broker's: values only. Amounts are whole paise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.portfolio.charges.kinds import Line
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.reconcile import Difference


@dataclass(frozen=True, slots=True)
class BrokerSpan:
    """What the broker's report says of one segment in one financial year. Paise."""

    segment: str
    year: str
    first: date
    last: date
    rows: int | None
    """Matched trades; `None`: not told."""
    gross: int | None
    charges: Mapping[Line, int | None]
    """A line that it does not name is `None`; empty: not told."""
    charges_total: int | None
    told_at: datetime | None
    error: str = ""
    """Why the report is missing. Never to be read as zero."""
    others: int = 0
    """Charges under "others", which no line of ours is."""
    stale: str | None = None
    """Why what was told before could not be renewed now."""
    count: int | None = None
    """Rows that its metadata announced: more than `rows` means that some never came."""

    @property
    def told(self) -> bool:
        return not self.error


@dataclass(frozen=True, slots=True)
class SpanCheck:
    """Ours beside the broker's, of one segment and financial year."""

    segment: str
    year: str
    first: date
    last: date
    matches: int
    gross: int
    charges: PaiseLines
    """Of what was closed in the span, with what was paid for it whenever; the broker may count by trade date."""
    charges_traded: PaiseLines
    """Of everything traded in the span: what `differences` compares."""
    broker: BrokerSpan
    differences: tuple[Difference, ...]
    """Charges line by line with the likely cause; `()` where the broker's are missing."""
    gross_cause: str = ""
    """Why `gross` differs, in words; "" where it agrees or the broker's is missing."""

    @property
    def gross_off_by(self) -> int | None:
        return None if self.broker.gross is None else self.gross - self.broker.gross


@dataclass(frozen=True, slots=True)
class NoteCheck:
    """An imported contract note beside ours of the same day."""

    name: str
    day: date | None
    segment: str
    told: Mapping[Line, int | None]
    ours: PaiseLines | None
    differences: tuple[Difference, ...]
    off_by: int | None = None
    """By how much the note's own figures miss each other; `None`: it does not tell all of them."""
    why_not: str = ""
    """Why there is nothing of ours beside it."""


@dataclass(frozen=True, slots=True)
class PositionCheck:
    """One instrument that is open or was traded today: from our trades, and from the broker's positions and holdings.
    Paise."""

    instrument: str
    symbol: str
    quantity: int
    """Open by the book."""
    broker_quantity: int | None
    """Holdings and positions together; `None`: the broker has not told them."""
    result: int | None
    """Today's, closed and open together at `price`, charges apart, from trades; `None`: there is no position to
    compare with, or no price."""
    broker_result: int | None
    """The same from the broker's positions."""
    price: int | None = None
    """Ten-thousandths of a rupee."""
    words: str = ""
    """The likely cause, where they differ; "" where they agree."""

    @property
    def agrees(self) -> bool:
        return not self.words

    @property
    def off_by(self) -> int | None:
        return None if self.result is None or self.broker_result is None else self.result - self.broker_result


@dataclass(frozen=True, slots=True)
class ReconcileView:
    """Ours beside the broker's."""

    account: str
    first: date
    last: date
    spans: tuple[SpanCheck, ...]
    notes: tuple[NoteCheck, ...]
    positions: tuple[PositionCheck, ...]
    positions_at: datetime | None
    positions_error: str
    unknown: tuple[str, ...]
    """What cannot be known, in words: purchases before the book begins, missing corporate actions, …"""

    @property
    def missing(self) -> tuple[SpanCheck, ...]:
        """Spans that the broker did not tell."""
        return tuple(span for span in self.spans if not span.broker.told)

"""The lines of charges of something, exact, and the three ways to sum them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal

from services.portfolio.charges.kinds import LINES, Line
from services.portfolio.charges.plan import Plan
from services.portfolio.money import FINE_OF_PAISA, half_up, paise_of_fine, rupees_of_fine, rupees_of_paise

RUPEE = 100
"""Paise."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Charges in fine units, exact: sums of parts are the sum of the whole, whatever the parts."""

    brokerage: int = 0
    stt: int = 0
    exchange: int = 0
    ipft: int = 0
    sebi: int = 0
    stamp: int = 0
    clearing: int = 0
    dp: int = 0
    gst: int = 0

    def __add__(self, other: Lines) -> Lines:
        return Lines(*(getattr(self, line) + getattr(other, line) for line in LINES))

    @property
    def fine(self) -> int:
        return sum(getattr(self, line) for line in LINES)

    @property
    def exact(self) -> Decimal:
        """Rupees, nothing rounded."""
        return rupees_of_fine(self.fine)

    def of(self, line: Line) -> int:
        return int(getattr(self, line))

    def rupees(self, line: Line) -> Decimal:
        """Exactly."""
        return rupees_of_fine(self.of(line))

    def in_paise(self) -> PaiseLines:
        """Each line to the paisa, halves up."""
        return PaiseLines(*(paise_of_fine(getattr(self, line)) for line in LINES))

    def on_a_note(self, plan: Plan) -> PaiseLines:
        """As a contract note prints them: STT and stamp duty to the rupee, the rest to the paisa, halves up, and GST
        of the lines as they are printed."""
        paise = self.in_paise()
        taxed = paise.brokerage + paise.exchange + paise.ipft + paise.clearing
        taxed += (paise.sebi if plan.gst_on_sebi else 0) + (paise.dp if plan.gst_on_dp else 0)
        return PaiseLines(
            brokerage=paise.brokerage,
            stt=half_up(self.stt, FINE_OF_PAISA * RUPEE) * RUPEE,
            exchange=paise.exchange,
            ipft=paise.ipft,
            sebi=paise.sebi,
            stamp=half_up(self.stamp, FINE_OF_PAISA * RUPEE) * RUPEE,
            clearing=paise.clearing,
            dp=paise.dp,
            gst=half_up(taxed * int(plan.gst_percent), 100),
        )


@dataclass(frozen=True, slots=True)
class PaiseLines:
    """Charges in whole paise, rounded in one of the ways that `Lines` names."""

    brokerage: int = 0
    stt: int = 0
    exchange: int = 0
    ipft: int = 0
    sebi: int = 0
    stamp: int = 0
    clearing: int = 0
    dp: int = 0
    gst: int = 0

    def __add__(self, other: PaiseLines) -> PaiseLines:
        return PaiseLines(*(getattr(self, line) + getattr(other, line) for line in LINES))

    def __sub__(self, other: PaiseLines) -> PaiseLines:
        return PaiseLines(*(getattr(self, line) - getattr(other, line) for line in LINES))

    @property
    def total(self) -> int:
        return sum(getattr(self, line) for line in LINES)

    @property
    def rupees(self) -> Decimal:
        """The total."""
        return rupees_of_paise(self.total)

    def of(self, line: Line) -> int:
        return int(getattr(self, line))

    def by_line(self) -> Mapping[Line, Decimal]:
        """Rupees, in the order of a note."""
        return {line: rupees_of_paise(self.of(line)) for line in LINES}


def total_of(parts: Iterable[Lines]) -> Lines:
    sums = dict.fromkeys(LINES, 0)
    for part in parts:
        for line in LINES:
            sums[line] += getattr(part, line)
    return Lines(*sums.values())


NO_LINES = Lines()
assert tuple(one.name for one in fields(Lines)) == tuple(line.value for line in LINES)  # one order for all

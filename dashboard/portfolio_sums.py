"""What all positions and holdings come to. Pure, and exact; a sum says how many of its parts it lacks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from dashboard.formatting import quantity


@dataclass(frozen=True, slots=True)
class Sum:
    """An amount in rupees; `None` where no part of it is known. `lacking` of its `parts` are not in it."""

    amount: Decimal | None
    lacking: int = 0
    parts: int = 0

    def words(self, of: str) -> str:
        """What is to be said beside it. `of`: what the parts are, "positions"."""
        if not self.lacking or self.amount is None:
            return ""
        return f"without {quantity(self.lacking)} of {quantity(self.parts)} {of}"


def total(amounts: Iterable[Decimal | None]) -> Sum:
    """The sum of those that are known. Of nothing at all it is zero."""
    parts = list(amounts)
    known = [part for part in parts if part is not None]
    if parts and not known:
        return Sum(None, len(parts), len(parts))
    return Sum(sum(known, Decimal(0)), len(parts) - len(known), len(parts))

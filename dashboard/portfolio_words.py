"""What is said about the age of positions, holdings and money. Pure."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from dashboard.formatting import age, ist_when
from dashboard.words import in_words
from services.domain.clock import IST, ist_date
from services.domain.errors import UpstoxError


def as_of_words(as_of: datetime, now: datetime, error: UpstoxError | None) -> str:
    """As of 14:05:33 IST. With trouble: as of 14:05:33 IST, 2 min ago, not current. The broker has a fault."""
    local = as_of.astimezone(IST)
    when = f"{local:%H:%M:%S} IST" if ist_date(now) == local.date() else ist_when(as_of, now)
    if error is None:
        return f"As of {when}"
    ago = age(max(0.0, (now - as_of).total_seconds()))
    return f"As of {when}, {ago} ago, not current. {in_words(error).title}."


def share_used(available: Decimal, used: Decimal) -> Decimal | None:
    """How much of all the money is in use, in percent; `None` where that says nothing (no money, or money released)."""
    whole = available + used
    return None if whole <= 0 or used < 0 else used / whole * 100


def quantities_are_old(as_of: datetime, now: datetime) -> str:
    """Why an exit may be too much."""
    return (
        f"The quantities are those of {ist_when(as_of, now)} and could not be renewed since: what was closed meanwhile "
        "would be closed twice."
    )

"""What is said about the age of positions, holdings, orders and money. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from dashboard.formatting import age, ist_when
from dashboard.words import in_words
from services.domain.clock import IST, ist_date
from services.domain.errors import UpstoxError

Trouble = UpstoxError | str | None
"""What keeps something from being renewed: an error, or the reason in words."""


def as_of_words(as_of: datetime, now: datetime, error: UpstoxError | None) -> str:
    """As of 14:05:33 IST. With trouble: as of 14:05:33 IST, 2 min ago, not current. The broker has a fault."""
    if error is None:
        return f"As of {_when(as_of, now)}"
    return f"As of {_not_current(as_of, now)}. {in_words(error).title}."


def oldest_words(told: Iterable[tuple[str, datetime | None, Trouble]], now: datetime) -> str | None:
    """Of what cannot be renewed, each with its name: which it is, how old the oldest of it is, and why. `None` where
    all is current. What nobody ever told has no age."""
    old = [(name, as_of, error) for name, as_of, error in told if error is not None and as_of is not None]
    if not old:
        return None
    names = ", ".join(name for name, _, _ in old)
    times = {as_of for _, as_of, _ in old}
    why = [in_words(error).title for _, _, error in old if isinstance(error, UpstoxError)]
    why = why or [str(error)[:1].upper() + str(error)[1:].rstrip(".") for _, _, error in old]
    return (
        f"{names[:1].upper()}{names[1:]}{': the oldest' if len(times) > 1 else ''} as of "
        f"{_not_current(min(times), now)}. {'. '.join(dict.fromkeys(why))}."
    )


def _not_current(as_of: datetime, now: datetime) -> str:
    return f"{_when(as_of, now)}, {age(max(0.0, (now - as_of).total_seconds()))} ago, not current"


def _when(as_of: datetime, now: datetime) -> str:
    local = as_of.astimezone(IST)
    return f"{local:%H:%M:%S} IST" if ist_date(now) == local.date() else ist_when(as_of, now)


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

"""How the rows of the dated table look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.domain.calendar.regimes import Step


@dataclass(frozen=True, slots=True)
class Row:
    """Why a day differs."""

    name: str
    source: str
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Special:
    """A session at hours of its own in some markets. `steps=None`: it takes place, its hours are not confirmed."""

    name: str
    source: str
    steps: tuple[Step, ...] | None = None
    ordinary: bool = False
    """The hours of an ordinary day; `steps` is not looked at."""
    confirmed: bool = True
    settles: bool = False
    note: str = ""


def days(year: int, source: str, names: Mapping[str, str], *, confirmed: bool = True) -> dict[date, Row]:
    """Rows of one year and one source, keyed `"month-day"` in the source."""
    return {_day(year, key): Row(name, source, confirmed) for key, name in names.items()}


def _day(year: int, key: str) -> date:
    month, day = key.split("-")
    return date(year, int(month), int(day))

"""How current the calendar is, for screens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from services.storage.calendar_contradictions import Contradiction


@dataclass(frozen=True, slots=True)
class SourceState:
    """One source: `table`, `holidays`, `timings` or `status`."""

    name: str
    said_by: str
    fetched_at: datetime | None
    """When it answered last (aware, UTC); `None`: never. The table has no such instant."""
    error: str | None
    """Why it could not be asked the last time, in words; `None` while all is well."""


@dataclass(frozen=True, slots=True)
class CalendarState:
    """Where the answers come from now."""

    sources: tuple[SourceState, ...]
    contradictions: tuple[Contradiction, ...]
    """What stands between broker and table; the broker's word is followed."""
    table_until: date
    """The last day of which the desk's own table knows."""
    practice: bool
    """The paper broker trades around the clock: phases are the real ones, and its word is not followed."""

    def source(self, name: str) -> SourceState:
        return next(one for one in self.sources if one.name == name)

"""The days on which currency derivatives rest besides those of shares: the settlement holidays, with two exceptions."""

from __future__ import annotations

from datetime import date

from services.domain.calendar.table.equity import SETTLEMENT_HOLIDAYS
from services.domain.calendar.table.rows import Row

OPEN = frozenset({date(2024, 9, 16), date(2025, 9, 5)})
"""The holiday was moved by two days and by three, and currencies followed the Reserve Bank, not the clearing house."""

HOLIDAYS: dict[date, Row] = {day: row for day, row in SETTLEMENT_HOLIDAYS.items() if day not in OPEN}

"""A broker whose calendar a test writes, and shapes of its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time

from services.domain.accounts import Holiday, MarketStatus, Window
from services.domain.calendar.calendar import BUNDLED
from services.domain.clock import IST
from services.domain.errors import UpstoxError
from services.domain.phases import Market, Phase
from tests.support.clocks import FakeClock

EQUITY = ("NSE", "NFO", "BSE", "BFO")
EVERYONE = (*EQUITY, "CDS", "BCD", "MCX")


def ist(text: str) -> datetime:
    """`"2026-11-23 11:00"` in India."""
    return datetime.fromisoformat(text).replace(tzinfo=IST).astimezone(UTC)


def at(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), IST).astimezone(UTC)


def window(exchange: str, day: date, start: str, end: str) -> Window:
    return Window(exchange, at(day, start), at(day, end))


def holiday(
    day: date,
    *,
    closed: Iterable[str] = (),
    opened: Iterable[Window] = (),
    kind: str = "TRADING_HOLIDAY",
    name: str = "Poll day",
) -> Holiday:
    return Holiday(day.isoformat(), name, kind, tuple(closed), tuple(opened))


CHRISTMAS = holiday(date(2026, 12, 25), closed=EVERYONE, name="Christmas")


class FakeBroker:
    """Tells what the table tells, until a test declares something else. Counts what it is asked."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.rows: list[Holiday] = [CHRISTMAS]
        self.hours: dict[date, list[Window]] = {}
        self.words: dict[str, str] = {}
        self.errors: dict[str, UpstoxError] = {}
        """What a question meets, by its name: `holidays`, `timings`, `status`, or an exchange."""
        self.asked: list[str] = []
        self.on_asked: Callable[[str], object] = lambda question: None

    def declare(self, row: Holiday) -> None:
        """An exchange declares something on short notice: list and hours tell it."""
        day = date.fromisoformat(row.day)
        self.rows.append(row)
        named = {*row.closed, *(one.exchange for one in row.open)}
        self.hours[day] = [one for one in self.timings_of(day) if one.exchange not in named] + list(row.open)

    def take_back(self) -> None:
        """Nothing was declared after all."""
        self.rows, self.hours, self.words = [CHRISTMAS], {}, {}

    def holidays(self, day: date | None = None) -> list[Holiday]:
        self._meet("holidays")
        return list(self.rows)

    def timings(self, day: date) -> list[Window]:
        self._meet("timings", f"timings {day}")
        return self.timings_of(day)

    def market_status(self, exchange: str) -> MarketStatus:
        self._meet("status", f"status {exchange}")
        if exchange in self.errors:
            raise self.errors[exchange]
        return MarketStatus(exchange, self.words.get(exchange, self._word(exchange)), self.clock.now(), None)

    def timings_of(self, day: date) -> list[Window]:
        if day in self.hours:
            return self.hours[day]
        if not BUNDLED.day(Market.NSE, day).hours_known:
            return [window("NSE", day, "09:15", "15:30")] if day.weekday() < 5 else []
        plans = (BUNDLED.day(Market(name), day) for name in EVERYONE)
        return [Window(plan.market.value, start, end) for plan in plans for start, end in plan.hours]

    def _word(self, exchange: str) -> str:
        phase = BUNDLED.phase(Market(exchange), self.clock.now()).phase
        return "NORMAL_OPEN" if phase in (Phase.OPEN, Phase.CLOSING_AUCTION) else "NORMAL_CLOSE"

    def _meet(self, name: str, question: str | None = None) -> None:
        self.asked.append(question or name)
        self.on_asked(question or name)
        if name in self.errors:
            raise self.errors[name]


class FakeAlerts:
    """What was raised and is open, by subject."""

    def __init__(self) -> None:
        self.open: dict[str, tuple[str, str]] = {}
        self.raised = 0
        self.error: UpstoxError | None = None

    def raise_alert(self, message: str, *, subject: str, severity: str, context: object) -> None:
        if self.error is not None:
            raise self.error
        self.raised += 1
        self.open[subject] = (message, severity)

    def resolve(self, but: Iterable[str]) -> None:
        kept = set(but)
        self.open = {subject: told for subject, told in self.open.items() if subject in kept}

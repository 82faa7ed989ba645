"""When the paper broker's exchanges trade: status, timings and holidays in the spelling of the API.

The hours are those of the market behind it (`hours`); what is added here is the exchange names, the states around the
continuous session, the closing auction and the named days of 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta

from services.domain.clock import IST, TOKEN_END, epoch_ms, ist_date, practice_day
from services.domain.phases import HOLIDAYS_2026, KNOWN_YEARS, SPECIAL_DAYS_2026
from services.paper.hours import Hours, group_of

EXCHANGES = ("NSE", "NFO", "CDS", "BSE", "BFO", "BCD", "MCX", "NSCOM")
_TOLD = ("MCX", "NSE", "NFO", "CDS", "BSE", "BCD", "BFO")
"""The exchanges of timings and holidays, in the order of live answers."""
_SEGMENT = {
    "NSE": "NSE_EQ",
    "NFO": "NSE_FO",
    "CDS": "NCD_FO",
    "BSE": "BSE_EQ",
    "BFO": "BSE_FO",
    "BCD": "BCD_FO",
    "MCX": "MCX_FO",
    "NSCOM": "NSE_COM",
}
_SHARES = {"NSE", "BSE"}
_DERIVATIVES = {"NFO", "BFO"}

SETTLEMENT_HOLIDAYS_2026 = {
    date(2026, 2, 19): "Shivaji Jayanti",
    date(2026, 3, 19): "Gudhi Padwa",
    date(2026, 4, 1): "Annual bank closing",
    date(2026, 8, 26): "Id-E-Milad",
}
"""Shares trade, nothing is settled, currency is closed (NCL/CMPT/71904)."""
_MUHURAT = date(2026, 11, 8)
_NAMED_DAYS: Mapping[date, tuple[str, str]] = {
    date(2026, 1, 1): ("New Year", "TRADING_HOLIDAY"),
    **{day: (name, "TRADING_HOLIDAY") for day, name in HOLIDAYS_2026.items()},
    **{day: (name, "SETTLEMENT_HOLIDAY") for day, name in SETTLEMENT_HOLIDAYS_2026.items()},
    **{day: (name, "SPECIAL_TIMING") for day, name in SPECIAL_DAYS_2026.items()},
    _MUHURAT: ("Diwali Laxmi Pujan (special session, hours to be announced)", "SPECIAL_TIMING"),
}

_AUCTION_FROM = date(2026, 8, 3)
_AUCTION_AT_THE_END_FROM = date(2026, 12, 7)
_PRE_OPEN_LONGER_FROM = date(2026, 9, 7)
_LOOK_BACK_DAYS = 15

Change = tuple[int, str]
"""Since when (epoch ms), and the status word."""


class Sessions:
    """Answers of the calendar calls. `always`: every exchange trades from 03:30 to 03:30 IST, every day."""

    def __init__(self, *, always: bool) -> None:
        self._always = always
        self._hours = Hours(practice=always)
        self._calendar = Hours(practice=False)

    def status(self, exchange: str, now: datetime) -> dict[str, object]:
        """The last change of state of `exchange` at or before `now`."""
        word, since = self._last_change(exchange, now, self._changes)
        told: dict[str, object] = {"exchange": exchange, "status": word, "last_updated": since}
        if exchange in _SHARES and (self._always or ist_date(now) >= _AUCTION_FROM):
            word, since = self._last_change(exchange, now, self._auction_changes)
            told["cas_eligible_status"] = {"status": word, "last_updated": since}
        return told

    def timings(self, day: date) -> list[dict[str, object]]:
        """Opening hours of `day`, epoch ms; exchanges that are closed are absent."""
        return _windows(self._hours, day)

    def holidays(self, year: int) -> list[dict[str, object]]:
        """The holiday list of the current year. A practice session has the real one too."""
        if year not in KNOWN_YEARS:
            return []
        return [row for day in sorted(_NAMED_DAYS) for row in self.holiday(day)]

    def holiday(self, day: date) -> list[dict[str, object]]:
        """The row of `day`, or nothing for an ordinary day."""
        if day not in _NAMED_DAYS:
            return []
        description, kind = _NAMED_DAYS[day]
        opened = _windows(self._calendar, day)
        trading = {row["exchange"] for row in opened}
        # On the muhurat Sunday the exchanges do open, at an hour that is not published: neither closed nor timed.
        closed = [] if day == _MUHURAT else [name for name in EXCHANGES if name in _TOLD and name not in trading]
        row: dict[str, object] = {
            "date": day.isoformat(),
            "description": description,
            "holiday_type": kind,
            "closed_exchanges": closed,
            "open_exchanges": opened,
        }
        return [row]

    def _last_change(
        self, exchange: str, now: datetime, changes_of: Callable[[str, date], list[Change]]
    ) -> tuple[str, int]:
        today = practice_day(now) if self._always else ist_date(now)
        now_ms = epoch_ms(now)
        for back in range(_LOOK_BACK_DAYS):
            for since, word in reversed(changes_of(exchange, today - timedelta(days=back))):
                if since <= now_ms:
                    return word, since
        return "NORMAL_CLOSE", _ms(today, time(0, 0))

    def _changes(self, exchange: str, day: date) -> list[Change]:
        """The changes of state of one day, in order; none on a day without trading."""
        if self._always:
            return [(_ms(day, TOKEN_END), "NORMAL_OPEN")]
        window = _window(self._hours, exchange, day)
        if window is None:
            return []
        trading = [(window[0], "NORMAL_OPEN"), (window[1], "NORMAL_CLOSE")]
        if exchange not in _SHARES | _DERIVATIVES:
            return trading
        pre_open_ends = time(9, 10) if day >= _PRE_OPEN_LONGER_FROM else time(9, 8)
        before = [(_ms(day, time(9, 0)), "PRE_OPEN_START"), (_ms(day, pre_open_ends), "PRE_OPEN_END")]
        if exchange in _DERIVATIVES:
            return before + trading
        closing = time(15, 50) if day >= _AUCTION_FROM else time(15, 40)
        return [*before, *trading, (_ms(day, closing), "CLOSING_START"), (_ms(day, time(16, 0)), "CLOSING_END")]

    def _auction_changes(self, exchange: str, day: date) -> list[Change]:
        """The same for the shares that take part in the closing auction."""
        if self._always:
            return self._changes(exchange, day)
        window = _window(self._hours, exchange, day)
        if window is None or day < _AUCTION_FROM:
            return []
        if day >= _AUCTION_AT_THE_END_FROM:
            steps = (time(15, 30), time(15, 31), time(15, 36), time(15, 39), time(15, 40))
        else:
            steps = (time(15, 15), time(15, 20), time(15, 25), time(15, 29), time(15, 30))
        words = ("CTS_CLOSE", "CAS_LM_START", "CAS_M_STOP", "CAS_STOP", "NORMAL_CLOSE")
        auction = [(_ms(day, at), word) for at, word in zip(steps, words, strict=True)]
        return [(window[0], "NORMAL_OPEN"), *auction]


def _windows(hours: Hours, day: date) -> list[dict[str, object]]:
    told = ((exchange, _window(hours, exchange, day)) for exchange in _TOLD)
    return [
        {"exchange": exchange, "start_time": window[0], "end_time": window[1]}
        for exchange, window in told
        if window is not None
    ]


def _window(hours: Hours, exchange: str, day: date) -> tuple[int, int] | None:
    """Start and end of continuous trading, epoch ms."""
    segment = _SEGMENT[exchange]
    group = group_of(segment)
    special_weekend = day.weekday() >= 5 and not hours.practice
    if not hours.trades(group, day) or (special_weekend and exchange not in _SHARES | _DERIVATIVES):
        return None  # extra weekend sessions are for shares and their derivatives
    session = hours.session(group, day)
    return session.start_ms, session.start_ms + hours.segment_minutes(segment, session) * 60_000


def _ms(day: date, at: time) -> int:
    return epoch_ms(datetime.combine(day, at, IST))

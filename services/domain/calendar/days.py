"""Types of the market calendar: a market's day, what the broker says of one, and the answers that lists give.

A day is a date in India. Instants are aware and in UTC; windows are half open (`start <= instant < end`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from services.domain.clock import IST
from services.domain.errors import InvalidRequest, UnknownInstrument
from services.domain.phases import Market, Phase, SessionWindow

Hours = tuple[tuple[datetime, datetime], ...]
"""Stretches of continuous trading, ascending and disjoint."""


class DayKind(StrEnum):
    """What sort of day it is for one market."""

    TRADING = "trading day"
    SPECIAL = "special session"
    """The exchange trades at hours of their own, or on a day on which it usually rests (muhurat, Budget, drill)."""
    PARTIAL = "part of a day"
    """A commodity exchange's morning or evening without the other."""
    HOLIDAY = "holiday"
    WEEKEND = "weekend"
    UNKNOWN = "not published"


@dataclass(frozen=True, slots=True)
class DayPlan:
    """One market's day. `windows` are ascending and disjoint; the gaps between them are closed."""

    market: Market
    day: date
    kind: DayKind
    windows: tuple[SessionWindow, ...]
    """Empty when closed; also empty for a special session whose hours nobody has confirmed (`hours_known`)."""
    name: str = ""
    """The occasion, "Diwali Laxmi Pujan"; empty on an ordinary day."""
    source: str = ""
    confirmed: bool = True
    """False: the source is doubtful, or the row rests on a general rule."""
    settles: bool = True
    """Does the clearing house settle? False on closed days, and on settlement holidays, on which shares trade."""
    note: str = ""
    """What a reader of this row should know besides."""

    @property
    def trades(self) -> bool | None:
        """Is there a session at all? `None`: not published."""
        if self.kind is DayKind.UNKNOWN:
            return None
        return self.kind in (DayKind.TRADING, DayKind.SPECIAL, DayKind.PARTIAL)

    @property
    def hours_known(self) -> bool:
        """False where the market may trade, or does, and nobody has confirmed when."""
        return bool(self.windows) or self.trades is False

    @property
    def settlement_holiday(self) -> bool:
        """Trades without settlement."""
        return bool(self.trades) and not self.settles

    @property
    def opens(self) -> datetime | None:
        """The first instant of continuous trading."""
        return self.hours[0][0] if self.hours else None

    @property
    def closes(self) -> datetime | None:
        """The end of continuous trading."""
        return self.hours[-1][1] if self.hours else None

    @property
    def hours(self) -> Hours:
        """The stretches of continuous trading, adjoining ones joined."""
        return joined((window.start, window.end) for window in self.windows if window.phase is Phase.OPEN)


@dataclass(frozen=True, slots=True)
class DayOverride:
    """What the broker says of one market on one day.

    `hours`: continuous trading, aware; `()` = closed. `kind`: the broker's own word (`TRADING_HOLIDAY`,
    `SETTLEMENT_HOLIDAY`, `SPECIAL_TIMING`, ...). Raises `InvalidRequest` where a stretch is naive or runs backwards.
    """

    market: Market
    day: date
    hours: Hours
    name: str = ""
    kind: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        for start, end in self.hours:
            if start.tzinfo is None or end.tzinfo is None or start >= end:
                raise InvalidRequest(f"hours of {self.market} on {self.day}: {start} to {end} is no stretch of time")


@dataclass(frozen=True, slots=True)
class StatusOverride:
    """What the broker says a market is doing now, believed while `since <= instant < until`.

    `status`: the broker's word (`NORMAL_OPEN`, ...); `services.domain.calendar.statuses` tells what each means.
    """

    market: Market
    status: str
    since: datetime
    until: datetime
    source: str = "the broker's market status"

    def __post_init__(self) -> None:
        if self.since.tzinfo is None or self.until.tzinfo is None or self.since >= self.until:
            raise InvalidRequest(f"a status of {self.market} from {self.since} to {self.until} never holds")


@dataclass(frozen=True, slots=True)
class Sessions:
    """The windows between two instants, clipped to them, and the days of which nobody knows."""

    windows: tuple[SessionWindow, ...]
    unknown: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class NamedDay:
    """A date that differs from an ordinary one in at least one of the markets asked about."""

    day: date
    name: str
    kind: DayKind
    """Of the first market that differs, shares before currencies before commodities."""
    settles: bool
    """Of that market too."""
    source: str
    confirmed: bool
    """Do all rows of this date stand on good ground?"""
    plans: tuple[DayPlan, ...] = field(default=(), repr=False)
    """One for each market asked about, in the order of `Market`."""

    @property
    def closed(self) -> tuple[Market, ...]:
        """Markets without any session."""
        return tuple(plan.market for plan in self.plans if plan.trades is False)

    @property
    def open(self) -> tuple[Market, ...]:
        """Markets with a session, whole, in part or special."""
        return tuple(plan.market for plan in self.plans if plan.trades)

    @property
    def windows(self) -> dict[Market, tuple[SessionWindow, ...]]:
        """The windows of each market that trades."""
        return {plan.market: plan.windows for plan in self.plans if plan.trades}

    def plan(self, market: Market) -> DayPlan:
        """The day of one market. Raises `InvalidRequest` if it was not asked about."""
        for plan in self.plans:
            if plan.market is market:
                return plan
        raise InvalidRequest(f"{market} is not among the markets of this list")


_MARKETS = {
    "NSE_EQ": Market.NSE, "NSE_INDEX": Market.NSE, "NSE_FO": Market.NFO, "NCD_FO": Market.CDS, "NSE_COM": Market.NSCOM,
    "BSE_EQ": Market.BSE, "BSE_INDEX": Market.BSE, "BSE_FO": Market.BFO, "BCD_FO": Market.BCD, "MCX_FO": Market.MCX,
    "MCX_INDEX": Market.MCX, "MCX_COM": Market.MCX,
}  # fmt: skip


def market_of(segment: str) -> Market:
    """The market of a segment of the instrument master (`NSE_FO`), or of an instrument key that starts with one.

    The names of markets themselves (`NFO`) are taken too. Raises `UnknownInstrument` for any other word.
    """
    word = segment.partition("|")[0]
    market = _MARKETS.get(word)
    if market is None:
        try:
            return Market(word)
        except ValueError:
            raise UnknownInstrument(f"{segment!r} belongs to no segment whose hours are known") from None
    return market


def midnight(day: date) -> datetime:
    """The instant (UTC) at which `day` begins in India."""
    return datetime(day.year, day.month, day.day, tzinfo=IST).astimezone(UTC)


def at_minute(day: date, minute: int) -> datetime:
    """The instant (UTC) `minute` minutes after midnight in India."""
    return midnight(day) + timedelta(minutes=minute)


def joined(stretches: Iterable[tuple[datetime, datetime]]) -> Hours:
    """Stretches in ascending order, those that touch or overlap joined."""
    whole: list[tuple[datetime, datetime]] = []
    for start, end in sorted(stretches):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    return tuple(whole)

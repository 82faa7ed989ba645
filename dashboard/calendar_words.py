"""The market calendar in words: names of markets, phases and kinds of day, hours as a trader writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum

from services.domain.calendar.days import DayKind, DayPlan
from services.domain.clock import IST
from services.domain.phases import Market, Phase, PhaseNow, Stage

NAMES: Mapping[Market, str] = {
    Market.NSE: "NSE shares",
    Market.BSE: "BSE shares",
    Market.NFO: "NSE F&O",
    Market.BFO: "BSE F&O",
    Market.CDS: "NSE currency",
    Market.BCD: "BSE currency",
    Market.MCX: "MCX commodities",
    Market.NSCOM: "NSE commodities",
}
"""Each market as a row or a menu names it, in the order in which they are shown."""

_ORDER = {market: place for place, market in enumerate(NAMES)}
_TOGETHER: tuple[tuple[frozenset[Market], str], ...] = (
    (frozenset(NAMES), "all markets"),
    (frozenset({Market.NSE, Market.BSE, Market.NFO, Market.BFO, Market.CDS, Market.BCD}), "shares, F&O, currency"),
    (frozenset({Market.NSE, Market.BSE, Market.NFO, Market.BFO}), "shares, F&O"),
    (frozenset({Market.NSE, Market.BSE}), "shares"),
    (frozenset({Market.NFO, Market.BFO}), "F&O"),
    (frozenset({Market.CDS, Market.BCD}), "currency"),
    (frozenset({Market.MCX, Market.NSCOM}), "commodities"),
)
"""Groups that are named in one go, the largest first."""


_SOON = 60
"""Days within which a line tells how far away it is."""
_LONGEST_NAME = 32
"""Letters of an occasion in a place that has room for few; its whole name is in the calendar."""


class EntryKind(StrEnum):
    """What makes a date worth a line. The value is the word in links and addresses."""

    HOLIDAY = "holiday"
    SPECIAL = "special"
    PART = "part"
    SETTLEMENT = "settlement"
    EXPIRY = "expiry"
    WEEKLY = "weekly"
    HOURS = "hours"


MARKS: Mapping[EntryKind, str] = {
    EntryKind.HOLIDAY: "H",
    EntryKind.SPECIAL: "S",
    EntryKind.PART: "P",
    EntryKind.SETTLEMENT: "₹",
    EntryKind.EXPIRY: "◆",
    EntryKind.WEEKLY: "◇",
    EntryKind.HOURS: "N",
}
"""One sign per kind, so that colour is never the only one."""
SOME_REST = "h"
"""A holiday on which shares trade: of currencies, say."""

KINDS: Mapping[EntryKind, tuple[str, str]] = {
    EntryKind.HOLIDAY: ("Holiday", "No trading"),
    EntryKind.SPECIAL: ("Special session", "Trading at hours of its own, or on a weekend"),
    EntryKind.PART: ("Part of the day", "Commodities: the morning or the evening only"),
    EntryKind.SETTLEMENT: ("Settlement holiday", "Trading, but the clearing house settles nothing"),
    EntryKind.EXPIRY: ("Monthly expiry", "Monthly contracts end"),
    EntryKind.WEEKLY: ("Weekly expiry", "Weekly index options end"),
    EntryKind.HOURS: ("New hours", "Hours change from this day on"),
}
"""Name and meaning of each kind."""

PHASE_NAMES: Mapping[Phase, str] = {
    Phase.PRE_OPEN: "Pre-open",
    Phase.OPEN: "Open",
    Phase.CLOSING_AUCTION: "Closing auction",
    Phase.POST_CLOSE: "Post-close",
    Phase.CLOSED: "Closed",
    Phase.UNKNOWN: "Unknown",
}


def group_words(markets: Iterable[Market]) -> str:
    """Markets in few words: "shares, F&O, currency", "MCX commodities", "all markets"."""
    left = set(markets)
    words: list[tuple[int, str]] = []
    for group, name in _TOGETHER:
        if group <= left:
            words.append((min(_ORDER[market] for market in group), name))
            left -= group
    words += [(_ORDER[market], NAMES[market]) for market in left]
    return ", ".join(name for _, name in sorted(words))


def ordered(markets: Iterable[Market]) -> tuple[Market, ...]:
    """The same markets in the order of the screens."""
    return tuple(sorted(set(markets), key=_ORDER.__getitem__))


def hours_words(plan: DayPlan) -> str:
    """When a market trades: "09:15–15:30", "17:00–23:55", "closed", "hours not published"."""
    if plan.trades is False:
        return "closed"
    if not plan.hours_known:
        return "not published" if plan.trades is None else "hours not published"
    return " and ".join(span(start, end) for start, end in plan.hours or _whole(plan))


def span(start: datetime, end: datetime) -> str:
    """Two instants as times in India: 09:15–15:30. Midnight as an end is 24:00."""
    last = end.astimezone(IST)
    closing = "24:00" if last.date() > start.astimezone(IST).date() else f"{last:%H:%M}"
    return f"{start.astimezone(IST):%H:%M}–{closing}"


def occasion(plan: DayPlan, now: datetime) -> str:
    """What makes the day of `now` another than an ordinary one, in few words: "Diwali Laxmi Pujan session", "Guru Nanak
    Jayanti". Empty on ordinary days, on weekends, and once the sessions of the day are over."""
    if plan.kind not in (DayKind.SPECIAL, DayKind.PARTIAL, DayKind.HOLIDAY):
        return ""
    if plan.windows and now >= plan.windows[-1].end:
        return ""
    name = plan.name.partition(" (")[0]
    if len(name) > _LONGEST_NAME:
        name = f"{name[: _LONGEST_NAME - 1].rstrip()}…"
    if plan.kind is not DayKind.SPECIAL:
        return name
    return f"{name or 'special'} session" if "session" not in name.casefold() else name


def session_words(plan: DayPlan, now: datetime) -> str:
    """The session of a day at hours of its own, with them: "Diwali Laxmi Pujan session: 18:15–19:15". Empty where there
    is none, or none any more."""
    day = occasion(plan, now)
    return f"{day}: {hours_words(plan)}" if plan.trades and day else ""


def stage_words(phase: Phase, stage: Stage) -> str:
    """The step within a phase where it says more than the phase itself."""
    return "" if stage is Stage.NONE or (phase is Phase.OPEN and stage is Stage.CONTINUOUS) else stage.value


def sentence(phase: PhaseNow) -> str:
    """All that is known of a phase, for a tooltip: what, why, what follows, who says so."""
    words = [PHASE_NAMES[phase.phase]]
    if stage := stage_words(phase.phase, phase.stage):
        words.append(f": {stage}")
    if phase.reason:
        words.append(f" ({phase.reason})")
    text = f"{''.join(words)}. "
    if phase.phase not in (Phase.CLOSED, Phase.UNKNOWN):
        text += f"The exchange takes {phase.accepts.value}. "
    if phase.until is not None:
        follows = f"then {PHASE_NAMES[phase.then].lower()}" if phase.then is not None else "then not known"
        text += f"Until {phase.until.astimezone(IST):%a %d %b, %H:%M} IST, {follows}. "
    if phase.source:
        text += f"Source: {phase.source}{'' if phase.confirmed else ', unconfirmed'}."
    elif not phase.confirmed:
        text += "Unconfirmed."
    return text.strip()


def day_words(day: date) -> str:
    """Tue 24 Nov 2026."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def listed(words: Sequence[str]) -> str:
    """a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def in_days(day: date, today: date) -> str:
    """today, tomorrow, in 3 days; empty for what is over or more than two months away."""
    ahead = (day - today).days
    if ahead < 0 or ahead > _SOON:
        return ""
    return {0: "today", 1: "tomorrow"}.get(ahead, f"in {ahead} days")


def _whole(plan: DayPlan) -> tuple[tuple[datetime, datetime], ...]:
    """A day without continuous trading has its windows told from first to last."""
    return ((plan.windows[0].start, plan.windows[-1].end),) if plan.windows else ()

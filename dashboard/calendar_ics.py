"""The calendar as an iCalendar file (RFC 5545), for the calendar programs of phones and computers.

Holidays, expiries and changes of hours are whole days; sessions with hours of their own are events in UTC, which every
program shows in its own zone. A date keeps its UID, so that a subscription moves events instead of doubling them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta

from icalendar import Calendar, Event
from icalendar.enums import STATUS, TRANSP

from dashboard.calendar_words import KINDS, NAMES, EntryKind
from dashboard.calendar_year import Entry, of_kinds, year_plan, years_to_choose
from services.domain.calendar.calendar import MarketCalendar
from services.domain.clock import ist_date
from services.domain.errors import InvalidRequest
from services.domain.phases import Market

PATH = "/calendar.ics"
MIME = "text/calendar; charset=utf-8"
USUAL_KINDS: tuple[EntryKind, ...] = tuple(kind for kind in EntryKind if kind is not EntryKind.WEEKLY)
"""What is in the file when nobody chooses: a weekly expiry each Tuesday and Thursday is more than most want."""
_PRODUCT = "-//Upstox Desk//Market calendar//EN"
_RENEW = timedelta(hours=12)
_DAY = timedelta(days=1)


def chosen_market(text: str | None) -> Market | None:
    """The market of that name; `None` for all. Raises `InvalidRequest` for any other word."""
    if text is None or text.lower() in ("", "all"):
        return None
    try:
        return Market(text.upper())
    except ValueError:
        raise InvalidRequest(f"there is no market of that name; there are {', '.join(Market)}") from None


def chosen_kinds(text: str | None) -> tuple[EntryKind, ...]:
    """The kinds named in `text`, separated by commas; the usual ones where nothing is named.

    Raises `InvalidRequest`.
    """
    if not text:
        return USUAL_KINDS
    try:
        wanted = {EntryKind(word.strip().lower()) for word in text.split(",")}
    except ValueError:
        raise InvalidRequest(f"there is no such kind; there are {', '.join(EntryKind)}") from None
    return tuple(kind for kind in EntryKind if kind in wanted)


def calendar_file(
    calendar: MarketCalendar,
    *,
    now: datetime,
    market: Market | None = None,
    kinds: Collection[EntryKind] = USUAL_KINDS,
) -> bytes:
    """The file: last year and every published year from then on."""
    name = "Indian markets" if market is None else NAMES[market]
    book = Calendar.new(
        prodid=_PRODUCT,
        name=f"{name}: trading calendar",
        description="Holidays, special sessions and expiries. Times of doubtful rows say that they are unconfirmed.",
        refresh_interval=_RENEW,
        uid=f"{_scope(market)}@upstox-desk",
    )
    book["REFRESH-INTERVAL"].params["VALUE"] = "DURATION"  # RFC 7986 wants it said, the library does not say it
    book.add("x-published-ttl", "PT12H")
    this_year = ist_date(now).year
    for year in (year for year in years_to_choose(this_year) if year >= this_year - 1):
        for event in _events(of_kinds(year_plan(calendar, year, market).entries, kinds), market, now):
            book.add_component(event)
    return bytes(book.to_ical())


def file_name(market: Market | None) -> str:
    return f"market-calendar-{_scope(market)}.ics"


def address(market: Market | None, kinds: Collection[EntryKind]) -> str:
    """The path of the file with these choices, for a subscription; what is usual is left out."""
    words = [] if market is None else [f"market={market.value}"]
    if set(kinds) != set(USUAL_KINDS):
        words.append(f"kinds={','.join(kind for kind in EntryKind if kind in kinds)}")
    return f"{PATH}?{'&'.join(words)}" if words else PATH


def _scope(market: Market | None) -> str:
    return "all" if market is None else market.value.lower()


def _events(entries: Iterable[Entry], market: Market | None, now: datetime) -> Iterator[Event]:
    scope = _scope(market)
    seen: dict[tuple[date, EntryKind], int] = {}
    for entry in entries:
        place = seen.get((entry.day, entry.kind), 0)
        for who, start, end in _times(entry):
            yield Event.new(
                uid=f"{entry.day.isoformat()}-{entry.kind}-{scope}-{place}@upstox-desk",
                summary=_summary(entry, who),
                description=_description(entry),
                start=start,
                end=end,
                stamp=now,
                status=None if entry.confirmed else STATUS.TENTATIVE,
                transparency=TRANSP.TRANSPARENT,
                categories=[KINDS[entry.kind][0]],
            )
            place += 1
        seen[entry.day, entry.kind] = place


def _times(entry: Entry) -> Iterator[tuple[str, date, date]]:
    """Whole days, but sessions whose hours are known: `(who, start, end)`."""
    if entry.kind in (EntryKind.SPECIAL, EntryKind.PART) and entry.sessions:
        yield from entry.sessions
    else:
        yield "", entry.day, entry.day + _DAY


def _summary(entry: Entry, who: str) -> str:
    doubt = "" if entry.confirmed else " (unconfirmed)"
    if entry.kind is EntryKind.HOLIDAY:
        return f"{entry.name}: {entry.hours_text}{doubt}"
    if who:
        return f"{entry.name}: {who}{doubt}"
    if entry.kind is EntryKind.SPECIAL:
        return f"{entry.name}: special session, hours not published{doubt}"
    if entry.kind in (EntryKind.EXPIRY, EntryKind.WEEKLY):
        return f"Expiry: {entry.name}{doubt}"
    if entry.kind is EntryKind.SETTLEMENT:
        return f"{entry.name}: settlement holiday{doubt}"
    return f"{entry.name}{doubt}"


def _description(entry: Entry) -> str:
    lines = [KINDS[entry.kind][1] + "."]
    lines += [f"{who}: {words}" if who else words for who, words in entry.hours]
    lines += [entry.note] if entry.note else []
    lines += [] if entry.confirmed else ["Unconfirmed."]
    lines += [f"Source: {entry.source}"] if entry.source else []
    return "\n".join([*lines, "Hours are Indian time."])

"""What must hold of every instant and every day, whatever the table says."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.calendar.calendar import BUNDLED, KNOWN_YEARS, MarketCalendar, known_until
from services.domain.calendar.days import DayKind, DayOverride, StatusOverride, market_of, midnight
from services.domain.clock import IST, ist_date
from services.domain.errors import InvalidRequest, UnknownInstrument
from services.domain.phases import TRADING, Listing, Market, Phase, PhaseNow
from tests.support.calendar_instants import at

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
EVERY = frozenset(Phase)
MARKETS = st.sampled_from(list(Market))
LISTINGS = st.sampled_from(list(Listing))
DAYS = st.dates(date(2018, 12, 20), date(2027, 1, 10))
KNOWN_DAYS = st.dates(date(2019, 1, 1), date(2026, 12, 31))
WHOLE_MINUTES = st.integers(0, 24 * 60 - 1).map(lambda minute: timedelta(minutes=minute))
ANY_OFFSET = st.timedeltas(timedelta(0), DAY - TICK)
INSTANTS = st.builds(lambda day, offset: midnight(day) + offset, DAYS, st.one_of(WHOLE_MINUTES, ANY_OFFSET))


def key(now: PhaseNow) -> tuple[object, ...]:
    return now.phase, now.stage, now.accepts


@given(MARKETS, LISTINGS, INSTANTS)
def test_an_answer_holds_until_its_end_and_not_at_it(market: Market, listing: Listing, instant: datetime) -> None:
    now = BUNDLED.phase(market, instant, listing=listing)
    if now.until is None:
        assert now.then is None
        assert now.phase is Phase.UNKNOWN
        return
    assert now.until > instant
    last = BUNDLED.phase(market, now.until - TICK, listing=listing)
    following = BUNDLED.phase(market, now.until, listing=listing)

    assert key(last) == key(now)
    assert last.until == now.until
    assert key(following) != key(now)
    assert following.phase is now.then


@given(MARKETS, LISTINGS, INSTANTS, st.floats(0, 0.999))
def test_nothing_changes_before_the_end_that_was_told(
    market: Market, listing: Listing, instant: datetime, share: float
) -> None:
    now = BUNDLED.phase(market, instant, listing=listing)
    if now.until is None:
        return
    between = instant + (now.until - instant) * share

    assert key(BUNDLED.phase(market, between, listing=listing)) == key(now)


@given(MARKETS, LISTINGS, INSTANTS)
def test_exactly_one_phase_holds_and_sessions_tell_the_same(
    market: Market, listing: Listing, instant: datetime
) -> None:
    now = BUNDLED.phase(market, instant, listing=listing)
    day = ist_date(instant)
    whole = BUNDLED.sessions(market, midnight(day), midnight(day + DAY), listing=listing, phases=EVERY)
    holding = [one for one in whole.windows if one.start <= instant < one.end]

    assert len(holding) <= 1
    if holding:
        assert (now.phase, now.stage, now.accepts) == (holding[0].phase, holding[0].stage, holding[0].accepts)
    else:
        assert now.phase is (Phase.UNKNOWN if day in whole.unknown else Phase.CLOSED)


@given(MARKETS, LISTINGS, DAYS)
def test_the_windows_of_a_day_are_ascending_disjoint_and_within_it(market: Market, listing: Listing, day: date) -> None:
    plan = BUNDLED.day(market, day, listing=listing)
    edges = [edge for one in plan.windows for edge in (one.start, one.end)]

    assert edges == sorted(edges)
    assert all(one.start < one.end for one in plan.windows)
    assert all(midnight(day) <= edge <= midnight(day + DAY) for edge in edges)
    assert all(one.phase not in (Phase.CLOSED, Phase.UNKNOWN) for one in plan.windows)
    assert bool(plan.windows) <= bool(plan.trades)
    if plan.trades and plan.hours_known:
        assert plan.opens is not None
        assert plan.closes is not None
        assert plan.opens < plan.closes


@given(MARKETS, st.integers(0, 400), DAYS, ANY_OFFSET)
def test_sessions_between_two_instants_are_those_of_its_days_clipped(
    market: Market, length: int, day: date, offset: timedelta
) -> None:
    start = midnight(day) + offset
    end = start + timedelta(hours=length)
    found = BUNDLED.sessions(market, start, end)

    assert all(start <= one.start < one.end <= end for one in found.windows)
    assert all(one.phase in TRADING for one in found.windows)
    middle = start + (end - start) / 2
    parts = [BUNDLED.sessions(market, start, middle), BUNDLED.sessions(market, middle, end)]
    assert sum(((one.end - one.start) for part in parts for one in part.windows), timedelta(0)) == sum(
        ((one.end - one.start) for one in found.windows), timedelta(0)
    )
    assert {day for part in parts for day in part.unknown} == set(found.unknown)


def test_sessions_of_no_time_at_all_are_none() -> None:
    assert BUNDLED.sessions(Market.NSE, at("2026-11-20T10:00"), at("2026-11-20T10:00")).windows == ()
    assert BUNDLED.sessions(Market.NSE, at("2027-01-04T10:00"), at("2027-01-04T10:00")).unknown == ()
    assert BUNDLED.sessions(Market.NSE, at("2026-11-20T10:00"), at("2026-11-19T10:00")).windows == ()


def test_unpublished_days_are_named_beside_the_sessions() -> None:
    found = BUNDLED.sessions(Market.NSE, at("2026-11-06T16:00"), at("2026-11-09T10:00"), phases={Phase.OPEN})

    assert found.unknown == (date(2026, 11, 8),)
    assert [(one.start, one.end) for one in found.windows] == [(at("2026-11-09T09:15"), at("2026-11-09T10:00"))]
    new_year = BUNDLED.sessions(Market.MCX, at("2026-12-31T23:00"), at("2027-01-02T12:00"))
    assert new_year.unknown == (date(2027, 1, 1), date(2027, 1, 2))
    assert [one.end for one in new_year.windows] == [at("2026-12-31T23:55")]


@given(MARKETS, KNOWN_DAYS)
def test_the_trading_day_after_is_the_first_one(market: Market, day: date) -> None:
    after = BUNDLED.trading_day_after(market, day)

    assert after is None or after > day
    between = [] if after is None else [day + timedelta(days=far) for far in range(1, (after - day).days + 1)]
    assert [BUNDLED.is_trading_day(market, one) for one in between[-1:]] == [True][: len(between)]
    assert not any(BUNDLED.is_trading_day(market, one) for one in between[:-1])


def test_the_way_to_a_trading_day_never_leads_through_days_not_published() -> None:
    assert BUNDLED.trading_day_after(Market.NSE, date(2026, 12, 31)) is None
    assert BUNDLED.trading_day_after(Market.NSE, date(2026, 12, 30)) == date(2026, 12, 31)
    assert BUNDLED.trading_day_after(Market.MCX, date(2020, 1, 31)) == date(2020, 2, 1)
    assert BUNDLED.trading_day_after(Market.NSE, date(2026, 11, 6)) == date(2026, 11, 8)


@pytest.mark.parametrize("market", list(Market))
def test_what_is_known_ends_with_2026_although_winter_hours_go_on(market: Market) -> None:
    assert known_until(market) == date(2026, 12, 31)
    assert KNOWN_YEARS[-1] == 2026
    assert BUNDLED.is_trading_day(market, date(2027, 1, 4)) is None
    assert BUNDLED.day(market, date(2027, 3, 1)).kind is DayKind.UNKNOWN


@pytest.fixture
def _zone_restored() -> Iterator[None]:
    before = os.environ.get("TZ")
    yield
    if before is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("_zone_restored")
@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of this system cannot be changed within a process")
def test_the_host_s_zone_changes_no_answer() -> None:
    instants = [
        midnight(date(2026, 3, 7)) + timedelta(hours=hour) for hour in range(0, 24 * 280, 5)
    ]  # across both changes of New York's clocks and of Auckland's
    answers = []
    for zone in ("UTC", "America/New_York", "Pacific/Auckland"):
        os.environ["TZ"] = zone
        time.tzset()
        calendar = MarketCalendar()
        answers.append(
            [
                (calendar.phase(market, instant), calendar.day(market, ist_date(instant)))
                for instant in instants
                for market in (Market.NSE, Market.MCX)
            ]
        )

    assert answers[0] == answers[1] == answers[2]


@given(MARKETS, INSTANTS)
def test_the_zone_in_which_an_instant_is_written_changes_no_answer(market: Market, instant: datetime) -> None:
    answer = BUNDLED.phase(market, instant)
    for zone in (IST, timezone(timedelta(hours=-11)), ZoneInfo("America/New_York"), ZoneInfo("Pacific/Auckland")):
        assert BUNDLED.phase(market, instant.astimezone(zone)) == answer


def test_an_instant_without_a_zone_is_refused() -> None:
    naive = at("2026-11-20T10:00").replace(tzinfo=None)
    with pytest.raises(InvalidRequest, match="time zone"):
        BUNDLED.phase(Market.NSE, naive)
    with pytest.raises(InvalidRequest, match="time zone"):
        BUNDLED.sessions(Market.NSE, naive, at("2026-11-20T11:00"))


def test_every_answer_is_in_utc() -> None:
    now = BUNDLED.phase(Market.NSE, at("2026-11-20T10:00"))
    assert now.until is not None
    assert now.until.tzinfo is UTC
    clipped = BUNDLED.sessions(Market.NSE, at("2026-11-20T10:00"), at("2026-11-20T11:00")).windows[0]
    assert clipped.start.tzinfo is UTC
    assert clipped.end.tzinfo is UTC


@pytest.mark.parametrize(
    ("word", "market"),
    [
        ("NSE_EQ", Market.NSE), ("NSE_INDEX|Nifty 50", Market.NSE), ("NSE_FO", Market.NFO), ("NCD_FO", Market.CDS),
        ("BCD_FO", Market.BCD), ("MCX_FO|12345", Market.MCX), ("MCX_INDEX", Market.MCX), ("NSE_COM", Market.NSCOM),
        ("BSE_EQ", Market.BSE), ("BSE_INDEX", Market.BSE), ("BSE_FO", Market.BFO), ("NFO", Market.NFO),
    ],
)  # fmt: skip
def test_a_segment_or_a_key_has_its_market(word: str, market: Market) -> None:
    assert market_of(word) is market


@pytest.mark.parametrize("word", ["", "NYSE", "GLOBAL_INDEX|SGX NIFTY", "nse_eq"])
def test_a_segment_whose_hours_nobody_here_knows_is_refused(word: str) -> None:
    with pytest.raises(UnknownInstrument):
        market_of(word)


def test_the_named_days_of_2026_tell_who_is_closed_and_who_trades() -> None:
    named = {one.day: one for one in BUNDLED.named_days(2026)}

    diwali = named[date(2026, 11, 10)]
    assert diwali.kind is DayKind.HOLIDAY
    assert Market.MCX in diwali.open
    assert {Market.NSE, Market.BFO, Market.CDS} <= set(diwali.closed)
    assert diwali.windows[Market.MCX][0].start == at("2026-11-10T17:00")
    shivaji = named[date(2026, 2, 19)]
    assert shivaji.kind is DayKind.TRADING
    assert not shivaji.settles
    assert shivaji.plan(Market.NSE).settlement_holiday
    assert shivaji.closed == (Market.CDS, Market.BCD)
    assert named[date(2026, 2, 1)].kind is DayKind.SPECIAL
    assert named[date(2026, 1, 1)].name == "New Year"
    assert named[date(2026, 1, 1)].kind is DayKind.PARTIAL
    assert not named[date(2026, 11, 8)].confirmed
    assert list(named) == sorted(named)
    assert len(named) == 16 + 4 + 2 + 1


def test_the_named_days_of_one_market_are_its_own() -> None:
    mcx = {one.day: one for one in BUNDLED.named_days(2026, Market.MCX)}

    assert date(2026, 8, 26) in mcx  # it trades, and its clearing house rests
    assert mcx[date(2026, 12, 25)].closed == (Market.MCX,)
    assert len(BUNDLED.named_days(2026, Market.NSE)) == 16 + 4 + 2
    with pytest.raises(InvalidRequest):
        mcx[date(2026, 12, 25)].plan(Market.NSE)
    assert BUNDLED.named_days(2027) == ()


def test_a_calendar_is_not_changed_by_another() -> None:
    day = date(2026, 11, 20)
    closed = MarketCalendar([DayOverride(Market.NSE, day, (), "Mourning", "TRADING_HOLIDAY", "the broker")])
    claim = StatusOverride(Market.NSE, "NORMAL_CLOSE", at("2026-11-20T10:00"), at("2026-11-20T11:00"))
    halted = MarketCalendar(statuses=[claim])

    assert closed.phase(Market.NSE, at("2026-11-20T10:30")).phase is Phase.CLOSED
    assert halted.phase(Market.NSE, at("2026-11-20T10:30")).phase is Phase.CLOSED
    assert BUNDLED.phase(Market.NSE, at("2026-11-20T10:30")).phase is Phase.OPEN
    assert closed.phase(Market.BSE, at("2026-11-20T10:30")).phase is Phase.OPEN

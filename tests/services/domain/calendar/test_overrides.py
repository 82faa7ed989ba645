"""What the broker says of a day and of now, laid over the table."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.calendar.calendar import BUNDLED, MarketCalendar
from services.domain.calendar.days import DayKind, DayOverride, StatusOverride, midnight
from services.domain.calendar.statuses import MEANINGS, meaning
from services.domain.errors import InvalidRequest
from services.domain.phases import Accepts, Listing, Market, Phase, Stage
from tests.support.calendar_instants import at

TICK = timedelta(microseconds=1)


def hours(day: str, *stretches: tuple[str, str]) -> tuple[tuple[datetime, datetime], ...]:
    return tuple((at(f"{day}T{start}"), at(f"{day}T{end}")) for start, end in stretches)


def said(market: Market, day: str, *stretches: tuple[str, str], kind: str = "", name: str = "") -> MarketCalendar:
    told = DayOverride(market, date.fromisoformat(day), hours(day, *stretches), name, kind, "the broker")
    return MarketCalendar([told])


def test_a_holiday_declared_today_closes_the_day_and_moves_what_follows() -> None:
    calendar = said(Market.NSE, "2026-11-20", kind="TRADING_HOLIDAY", name="Mourning")

    now = calendar.phase(Market.NSE, at("2026-11-20T11:00"))
    assert (now.phase, now.reason, now.source) == (Phase.CLOSED, "Mourning", "the broker")
    assert now.until == at("2026-11-23T09:00")
    assert calendar.phase(Market.NSE, at("2026-11-19T17:00")).until == at("2026-11-23T09:00")
    assert calendar.trading_day_after(Market.NSE, date(2026, 11, 19)) == date(2026, 11, 23)
    assert calendar.day(Market.NSE, date(2026, 11, 20)).kind is DayKind.HOLIDAY
    assert [one.name for one in calendar.named_days(2026) if one.day == date(2026, 11, 20)] == ["Mourning"]


def test_hours_as_the_table_has_them_keep_its_detail() -> None:
    calendar = said(Market.NSE, "2026-11-20", ("09:15", "15:30"))

    assert calendar.day(Market.NSE, date(2026, 11, 20)).windows == BUNDLED.day(Market.NSE, date(2026, 11, 20)).windows
    assert calendar.phase(Market.NSE, at("2026-11-20T09:05")).phase is Phase.PRE_OPEN
    auction = calendar.phase(Market.NSE, at("2026-11-20T15:20"), listing=Listing.AUCTION)
    assert (auction.phase, auction.stage) == (Phase.CLOSING_AUCTION, Stage.ORDERS)


def test_other_hours_stand_alone() -> None:
    calendar = said(Market.NSE, "2026-11-08", ("18:00", "19:00"), kind="SPECIAL_TIMING", name="Muhurat")
    day = date(2026, 11, 8)

    assert calendar.day(Market.NSE, day).kind is DayKind.SPECIAL
    assert calendar.phase(Market.NSE, at("2026-11-08T17:50")).phase is Phase.CLOSED
    assert calendar.phase(Market.NSE, at("2026-11-08T18:00")).phase is Phase.OPEN
    assert calendar.phase(Market.NSE, at("2026-11-08T18:00"), listing=Listing.AUCTION).until == at("2026-11-08T19:00")
    assert calendar.phase(Market.NSE, at("2026-11-07T12:00")).until == at("2026-11-08T18:00")
    assert BUNDLED.phase(Market.NSE, at("2026-11-08T18:00")).phase is Phase.UNKNOWN


def test_a_holiday_of_the_table_that_the_broker_trades_has_ordinary_hours() -> None:
    calendar = said(Market.NSE, "2026-11-24", ("09:15", "15:30"))

    plan = calendar.day(Market.NSE, date(2026, 11, 24))
    assert plan.kind is DayKind.TRADING
    assert calendar.phase(Market.NSE, at("2026-11-24T09:05")).phase is Phase.PRE_OPEN


def test_a_day_of_an_unpublished_year_is_known_where_the_broker_tells_it() -> None:
    calendar = said(Market.NSE, "2027-01-04", ("09:15", "15:30"))

    assert calendar.day(Market.NSE, date(2027, 1, 4)).kind is DayKind.TRADING
    before = calendar.phase(Market.NSE, at("2027-01-02T11:00"))
    assert (before.phase, before.until, before.then) == (Phase.UNKNOWN, at("2027-01-04T00:00"), Phase.CLOSED)
    assert calendar.phase(Market.NSE, at("2027-01-04T16:00")).until == at("2027-01-05T00:00")
    assert calendar.phase(Market.NSE, at("2027-01-05T11:00")).until is None
    assert calendar.trading_day_after(Market.NSE, date(2027, 1, 3)) == date(2027, 1, 4)
    assert [one.day for one in calendar.named_days(2027)] == []


def test_a_settlement_holiday_trades_and_does_not_settle() -> None:
    calendar = said(Market.NSE, "2026-11-20", ("09:15", "15:30"), kind="SETTLEMENT_HOLIDAY", name="Banks closed")

    plan = calendar.day(Market.NSE, date(2026, 11, 20))
    assert plan.trades
    assert plan.settlement_holiday
    assert plan.name == "Banks closed"


def test_a_commodity_evening_told_by_the_broker_is_part_of_a_day() -> None:
    calendar = said(Market.MCX, "2026-11-20", ("17:00", "23:55"), kind="TRADING_HOLIDAY", name="Poll")

    assert calendar.day(Market.MCX, date(2026, 11, 20)).kind is DayKind.PARTIAL
    assert calendar.phase(Market.MCX, at("2026-11-20T12:00")).until == at("2026-11-20T17:00")
    agricultural = calendar.day(Market.MCX, date(2026, 11, 20), listing=Listing.AGRICULTURAL)
    assert agricultural.windows == ()
    assert agricultural.trades is False


@pytest.mark.parametrize(
    ("market", "listing"),
    [
        (Market.MCX, Listing.AGRICULTURAL),
        (Market.CDS, Listing.EXPIRING_CURRENCY),
        (Market.NFO, Listing.EXPIRING_INDEX),
        (Market.NSE, Listing.AGRICULTURAL),
    ],
)
def test_a_session_at_hours_of_its_own_is_for_all_contracts(market: Market, listing: Listing) -> None:
    calendar = said(market, "2026-12-13", ("18:15", "19:15"), kind="SPECIAL_TIMING", name="Muhurat")

    plan = calendar.day(market, date(2026, 12, 13), listing=listing)
    assert plan.kind is DayKind.SPECIAL
    assert plan.hours == hours("2026-12-13", ("18:15", "19:15"))


def test_contracts_that_stop_earlier_do_so_within_other_hours_too() -> None:
    calendar = said(Market.MCX, "2026-11-20", ("10:00", "20:00"))
    plan = calendar.day(Market.MCX, date(2026, 11, 20), listing=Listing.AGRICULTURAL)
    assert plan.hours == hours("2026-11-20", ("10:00", "17:00"))

    shares = said(Market.NSE, "2026-11-20", ("10:00", "16:30"))
    alien = shares.day(Market.NSE, date(2026, 11, 20), listing=Listing.AGRICULTURAL)
    assert alien.hours == hours("2026-11-20", ("10:00", "16:30")), "a listing that the market does not have"


def test_hours_round_the_clock_have_no_seam_at_midnight() -> None:
    day = date(2026, 11, 20)
    everyday = [
        DayOverride(Market.NSE, one, ((midnight(one), midnight(one + timedelta(days=1))),))
        for one in (day, day + timedelta(days=1))
    ]
    now = MarketCalendar(everyday).phase(Market.NSE, at("2026-11-20T11:00"))

    assert now.phase is Phase.OPEN
    assert now.until == at("2026-11-22T00:00")


def test_hours_that_reach_beyond_their_day_are_cut_to_it_and_overlaps_joined() -> None:
    day = date(2026, 11, 20)
    wild = DayOverride(
        Market.NSE,
        day,
        ((at("2026-11-20T12:00"), at("2026-11-21T09:00")), (at("2026-11-20T10:00"), at("2026-11-20T13:00"))),
    )
    assert MarketCalendar([wild]).day(Market.NSE, day).hours == ((at("2026-11-20T10:00"), at("2026-11-21T00:00")),)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (at("2026-11-20T10:00"), at("2026-11-20T10:00")),
        (at("2026-11-20T11:00"), at("2026-11-20T10:00")),
        (at("2026-11-20T10:00").replace(tzinfo=None), at("2026-11-20T11:00").replace(tzinfo=None)),
    ],
)
def test_hours_that_are_no_stretch_of_time_are_refused(start: datetime, end: datetime) -> None:
    with pytest.raises(InvalidRequest):
        DayOverride(Market.NSE, date(2026, 11, 20), ((start, end),))
    with pytest.raises(InvalidRequest):
        StatusOverride(Market.NSE, "NORMAL_OPEN", start, end)


def halted(status: str, since: str, until: str, market: Market = Market.NSE) -> MarketCalendar:
    return MarketCalendar(statuses=[StatusOverride(market, status, at(since), at(until))])


def test_a_status_that_differs_is_followed_while_it_is_believed() -> None:
    calendar = halted("NORMAL_CLOSE", "2026-11-20T13:00", "2026-11-20T13:45")

    assert calendar.phase(Market.NSE, at("2026-11-20T12:59:59")).phase is Phase.OPEN
    assert calendar.phase(Market.NSE, at("2026-11-20T12:59:59")).until == at("2026-11-20T13:00")
    assert calendar.phase(Market.NSE, at("2026-11-20T12:59:59")).then is Phase.CLOSED
    stopped = calendar.phase(Market.NSE, at("2026-11-20T13:00"))
    assert (stopped.phase, stopped.accepts) == (Phase.CLOSED, Accepts.NOTHING)
    assert stopped.until == at("2026-11-20T13:45")
    assert stopped.then is Phase.OPEN
    assert stopped.reason == "the broker says so"
    assert calendar.phase(Market.NSE, at("2026-11-20T13:45")).phase is Phase.OPEN
    assert calendar.phase(Market.BSE, at("2026-11-20T13:00")).phase is Phase.OPEN


def test_a_status_that_agrees_changes_nothing() -> None:
    calendar = halted("NORMAL_OPEN", "2026-11-20T13:00", "2026-11-20T15:00")

    assert calendar.phase(Market.NSE, at("2026-11-20T13:30")) == BUNDLED.phase(Market.NSE, at("2026-11-20T13:30"))


def test_a_market_that_is_open_leaves_its_shares_in_their_closing_auction() -> None:
    calendar = halted("NORMAL_OPEN", "2026-11-20T15:00", "2026-11-20T15:29")

    now = calendar.phase(Market.NSE, at("2026-11-20T15:21"), listing=Listing.AUCTION)
    assert (now.phase, now.stage) == (Phase.CLOSING_AUCTION, Stage.ORDERS)
    assert calendar.agrees(Market.NSE, "NORMAL_OPEN", at("2026-11-20T15:21"))
    assert calendar.agrees(Market.NSE, "CAS_START", at("2026-11-20T15:21"))
    assert calendar.phase(Market.NSE, at("2026-11-20T15:21")).phase is Phase.OPEN


@pytest.mark.parametrize("word", ["", "OPEN", "HALTED", "NORMAL_OPENED", "closed for ever"])
def test_a_status_in_an_unknown_word_is_never_open(word: str) -> None:
    calendar = halted(word, "2026-11-20T13:00", "2026-11-20T13:30")
    now = calendar.phase(Market.NSE, at("2026-11-20T13:10"))

    assert now.phase is Phase.UNKNOWN
    assert now.accepts is Accepts.NOTHING
    assert not now.confirmed
    assert not calendar.agrees(Market.NSE, word, at("2026-11-20T13:10"))
    assert not BUNDLED.agrees(Market.NSE, word, at("2027-01-04T13:10"))  # two who do not know do not agree


@pytest.mark.parametrize(
    ("word", "phase", "stage"),
    [
        ("PRE_OPEN_START", Phase.PRE_OPEN, Stage.ORDERS),
        ("PRE_OPEN_M_END", Phase.PRE_OPEN, Stage.LIMIT_ONLY),
        ("PRE_OPEN_END", Phase.PRE_OPEN, Stage.MATCHING),
        ("NORMAL_OPEN", Phase.OPEN, Stage.CONTINUOUS),
        ("NORMAL_CLOSE", Phase.CLOSED, Stage.NONE),
        ("CLOSING_START", Phase.POST_CLOSE, Stage.CLOSING_PRICE),
        ("CLOSING_END", Phase.CLOSED, Stage.NONE),
        ("CTS_CLOSE", Phase.CLOSING_AUCTION, Stage.REFERENCE),
        ("CAS_LM_START", Phase.CLOSING_AUCTION, Stage.ORDERS),
        ("CAS_M_STOP", Phase.CLOSING_AUCTION, Stage.LIMIT_ONLY),
        ("CAS_STOP", Phase.CLOSING_AUCTION, Stage.MATCHING),
        ("CAS_SESSION_1", Phase.CLOSING_AUCTION, Stage.NONE),
        ("CLOSING_AUCTION_START", Phase.CLOSING_AUCTION, Stage.NONE),
        ("normal_open", Phase.OPEN, Stage.CONTINUOUS),
        ("MAINTENANCE", Phase.UNKNOWN, Stage.NONE),
    ],
)
def test_each_word_has_its_meaning(word: str, phase: Phase, stage: Stage) -> None:
    assert meaning(word)[:2] == (phase, stage)


@pytest.mark.parametrize(
    ("word", "moment", "fits"),
    [
        ("PRE_OPEN_START", "2026-11-20T09:02", True),
        ("PRE_OPEN_END", "2026-11-20T09:02", False),
        ("PRE_OPEN_END", "2026-11-20T09:11", True),
        ("NORMAL_OPEN", "2026-11-20T09:11", False),
        ("NORMAL_CLOSE", "2026-11-20T15:45", True),
        ("CLOSING_START", "2026-11-20T15:55", True),
        ("CLOSING_END", "2026-11-20T16:00", True),
        ("NORMAL_OPEN", "2026-11-24T11:00", False),
        ("NORMAL_CLOSE", "2026-12-07T15:35", True),
    ],
)
def test_whether_a_word_fits_the_table(word: str, moment: str, fits: bool) -> None:
    assert BUNDLED.agrees(Market.NSE, word, at(moment)) is fits


def test_mcx_is_closed_to_the_broker_while_orders_can_only_be_cancelled() -> None:
    assert BUNDLED.agrees(Market.MCX, "NORMAL_CLOSE", at("2026-11-20T08:50"))
    assert not BUNDLED.agrees(Market.MCX, "NORMAL_CLOSE", at("2026-11-20T09:05"))


CLAIMS = st.lists(
    st.builds(
        lambda word, start, length: StatusOverride(
            Market.NSE,
            word,
            at("2026-11-20T08:00") + timedelta(minutes=start),
            at("2026-11-20T08:00") + timedelta(minutes=start + length),
        ),
        st.sampled_from([*MEANINGS, "CAS_START", "WHATEVER"]),
        st.integers(0, 600),
        st.integers(1, 300),
    ),
    min_size=1,
    max_size=4,
)


@given(CLAIMS, st.integers(-60, 700), st.sampled_from([Listing.ORDINARY, Listing.AUCTION]))
def test_with_any_claims_an_answer_holds_until_its_end_and_not_at_it(
    claims: list[StatusOverride], minute: int, listing: Listing
) -> None:
    calendar = MarketCalendar(statuses=claims)
    instant = at("2026-11-20T08:00") + timedelta(minutes=minute)
    now = calendar.phase(Market.NSE, instant, listing=listing)
    assert now.until is not None
    last = calendar.phase(Market.NSE, now.until - TICK, listing=listing)
    following = calendar.phase(Market.NSE, now.until, listing=listing)

    assert (last.phase, last.stage, last.accepts, last.until) == (now.phase, now.stage, now.accepts, now.until)
    assert (following.phase, following.stage, following.accepts) != (now.phase, now.stage, now.accepts)
    assert following.phase is now.then


@pytest.mark.parametrize(
    ("told", "name", "note"),
    [
        ("Diwali Laxmi Pujan (muhurat)", "Diwali Laxmi Pujan", "muhurat"),
        ("Diwali Laxmi Pujan (muhurat) (evening)", "Diwali Laxmi Pujan", "muhurat; evening"),
        ("Diwali Laxmi Pujan", "Diwali Laxmi Pujan", ""),
        ("", "Diwali Laxmi Pujan", ""),
        ("Muhurat (evening)", "Muhurat (evening)", ""),
    ],
)
def test_an_occasion_keeps_the_tables_name_and_what_the_broker_adds_stands_beside_it(told, name, note):
    day = said(Market.NSE, "2026-11-08", ("18:15", "19:15"), kind="SPECIAL_TIMING", name=told)
    plan = day.day(Market.NSE, date(2026, 11, 8))

    assert (plan.name, plan.note) == (name, note)

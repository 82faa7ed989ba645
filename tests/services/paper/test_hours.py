from __future__ import annotations

from datetime import date

import pytest

from services.domain.clock import epoch_ms
from services.domain.phases import Listing, Market, Phase
from services.paper.hours import Auction, Group, Hours, auction_stop, group_of, print_second, windows
from tests.support.paper_market import ist

REAL = Hours(practice=False)
PRACTICE = Hours(practice=True)


@pytest.mark.parametrize(
    ("segment", "group"),
    [("NSE_EQ", Group.EQUITY), ("BSE_FO", Group.EQUITY), ("NCD_FO", Group.CURRENCY), ("MCX_FO", Group.COMMODITY)],
)
def test_segments_share_hours_by_group(segment: str, group: Group) -> None:
    assert group_of(segment) is group


def test_shares_stop_before_their_derivatives() -> None:
    session = REAL.session(Group.EQUITY, date(2026, 11, 20))

    assert session.start_ms == epoch_ms(ist("2026-11-20 09:15:00"))
    assert (session.minutes, session.settle_minute) == (385, 375)
    assert REAL.end_minute("NSE_EQ", session) == 375
    assert REAL.end_minute("NSE_FO", session) == 385
    assert REAL.end_minute("GLOBAL_INDICATOR", session) == 375, "what no exchange's hours are known for"


@pytest.mark.parametrize(
    ("day", "auction", "minutes"),
    [
        (date(2026, 7, 31), None, 375),
        (date(2026, 8, 3), Auction(360, 375), 385),
        (date(2026, 12, 4), Auction(360, 375), 385),
        (date(2026, 12, 7), Auction(375, 385), 390),
    ],
)
def test_the_closing_auction_by_date(day: date, auction: Auction | None, minutes: int) -> None:
    session = REAL.session(Group.EQUITY, day)

    assert (session.auction, session.minutes, session.settle_minute) == (auction, minutes, 375)
    assert session.settles(auction=False) == 375
    assert session.settles(auction=True) == (auction.end_minute if auction else 375)
    assert REAL.end_minute("BSE_EQ", session, Listing.AUCTION) == session.settles(auction=True)
    assert REAL.end_minute("BSE_EQ", session) == 375


@pytest.mark.parametrize("day", [date(2026, 8, 3), date(2026, 11, 20), date(2026, 12, 7), date(2026, 12, 31)])
def test_the_auctions_result_is_out_within_its_last_two_minutes(day: date) -> None:
    session = REAL.session(Group.EQUITY, day)
    assert session.auction is not None
    end = session.auction.end_minute * 60
    stop = auction_stop("NSE", ist(f"{day} {'15:40' if day >= date(2026, 12, 7) else '15:30'}:00"))

    printed = print_second("NSE", session)

    assert end - 120 < printed < end
    assert printed % 60 != 0
    assert epoch_ms(stop) < session.start_ms + printed * 1000
    assert print_second("NSE", session) == printed


def test_contracts_on_their_last_day_end_earlier() -> None:
    december, november = REAL.session(Group.EQUITY, date(2026, 12, 29)), REAL.session(Group.EQUITY, date(2026, 11, 23))
    currency = REAL.session(Group.CURRENCY, date(2026, 11, 26))

    assert REAL.end_minute("NSE_FO", december, Listing.EXPIRING_INDEX) == 375
    assert REAL.end_minute("NSE_FO", december) == 390
    assert REAL.end_minute("NSE_FO", november, Listing.EXPIRING_INDEX) == 385
    assert REAL.end_minute("NCD_FO", currency, Listing.EXPIRING_CURRENCY) == 210


@pytest.mark.parametrize(
    ("day", "starts", "minutes"),
    [
        ("2026-02-01", "2026-02-01 09:15:00", 375),
        ("2025-02-01", "2025-02-01 09:15:00", 375),
        ("2025-10-21", "2025-10-21 13:45:00", 60),
        ("2024-11-01", "2024-11-01 18:00:00", 60),
    ],
)
def test_special_sessions_are_held_at_their_hours(day: str, starts: str, minutes: int) -> None:
    assert REAL.trades(Group.EQUITY, date.fromisoformat(day))

    session = REAL.session(Group.EQUITY, date.fromisoformat(day))

    assert (session.start_ms, session.minutes) == (epoch_ms(ist(starts)), minutes)
    assert session.auction is None


def test_a_saturday_in_two_parts_has_a_pause() -> None:
    session = REAL.session(Group.EQUITY, date(2024, 3, 2))

    assert session.start_ms == epoch_ms(ist("2024-03-02 09:15:00"))
    assert session.pause == (45, 135)
    assert session.minutes >= 195
    assert not REAL.trades(Group.CURRENCY, date(2024, 3, 2))


def test_an_evening_without_announced_hours_is_held_at_the_customary_ones() -> None:
    session = REAL.session(Group.EQUITY, date(2026, 11, 8))

    assert REAL.trades(Group.EQUITY, date(2026, 11, 8))
    assert (session.start_ms, session.minutes) == (epoch_ms(ist("2026-11-08 18:15:00")), 60)
    assert windows(Market.NSE, date(2026, 11, 8))[0].phase is Phase.PRE_OPEN


@pytest.mark.parametrize("year", [2016, 2018, 2027, 2030])
def test_unpublished_years_have_every_weekday(year: int) -> None:
    monday = date(year, 6, 7)
    monday = monday.replace(day=7 - monday.weekday() + 7)

    for group in Group:
        assert REAL.trades(group, monday)
        assert REAL.session(group, monday).minutes >= 375
    assert not REAL.trades(Group.EQUITY, monday.replace(day=monday.day - 1))


def test_the_last_session_stands_at_night_and_on_holidays() -> None:
    for text in ("2026-11-23 09:14:59", "2026-11-22 12:00:00", "2026-11-20 23:00:00"):
        session, second = REAL.locate(Group.EQUITY, epoch_ms(ist(text)))

        assert (session.day, second) == (date(2026, 11, 20), 385 * 60 - 1)

    monday, second = REAL.locate(Group.EQUITY, epoch_ms(ist("2026-11-23 09:15:07")))
    assert (monday.day, second) == (date(2026, 11, 23), 7)


def test_commodities_trade_in_the_evening_of_a_share_holiday() -> None:
    holiday = date(2026, 11, 24)

    session = REAL.session(Group.COMMODITY, holiday)

    assert not REAL.trades(Group.EQUITY, holiday)
    assert REAL.trades(Group.COMMODITY, holiday)
    assert session.start_ms == epoch_ms(ist("2026-11-24 17:00:00"))
    assert session.minutes == 6 * 60 + 55  # to 23:55 while the United States are off daylight saving time


def test_commodities_trade_in_the_morning_of_a_new_year() -> None:
    session = REAL.session(Group.COMMODITY, date(2026, 1, 1))

    assert REAL.trades(Group.EQUITY, date(2026, 1, 1))
    assert (session.start_ms, session.minutes) == (epoch_ms(ist("2026-01-01 09:00:00")), 8 * 60)


def test_commodities_close_earlier_in_american_summer() -> None:
    assert REAL.session(Group.COMMODITY, date(2026, 10, 30)).minutes == 14 * 60 + 30
    assert REAL.session(Group.COMMODITY, date(2026, 11, 2)).minutes == 14 * 60 + 55


def test_currencies_rest_on_settlement_holidays() -> None:
    assert REAL.trades(Group.EQUITY, date(2026, 8, 26))
    assert not REAL.trades(Group.CURRENCY, date(2026, 8, 26))


def test_a_practice_day_runs_from_half_past_three() -> None:
    session, second = PRACTICE.locate(Group.EQUITY, epoch_ms(ist("2026-11-22 03:29:59")))

    assert session.day == date(2026, 11, 21)
    assert (session.minutes, second) == (1440, 86_399)
    assert PRACTICE.locate(Group.EQUITY, epoch_ms(ist("2026-11-22 03:30:00")))[0].day == date(2026, 11, 22)


def test_recorded_days_trade_even_at_weekends() -> None:
    sunday = date(2026, 11, 22)

    assert not REAL.trades(Group.EQUITY, sunday)
    assert Hours(practice=False, extra_days=[sunday]).trades(Group.EQUITY, sunday)
    assert REAL.session(Group.EQUITY, sunday).minutes == 385, "the hours of an ordinary day"

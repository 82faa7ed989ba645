from __future__ import annotations

from datetime import date

import pytest

from services.domain.clock import epoch_ms
from services.paper.hours import Group, Hours, group_of
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
    assert REAL.segment_minutes("NSE_EQ", session) == 375
    assert REAL.segment_minutes("NSE_FO", session) == 385


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
    budget = date(2025, 2, 1)

    assert not REAL.trades(Group.EQUITY, budget)
    assert Hours(practice=False, extra_days=[budget]).trades(Group.EQUITY, budget)

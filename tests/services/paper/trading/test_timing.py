from __future__ import annotations

from datetime import date

import pytest

from services.paper.sessions import Sessions
from services.paper.trading.instruments import Instrument, instrument_of
from services.paper.trading.timing import TradingHours
from tests.support.trading import CALL, CRUDE, DOLLAR, INDEX, LISTINGS, PLAIN, SHARE, at

FRIDAY = date(2026, 11, 20)
REAL = TradingHours(Sessions(always=False), practice=False)
PRACTICE = TradingHours(Sessions(always=True), practice=True)


def instrument(key: str) -> Instrument:
    found = instrument_of(next(item for item in LISTINGS if item.key == key))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("key", "squared", "last_new"),
    [
        (SHARE, "15:00", "14:57"),
        (PLAIN, "15:15", "15:12"),
        (CALL, "15:20", "15:17"),
        (DOLLAR, "16:30", "16:27"),
        (CRUDE, "23:25", "23:22"),
    ],
)
def test_intraday_ends_before_continuous_trading_does(key: str, squared: str, last_new: str) -> None:
    assert REAL.square_off(instrument(key), FRIDAY) == at(f"2026-11-20 {squared}")
    assert REAL.last_new_intraday(instrument(key), FRIDAY) == at(f"2026-11-20 {last_new}")


@pytest.mark.parametrize(
    ("key", "instant", "kept"),
    [
        (PLAIN, "2026-11-20 08:57", True),
        (PLAIN, "2026-11-20 08:58", False),
        (PLAIN, "2026-11-20 15:40", False),  # before the session at the closing price
        (PLAIN, "2026-11-20 16:04", False),
        (PLAIN, "2026-11-20 16:05", True),
        (SHARE, "2026-11-20 15:36", False),
        (CALL, "2026-11-20 15:40", False),
        (CALL, "2026-11-20 15:41", True),
        (CALL, "2026-11-20 09:12", True),
        (CALL, "2026-11-20 09:13", False),
        (PLAIN, "2026-11-21 12:00", True),
        (PLAIN, "2026-11-24 12:00", True),  # a holiday
    ],
)
def test_orders_for_the_next_session_are_taken_outside_hours(key: str, instant: str, kept: bool) -> None:
    assert REAL.takes_after_hours(instrument(key), at(instant)) is kept


def test_the_day_of_an_order_ends_with_the_auction_or_with_the_session_at_the_closing_price() -> None:
    assert REAL.ends(instrument(SHARE), FRIDAY) == (at("2026-11-20 15:35"), at("2026-11-20 16:00"))
    assert REAL.ends(instrument(CALL), FRIDAY) == (at("2026-11-20 15:40"), at("2026-11-20 15:40"))
    assert REAL.ends(instrument(PLAIN), date(2026, 11, 21)) is None


def test_a_practice_day_is_one_session_around_the_clock() -> None:
    share = instrument(SHARE)

    assert PRACTICE.today(at("2026-11-21 03:29")) == FRIDAY
    assert PRACTICE.start_of(FRIDAY) == at("2026-11-20 03:30")
    assert PRACTICE.ends(share, FRIDAY) == (at("2026-11-21 03:30"), at("2026-11-21 03:30"))
    assert PRACTICE.square_off(share, FRIDAY) == at("2026-11-21 03:15")
    assert PRACTICE.auction_stop(share, FRIDAY) is None
    assert PRACTICE.service_open(at("2026-11-21 04:00"))


def test_shares_settle_on_trading_days_only() -> None:
    assert REAL.settlements(FRIDAY, date(2026, 11, 22)) == 1
    assert REAL.settlements(date(2026, 11, 21), date(2026, 11, 23)) == 0
    assert REAL.settlements(FRIDAY, date(2026, 12, 30)) == 2


def test_an_index_cannot_be_traded() -> None:
    assert instrument_of(next(item for item in LISTINGS if item.key == INDEX)) is None

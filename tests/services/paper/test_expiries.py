"""Rules against the expiries of real instrument files and of market-facts 3.6."""

from __future__ import annotations

from datetime import date

import orjson
import pytest

from services.domain.clock import from_epoch_ms, ist_date
from services.paper.expiries import Rule, is_monthly, monthly_expiries, weekly_expiries
from tests.support.shared_data import shared


def test_the_november_expiry_moves_off_the_holiday() -> None:
    assert monthly_expiries(Rule.NSE, date(2026, 11, 21), 2) == [date(2026, 11, 23), date(2026, 12, 29)]
    assert weekly_expiries(Rule.NSE, date(2026, 11, 21), 3) == [
        date(2026, 11, 23),
        date(2026, 12, 1),
        date(2026, 12, 8),
    ]


def test_holidays_move_weekly_expiries_to_the_day_before() -> None:
    assert weekly_expiries(Rule.NSE, date(2026, 10, 16), 1) == [date(2026, 10, 19)]
    assert weekly_expiries(Rule.NSE, date(2026, 11, 5), 1) == [date(2026, 11, 9)]
    assert weekly_expiries(Rule.BSE, date(2026, 3, 23), 1) == [date(2026, 3, 25)]


def test_an_expiry_day_still_lists_its_contract() -> None:
    assert weekly_expiries(Rule.NSE, date(2026, 12, 1), 1) == [date(2026, 12, 1)]
    assert not is_monthly(Rule.NSE, date(2026, 12, 1))
    assert is_monthly(Rule.NSE, date(2026, 12, 29))


def test_contracts_ended_on_thursdays_before_september_2025() -> None:
    assert weekly_expiries(Rule.NSE, date(2025, 6, 2), 1) == [date(2025, 6, 5)]


@pytest.mark.parametrize(
    ("rule", "day", "expected"),
    [
        (Rule.CURRENCY, date(2026, 8, 22), ["2026-08-27", "2026-09-28", "2026-10-28", "2026-11-26", "2026-12-29"]),
        (Rule.GOLD, date(2026, 2, 1), ["2026-02-05", "2026-04-02", "2026-06-05", "2026-08-05", "2026-10-05"]),
        (Rule.SILVER, date(2026, 3, 1), ["2026-03-05", "2026-05-05", "2026-07-03", "2026-09-04"]),
        (Rule.CRUDE, date(2026, 2, 1), ["2026-02-19", "2026-03-19", "2026-04-20"]),
        (Rule.CRUDE, date(2026, 11, 1), ["2026-11-19", "2026-12-18", "2027-01-19", "2027-02-19"]),
        (Rule.GAS, date(2026, 2, 1), ["2026-02-24", "2026-03-26", "2026-04-27", "2026-05-26"]),
        (Rule.GAS, date(2026, 8, 22), ["2026-08-26", "2026-09-25", "2026-10-27"]),
    ],
)
def test_currency_and_commodity_rules_give_the_expiries_that_were_listed(
    rule: Rule, day: date, expected: list[str]
) -> None:
    assert [str(expiry) for expiry in monthly_expiries(rule, day, len(expected))] == expected


def test_index_expiries_agree_with_the_real_master() -> None:
    rows = orjson.loads(shared("data/instruments/upstox_nse_20260821_trimmed.json").read_bytes())
    day = date(2026, 8, 21)

    def listed(symbol: str) -> list[date]:
        contracts = (row for row in rows if row["segment"] == "NSE_FO" and row["underlying_symbol"] == symbol)
        return sorted({ist_date(from_epoch_ms(row["expiry"])) for row in contracts})

    assert weekly_expiries(Rule.NSE, day, 6) == listed("NIFTY")[:6]
    assert monthly_expiries(Rule.NSE, day, 3) == listed("BANKNIFTY")[:3]

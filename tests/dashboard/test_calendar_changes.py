"""Changes of the ordinary hours: on which day, for whom, and what they were before."""

from __future__ import annotations

from datetime import date

from dashboard.calendar_changes import changes_in, lines
from services.domain.calendar.calendar import BUNDLED
from services.domain.phases import Market


def of_year(year, *markets):
    days = {}
    for change in changes_in(BUNDLED, year, markets or tuple(Market)):
        days.setdefault(change.day, []).append(change)
    return {day: dict(lines(found)) for day, found in days.items()}


def test_the_closing_auction_of_august_2026_is_told_for_those_whom_it_concerns():
    told = of_year(2026)[date(2026, 8, 3)]

    assert told["shares with F&O"].startswith("open 09:15–15:15 (was 09:15–15:30); closing auction 15:15–15:35 (new)")
    assert told["other shares"] == "post-close 15:50–16:00 (was 15:40–16:00)"
    assert told["F&O"] == "open 09:15–15:40 (was 09:15–15:30)"


def test_a_change_that_all_shares_share_is_told_once():
    told = of_year(2026)[date(2026, 9, 7)]

    assert list(told) == ["shares"]
    assert told["shares"].startswith("pre-open: orders 09:00–09:05, limit orders only 09:05–09:10")


def test_the_change_of_december_2026_is_told_and_unconfirmed():
    found = [change for change in changes_in(BUNDLED, 2026, Market) if change.day == date(2026, 12, 7)]
    told = dict(lines(found))

    assert (
        told["shares with F&O"] == "open 09:15–15:30 (was 09:15–15:15); closing auction 15:30–15:40 (was 15:15–15:35)"
    )
    assert told["F&O"] == "open 09:15–15:45 (was 09:15–15:40)"
    assert told["expiring index contracts"] == "open 09:15–15:30 (was 09:15–15:40)"
    assert not any(change.confirmed for change in found)


def test_commodities_follow_the_clock_of_the_united_states_on_the_monday_after():
    told = of_year(2025, Market.MCX)

    assert set(told) == {date(2025, 3, 10), date(2025, 11, 3)}
    assert told[date(2025, 11, 3)] == {"MCX commodities": "open 09:00–23:55 (was 09:00–23:30)"}


def test_exchanges_that_differ_are_named():
    told = of_year(2026, Market.NFO)[date(2026, 12, 7)]

    assert set(told) == {"NSE F&O", "expiring index contracts (NSE F&O)"}


def test_a_year_that_is_not_published_has_no_changes():
    assert of_year(2027) == {}

"""What of the results is looked at, and the link that says so."""

from __future__ import annotations

from datetime import date

import pytest

from dashboard.pnl_choice import Behind, Choice, Outcome, Period, period_name, read_choice, year_days

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    "choice",
    [
        Choice(),
        Choice(Period.YEAR, segment="FO", behind=Behind.CHARGES),
        Choice(Period.DATES, date(2026, 3, 30), date(2026, 4, 2), symbol="M&M", product="I", bucket="short term"),
        Choice(Period.DATES, None, date(2026, 4, 2)),
        Choice(account="*", outcome=Outcome.DOUBTFUL, find="NIFTY 25", sort="net", down=False, page=7, trade="ab12"),
        Choice(Period.LAST_YEAR, sort="symbol", down=True, capital=500_000),
    ],
)
def test_a_link_brings_back_what_was_looked_at(choice):
    assert read_choice(choice.words(), Choice(Period.TODAY)) == (choice, ())


def test_what_is_as_usual_is_not_in_the_link_but_for_the_period():
    assert Choice().words() == {"period": "all"}


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ({"period": "decade"}, "no period"),
        ({"segment": "XX"}, "no segment"),
        ({"bucket": "hobby"}, "no bucket"),
        ({"sort": "luck-up"}, "nothing to sort by"),
        ({"sort": "net"}, "nothing to sort by"),
        ({"from": "yesterday"}, "written as"),
    ],
)
def test_what_a_link_says_wrong_is_told_and_left_as_usual(words, part):
    choice, problems = read_choice(words, Choice(Period.MONTH))

    assert choice == Choice(Period.MONTH)
    assert len(problems) == 1
    assert part in problems[0]


def test_days_in_a_link_are_a_period_of_their_own_and_stand_in_order():
    choice, problems = read_choice({"from": "2026-04-05", "to": "2026-04-01"}, Choice())

    assert problems == ()
    assert (choice.period, choice.days(TODAY)) == (Period.DATES, (date(2026, 4, 1), date(2026, 4, 5)))


@pytest.mark.parametrize("page", ["0", "-3", "x", "９", "1e9", ""])
def test_a_page_that_is_no_number_is_the_first(page):
    assert read_choice({"page": page}, Choice())[0].page == 1


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        (Period.TODAY, TODAY, TODAY),
        (Period.WEEK, date(2026, 11, 16), TODAY),
        (Period.MONTH, date(2026, 11, 1), TODAY),
        (Period.YEAR, date(2026, 4, 1), date(2027, 3, 31)),
        (Period.LAST_YEAR, date(2025, 4, 1), date(2026, 3, 31)),
        (Period.ALL, None, None),
    ],
)
def test_the_days_of_a_period(period, first, last):
    assert Choice(period).days(TODAY) == (first, last)


@pytest.mark.parametrize(
    ("today", "year", "before"),
    [
        (date(2026, 3, 31), "FY 25-26", "FY 24-25"),
        (date(2026, 4, 1), "FY 26-27", "FY 25-26"),
        (date(2028, 2, 29), "FY 27-28", "FY 26-27"),
    ],
)
def test_a_financial_year_turns_on_the_first_of_april(today, year, before):
    assert period_name(Period.YEAR, today) == year
    assert period_name(Period.LAST_YEAR, today) == before


def test_a_financial_year_has_its_days():
    assert year_days("2025-26") == (date(2025, 4, 1), date(2026, 3, 31))


def test_a_single_day_is_looked_at_from_its_first_page():
    choice = Choice(Period.YEAR, segment="FO", page=4, trade="x").on(TODAY)

    assert choice == Choice(Period.DATES, TODAY, TODAY, segment="FO")

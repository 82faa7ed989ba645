"""What the browser components of the calendar are given."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace

import pytest

from dashboard.calendar_words import EntryKind
from dashboard.calendar_year import lines_of, of_kinds, year_plan
from dashboard.components.calendar_list import CSV_HEAD, as_csv, list_data
from dashboard.components.calendar_now import board_data
from dashboard.components.calendar_sources import dispute_words, silence_words, source_facts
from dashboard.components.calendar_year import unpublished_words, year_data
from services.domain.calendar.calendar import BUNDLED, MarketCalendar
from services.domain.calendar.days import DayOverride, StatusOverride
from services.domain.phases import Listing, Market
from tests.support.calendar_instants import at

SATURDAY = at("2026-11-21T13:30")


class At:
    """The phases of a calendar at one instant."""

    def __init__(self, calendar, now):
        self._calendar, self._now = calendar, now

    def phase(self, market=Market.NSE, *, listing=Listing.ORDINARY):
        return self._calendar.phase(market, self._now, listing=listing)


def board(now, calendar=BUNDLED):
    return board_data(calendar, At(calendar, now), now, speed=1.0, notes=lambda day: lines_of(calendar, day))


def row(data, name):
    return next(one for one in data["rows"] if one["id"] == name)


def day(data, iso):
    return next(one for one in data["days"] if one["iso"] == iso)


# -- now ---------------------------------------------------------------------------------------------------------


def test_markets_that_agree_share_a_row_and_those_that_do_not_have_their_own():
    assert [one["id"] for one in board(SATURDAY)["rows"]] == [
        "Other shares NSE BSE", "Shares with F&O NSE BSE", "F&O NFO BFO", "Currency CDS BCD", "Commodities MCX",
        "Commodities NSCOM",
    ]  # fmt: skip


def test_before_there_was_a_closing_auction_all_shares_are_one_row():
    assert [one["name"] for one in board(at("2026-07-20T10:00"))["rows"]][:2] == ["Shares", "F&O"]


def test_an_exchange_of_which_the_broker_says_something_else_gets_a_row_of_its_own():
    said = DayOverride(Market.BSE, date(2026, 11, 23), (), "Outage", "TRADING_HOLIDAY", "the broker")
    data = board(SATURDAY, MarketCalendar([said]))

    assert {one["id"] for one in data["rows"]} >= {"Other shares NSE", "Other shares BSE"}
    bars = day(data, "2026-11-23")["bars"]
    assert bars["Other shares BSE"]["words"] == "Closed: Outage"
    assert bars["Other shares NSE"]["windows"]


def test_in_the_closing_auction_each_row_tells_its_own_phase_and_what_follows():
    data = board(at("2026-11-20T15:22"))

    auction, others = row(data, "Shares with F&O NSE BSE"), row(data, "Other shares NSE BSE")
    assert (auction["phase"], auction["stage"], auction["then"]) == ("closing auction", "orders", "Limit orders only")
    assert (others["phase"], others["then"]) == ("open", "Closed")
    assert others["until"] == at("2026-11-20T15:30").timestamp() * 1000


def test_a_weekend_looks_at_the_next_day_with_a_session_and_a_trading_day_at_itself():
    saturday, friday = board(SATURDAY), board(at("2026-11-20T22:00"))

    assert saturday["days"][saturday["chosen"]]["iso"] == "2026-11-23"
    assert [one["today"] for one in saturday["days"]] == [True] + [False] * 6
    assert friday["days"][friday["chosen"]]["today"]


def test_the_day_is_that_of_india_wherever_the_desk_is():
    late = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)  # Monday 00:30 in India

    assert board(late)["days"][0]["iso"] == "2026-11-23"


def test_seven_days_tell_hours_holidays_and_expiries():
    data = board(SATURDAY)

    assert day(data, "2026-11-22")["summary"] == ["Closed"]
    assert day(data, "2026-11-23")["summary"] == ["Normal hours"]
    assert day(data, "2026-11-23")["notes"] == [{"mark": "◆", "text": "NSE indices and stocks monthly expiry"}]
    assert day(data, "2026-11-24")["summary"] == ["Shares, F&O, currency closed", "Commodities 17:00–23:55"]
    assert day(data, "2026-11-24")["notes"] == [{"mark": "H", "text": "Guru Nanak Jayanti"}]
    assert [day(data, one)["tone"] for one in ("2026-11-22", "2026-11-23", "2026-11-24")] == [
        "closed",
        "open",
        "special",
    ]


def test_a_session_without_confirmed_hours_is_neither_open_nor_closed():
    bar = day(board(at("2026-11-07T12:00")), "2026-11-08")["bars"]["F&O NFO BFO"]

    assert bar["unknown"]
    assert bar["windows"] == []
    assert bar["words"] == "Diwali Laxmi Pujan: hours not published"


def test_a_session_that_the_broker_tells_of_some_markets_only_is_named_once():
    told = at("2026-11-08T18:15"), at("2026-11-08T19:15")
    some = (Market.NSE, Market.BSE, Market.NFO, Market.BFO)
    name = "Diwali Laxmi Pujan (muhurat)"
    calendar = MarketCalendar(
        [DayOverride(one, date(2026, 11, 8), (told,), name, "SPECIAL_TIMING", "the broker") for one in some]
    )
    card = day(board(at("2026-11-07T12:00"), calendar), "2026-11-08")

    assert card["notes"] == [{"mark": "S", "text": "Diwali Laxmi Pujan"}]
    assert card["summary"][0] == "Shares, F&O 18:15–19:15"
    lines = [one for one in lines_of(calendar, date(2026, 11, 8)) if one.kind is EntryKind.SPECIAL]
    assert [(one.name, set(one.markets) == set(some), one.confirmed) for one in lines] == [
        ("Diwali Laxmi Pujan", True, True),
        ("Diwali Laxmi Pujan", False, False),
    ]


def test_days_of_an_unpublished_year_are_said_to_be_so():
    first = day(board(at("2026-12-31T12:00")), "2027-01-01")

    assert (first["tone"], first["summary"]) == ("unknown", ["Not published yet"])
    assert all(bar["words"] == "Not published yet" for bar in first["bars"].values())


def test_where_no_hours_are_known_a_row_tells_why_it_is_open():
    now = at("2027-01-04T11:00")
    claim = StatusOverride(Market.NSCOM, "NORMAL_OPEN", now, now + timedelta(minutes=20))
    calendar = MarketCalendar(statuses=[claim])

    assert row(board(now, calendar), "Commodities NSCOM")["stage"] == "the broker says so"


def test_a_window_carries_its_step_and_what_the_exchange_takes():
    windows = day(board(SATURDAY), "2026-11-23")["bars"]["Shares with F&O NSE BSE"]["windows"]

    limit = next(window for window in windows if window[3] == "Closing auction: limit orders only")
    assert limit[4:] == ["limit orders", "15:25–15:30"]
    assert all(a[1] <= b[0] for a, b in pairwise(windows))


# -- the year and the list -----------------------------------------------------------------------------------------


def test_the_year_marks_what_differs_and_nothing_else():
    data = year_data(year_plan(BUNDLED, 2026), date(2026, 11, 21))

    assert data["today"] == "2026-11-21"
    assert data["days"]["2026-11-24"]["marks"] == ["H", "P"]
    assert data["days"]["2026-02-01"]["marks"][0] == "S"
    assert data["days"]["2026-02-19"]["marks"][:2] == ["h", "₹"]
    assert data["days"]["2026-11-08"]["doubt"]
    assert "2026-11-25" in data["days"]
    assert "2026-11-27" not in data["days"]


def test_another_year_has_no_today_and_an_unpublished_one_says_so():
    data = year_data(year_plan(BUNDLED, 2027), date(2026, 11, 21))

    assert (data["today"], data["published"], data["days"]) == (None, False, {})
    assert data["note"].startswith("2027 is not published yet.")


def test_markets_of_which_nothing_is_published_are_named():
    said = DayOverride(Market.NSE, date(2027, 1, 26), (), "Republic Day", "TRADING_HOLIDAY", "the broker")
    plan = year_plan(MarketCalendar([said]), 2027)

    assert "MCX commodities" in unpublished_words(plan)
    assert "NSE shares" not in unpublished_words(plan)


def test_the_legend_of_one_market_does_not_tell_of_others():
    assert "h" in [mark for mark, *_ in year_data(year_plan(BUNDLED, 2026), date(2026, 1, 1))["legend"]]
    assert "h" not in [mark for mark, *_ in year_data(year_plan(BUNDLED, 2026, Market.CDS), date(2026, 1, 1))["legend"]]


def test_a_line_of_the_list_tells_day_kind_hours_source_and_distance():
    plan = year_plan(BUNDLED, 2026, Market.NSE)
    rows = list_data(of_kinds(plan.entries, [EntryKind.HOLIDAY]), plan.markets, date(2026, 11, 21), empty="x")["rows"]

    line = next(one for one in rows if one["day"] == "Tue 24 Nov")
    assert (line["kind"], line["when"], line["past"], line["doubt"]) == ("Holiday", "in 3 days", False, False)
    assert line["hours"] == [["NSE shares", "closed"]]
    assert line["source"]
    assert rows[0]["past"]


def test_the_csv_holds_every_line_with_its_source():
    entries = year_plan(BUNDLED, 2026).entries
    rows = list(csv.DictReader(io.StringIO(as_csv(entries))))

    assert tuple(rows[0]) == CSV_HEAD
    assert len(rows) == len(entries)
    muhurat = next(one for one in rows if one["date"] == "2026-11-08")
    assert (muhurat["confirmed"], muhurat["kind"]) == ("no", "special")


def test_a_name_from_outside_is_no_formula_in_a_spreadsheet():
    said = DayOverride(Market.NSE, date(2026, 11, 25), (), "=1+1", "TRADING_HOLIDAY", "the broker")
    entries = lines_of(MarketCalendar([said]), date(2026, 11, 25))

    assert "'=1+1" in as_csv(entries)
    assert ",=1+1" not in as_csv(entries)


# -- sources -------------------------------------------------------------------------------------------------------


def a_state(**errors):
    heard = SATURDAY - timedelta(minutes=3)
    sources = [SimpleNamespace(name="table", said_by="the desk's own table", fetched_at=None, error=None)]
    for name in ("holidays", "timings", "status"):
        at_ = None if name == "status" else heard
        sources.append(SimpleNamespace(name=name, said_by="Upstox", fetched_at=at_, error=errors.get(name)))
    return SimpleNamespace(sources=tuple(sources), contradictions=(), table_until=date(2026, 12, 31), practice=False)


def test_every_source_has_its_age():
    facts = source_facts(a_state(), SATURDAY)

    assert "Thu 31 Dec 2026" in facts["The desk's own table"]
    assert facts["Holidays, by Upstox"] == "heard 3 min ago, 13:27 IST"
    assert facts["Status now, by Upstox"] == "never heard"


def test_a_broker_that_is_silent_is_told_once_with_what_answers_instead():
    state = a_state(holidays="connection refused", status="connection refused")

    words = silence_words(state, SATURDAY.date())
    assert words.startswith("Not heard: holidays, status now. Connection refused. What it said before stays")
    assert words.endswith("the desk's own table answers.")
    assert "not heard now: connection refused" in source_facts(state, SATURDAY)["Holidays, by Upstox"]


def dispute(market, day, broker, table):
    return SimpleNamespace(
        market=market, day=day, about="hours", table_says=table, broker_says=broker, source="Upstox", since=SATURDAY
    )


def test_contradictions_are_told_day_by_day_with_both_sides():
    monday, friday = date(2026, 11, 23), date(2026, 11, 27)
    told = dispute_words(
        [
            dispute(Market.MCX, friday, "trades until 17:00", "trades until 23:55"),
            dispute(Market.BSE, monday, "is closed", "trades until 15:30"),
            dispute(Market.NSE, monday, "is closed", "trades until 15:30"),
            dispute(Market.NFO, monday, "is *closed*", "trades until 15:40"),
        ],
        SATURDAY,
    )

    titles = [title for title, _ in told]
    assert titles == [
        "Broker and calendar disagree: shares, NSE F&O, Mon 23 Nov 2026",
        "Broker and calendar disagree: MCX commodities, Fri 27 Nov 2026",
    ]
    shares, derivatives, followed = told[0][1]
    assert shares == "Shares: Upstox says **is closed**, the desk's table says **trades until 15\\:30**."
    assert "\\*closed\\*" in derivatives
    assert followed == "The broker is followed for that day. Noticed 13\\:30 IST."


def test_while_all_is_well_nothing_is_said_of_silence():
    assert silence_words(a_state(), SATURDAY.date()) == ""


def test_where_the_table_ends_nobody_is_said_to_answer_instead():
    words = silence_words(a_state(holidays="connection refused"), date(2027, 1, 1))

    assert words.endswith("the desk's own table ends on Thu 31 Dec 2026, so what nobody tells is unknown.")


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_the_board_hands_on_how_fast_its_clock_runs(speed):
    data = board_data(BUNDLED, At(BUNDLED, SATURDAY), SATURDAY, speed=speed, notes=lambda day: ())

    assert data["speed"] == speed
    assert data["now"] == SATURDAY.timestamp() * 1000

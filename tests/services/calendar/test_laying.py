"""The calendar of an instant: what is laid over the table, how long, and when it is the same object as before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from services.calendar.brokers_word import BrokersWord
from services.calendar.laying import Laid
from services.domain.accounts import MarketStatus
from services.domain.calendar.calendar import BUNDLED
from services.domain.phases import Market, Phase
from tests.support.calendar import EQUITY, at, holiday, ist, window

DAY = date(2026, 11, 23)
BELIEVED = timedelta(minutes=20)
NOW = ist("2026-11-23 11:00")


def lay(word: BrokersWord, now: datetime = NOW, before: Laid | None = None) -> Laid:
    return (before or Laid()).with_word(word, "Upstox", now, BELIEVED)


def heard(status: str, instant: datetime = NOW, word: BrokersWord | None = None) -> BrokersWord:
    told = {Market.NSE: MarketStatus("NSE", status, instant, None)}
    return (word or BrokersWord()).with_statuses(told, instant)


def test_nothing_heard_is_the_table_itself() -> None:
    assert lay(BrokersWord()).current is BUNDLED
    assert lay(heard("NORMAL_OPEN")).current is BUNDLED, "a status that agrees adds nothing"


def test_a_declared_holiday_wins_for_its_markets_only() -> None:
    laid = lay(BrokersWord().with_holidays([holiday(DAY, closed=EQUITY)], NOW))

    assert laid.current.phase(Market.NSE, NOW).phase is Phase.CLOSED
    assert laid.current.phase(Market.NSE, NOW).reason == "Poll day"
    assert laid.current.phase(Market.CDS, NOW).phase is Phase.OPEN
    assert [one.subject for one in laid.contradictions] == [f"{name} 2026-11-23" for name in sorted(EQUITY)]


def test_a_special_session_wins_and_knows_its_end() -> None:
    saturday = date(2026, 11, 28)
    row = holiday(saturday, opened=[window("NSE", saturday, "10:00", "11:30")], kind="SPECIAL_TIMING", name="Drill")
    laid = lay(BrokersWord().with_holidays([row], NOW))

    inside = laid.current.phase(Market.NSE, at(saturday, "10:30"))

    assert (inside.phase, inside.until) == (Phase.OPEN, at(saturday, "11:30"))
    assert laid.current.trading_day_after(Market.NSE, date(2026, 11, 27)) == saturday


def test_a_wrong_status_is_followed_until_it_is_forgotten() -> None:
    word = heard("NORMAL_CLOSE")

    laid = lay(word)
    much_later = lay(word, NOW + BELIEVED, laid)

    assert laid.current.phase(Market.NSE, NOW).phase is Phase.CLOSED
    assert laid.disputed == {Market.NSE: "NORMAL_CLOSE"}
    assert laid.current.phase(Market.NSE, NOW + BELIEVED).phase is Phase.OPEN, "whoever keeps it is not misled for ever"
    assert (much_later.contradictions, much_later.current) == ((), BUNDLED)


def test_a_status_agrees_with_the_day_that_the_broker_told() -> None:
    declared = BrokersWord().with_holidays([holiday(DAY, closed=EQUITY)], NOW)

    laid = lay(heard("NORMAL_CLOSE", word=declared))

    assert {one.about for one in laid.contradictions} == {"hours"}
    assert laid.claims == ()


def test_a_status_against_the_brokers_own_holiday_is_told_and_not_followed() -> None:
    declared = BrokersWord().with_holidays([holiday(DAY, closed=EQUITY)], NOW)

    laid = lay(heard("NORMAL_OPEN", word=declared))

    assert laid.current.phase(Market.NSE, NOW).phase is Phase.CLOSED
    assert [one.about for one in laid.contradictions if one.market is Market.NSE] == ["hours", "status"]


def test_a_status_against_both_the_table_and_the_brokers_own_list_is_followed() -> None:
    sunday = date(2026, 11, 22)
    noon = ist("2026-11-22 12:00")
    row = holiday(sunday, opened=[window("NSE", sunday, "10:00", "11:30")], kind="SPECIAL_TIMING", name="Drill")

    laid = lay(heard("NORMAL_OPEN", noon, BrokersWord().with_holidays([row], noon)), noon)

    assert laid.current.phase(Market.NSE, noon).phase is Phase.OPEN


def test_an_unknown_word_in_session_is_not_open() -> None:
    laid = lay(heard("TRADING_HALT"))

    assert laid.current.phase(Market.NSE, NOW).phase not in (Phase.OPEN, Phase.PRE_OPEN)
    assert len(laid.contradictions) == 1


def test_a_contradiction_does_not_flicker_at_a_boundary() -> None:
    first = lay(heard("NORMAL_CLOSE", ist("2026-11-23 15:24")), ist("2026-11-23 15:24"))
    near = heard("NORMAL_CLOSE", ist("2026-11-23 15:32"))

    second = lay(near, ist("2026-11-23 15:32"), first)

    assert second.disputed == {Market.NSE: "NORMAL_CLOSE"}
    assert lay(near, ist("2026-11-23 15:32")).disputed == {}
    assert lay(heard("NORMAL_CLOSE", ist("2026-11-23 15:40")), ist("2026-11-23 15:40"), second).disputed == {}


def test_a_status_of_another_clock_is_not_believed() -> None:
    assert lay(heard("NORMAL_CLOSE", NOW + timedelta(hours=1))).claims == ()


def test_an_unpublished_year_is_open_when_the_broker_says_so_and_nobody_is_alarmed() -> None:
    now = ist("2027-01-05 11:00")

    laid = lay(heard("NORMAL_OPEN", now), now)

    assert BUNDLED.phase(Market.NSE, now).phase is Phase.UNKNOWN
    assert laid.current.phase(Market.NSE, now).phase is Phase.OPEN
    assert laid.current.phase(Market.NFO, now).phase is Phase.UNKNOWN
    assert laid.contradictions == ()


def test_the_calendar_stays_the_same_object_while_nothing_has_changed() -> None:
    word = heard("NORMAL_CLOSE", word=BrokersWord().with_holidays([holiday(DAY, closed=("MCX",))], NOW))

    first = lay(word)
    second = lay(word, NOW + timedelta(seconds=15), first)

    assert second.current is first.current
    assert [replace(one, since=NOW) for one in second.contradictions] == list(first.contradictions) != []

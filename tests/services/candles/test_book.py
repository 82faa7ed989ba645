from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from services.candles.book import CandleBook
from services.candles.series import FORMING, FROM_DAYS, FROM_MINUTES, INTRADAY, STORED, CandleSeries
from services.domain.candles import DAY, MINUTE, MONTH, WEEK, Interval
from services.domain.clock import epoch_ms
from services.domain.errors import BrokerFault, InvalidRequest, LoginRequired, NoAnswer, RequestRefused, RouteMissing
from tests.support.candle_columns import same
from tests.support.candles import INDEX, KEY, Asked, FakeCandles, FeedOfMinutes, day, ist, open_candle_book
from tests.support.clocks import FakeClock

FIVE = Interval.parse("5m")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(ist("2026-11-20 11:15"))  # a Friday


@pytest.fixture
def broker(clock: FakeClock) -> FakeCandles:
    return FakeCandles(clock)


@pytest.fixture
def book(tmp_path: Path, broker: FakeCandles) -> Iterator[CandleBook]:
    with open_candle_book(tmp_path, broker) as made:
        yield made


def days_of(first: str, last: str) -> list[date]:
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


def fault(message: str = "the broker stumbled") -> BrokerFault:
    return BrokerFault(message, status=503)


def sources(series: CandleSeries) -> list[str]:
    return [part.source for part in series.sources]


# -- closed days -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["1minute", "5m", "15m", "hours/1", "day", "week", "month"])
def test_closed_bars_are_the_brokers_own_whatever_the_interval(
    book: CandleBook, broker: FakeCandles, word: str
) -> None:
    interval = Interval.parse(word)

    series = book.read(KEY, word, day("2026-07-01"), day("2026-11-01"))

    first = "2026-06-29" if interval == WEEK else "2026-07-01"
    assert same(series.columns, broker.bars(interval, days_of(first, "2026-11-01")))
    assert sources(series) == ["v3"]
    assert (series.missing, series.provisional_from) == ((), None)
    assert (series.key, series.interval) == (KEY, interval)


def test_a_second_read_asks_nobody_and_says_that_it_is_stored(book: CandleBook, broker: FakeCandles) -> None:
    first = book.read(KEY, MINUTE, day("2026-10-01"), day("2026-11-01"))
    broker.asked.clear()

    second = book.read(KEY, MINUTE, day("2026-10-01"), day("2026-11-01"))

    assert broker.asked == []
    assert same(second.columns, first.columns)
    assert sources(second) == [STORED]
    assert second.sources[0].fetched_at == book._clock.now()


def test_days_told_at_different_times_are_told_with_both(book: CandleBook, clock: FakeClock) -> None:
    began = clock.now()
    book.read(KEY, MINUTE, day("2026-11-16"), day("2026-11-18"))
    clock.move(hours=2)
    book.read(KEY, MINUTE, day("2026-11-18"), day("2026-11-20"))

    (part,) = book.read(KEY, MINUTE, day("2026-11-16"), day("2026-11-20")).sources

    assert part.told == (began, began + timedelta(hours=2))


def test_a_restart_with_a_warm_store_asks_nobody(tmp_path: Path, broker: FakeCandles) -> None:
    intervals = (MINUTE, FIVE, DAY, WEEK, MONTH)
    with open_candle_book(tmp_path, broker) as book:
        before = [book.read(KEY, one, day("2026-10-01"), day("2026-11-21")) for one in intervals]
        latest = book.latest(KEY, DAY, 100)
    broker.asked.clear()

    with open_candle_book(tmp_path, broker) as book:
        for one, known in zip(intervals, before, strict=True):
            assert same(book.read(KEY, one, day("2026-10-01"), day("2026-11-21")).columns, known.columns)
        assert same(book.latest(KEY, DAY, 100).columns, latest.columns)

    assert broker.asked == []


def test_one_missing_day_in_the_middle_costs_one_call_for_that_day(book: CandleBook, broker: FakeCandles) -> None:
    book.read(KEY, MINUTE, day("2026-10-05"), day("2026-10-14"))
    book.read(KEY, MINUTE, day("2026-10-15"), day("2026-10-17"))
    broker.asked.clear()

    series = book.read(KEY, MINUTE, day("2026-10-05"), day("2026-10-17"))

    assert broker.history() == [("minutes/1", "2026-10-14", "2026-10-14")]
    assert same(series.columns, broker.bars(MINUTE, days_of("2026-10-05", "2026-10-16")))
    assert sources(series) == [STORED, "v3", STORED]


def test_a_longer_range_asks_only_for_what_is_new_on_both_sides(book: CandleBook, broker: FakeCandles) -> None:
    book.read(KEY, DAY, day("2026-05-01"), day("2026-06-01"))
    broker.asked.clear()

    book.read(KEY, DAY, day("2026-04-01"), day("2026-07-01"))

    # the newer call brings one bar that is known already, to see whether it is still the same
    assert broker.history() == [("days/1", "2026-05-29", "2026-06-30"), ("days/1", "2026-04-01", "2026-04-30")]


def test_a_range_over_the_cap_is_split_newest_first_and_tells_its_progress(
    book: CandleBook, broker: FakeCandles
) -> None:
    told: list[tuple[float, str]] = []

    series = book.read(KEY, MINUTE, day("2026-08-01"), day("2026-10-10"), progress=lambda *one: told.append(one))

    assert same(series.columns, broker.bars(MINUTE, days_of("2026-08-01", "2026-10-09")))
    assert broker.history() == [
        ("minutes/1", "2026-09-15", "2026-10-09"),  # a weekend and a holiday at its beginning are not asked for
        ("minutes/1", "2026-08-17", "2026-09-11"),
        ("minutes/1", "2026-08-03", "2026-08-14"),
    ]
    assert [round(done, 2) for done, _ in told] == sorted(round(done, 2) for done, _ in told)
    assert (told[0][0], told[-1][0]) == (0.0, 1.0)
    assert told[0][1] == "candles of 1 minute: 15 Sep 2026 to 09 Oct 2026"


@pytest.mark.parametrize(
    ("first", "end"), [("2026-11-14", "2026-11-16"), ("2026-10-20", "2026-10-21"), ("2027-06-01", "2027-07-01")]
)
def test_days_without_a_session_and_days_to_come_make_no_call(
    book: CandleBook, broker: FakeCandles, first: str, end: str
) -> None:
    series = book.read(KEY, MINUTE, day(first), day(end))

    assert (len(series), series.missing, broker.asked) == (0, (), [])


def test_a_special_session_on_a_sunday_is_asked_for(book: CandleBook, broker: FakeCandles) -> None:
    series = book.read(KEY, DAY, day("2026-02-01"), day("2026-02-02"))  # the Budget

    assert broker.history() == [("days/1", "2026-02-01", "2026-02-01")]
    assert len(series) == 1


def test_years_that_nobody_has_published_are_asked_for(book: CandleBook, broker: FakeCandles) -> None:
    book.read(KEY, DAY, day("2012-01-01"), day("2012-02-01"))

    assert broker.history() == [("days/1", "2012-01-01", "2012-01-31")]


def test_what_the_broker_does_not_keep_is_said_and_is_no_failure(book: CandleBook, broker: FakeCandles) -> None:
    series = book.read(KEY, MINUTE, day("2021-12-01"), day("2022-01-04"))

    (gap,) = series.missing
    assert (gap.start, gap.end, gap.why) == (
        day("2021-12-01"),
        day("2022-01-01"),
        "the broker keeps minutes since January 2022",
    )
    assert series.complete
    assert broker.history() == [("minutes/1", "2022-01-03", "2022-01-03")]


# -- emptiness ---------------------------------------------------------------------------------------------------------


def test_silence_about_a_day_that_traded_long_ago_is_kept(book: CandleBook, broker: FakeCandles) -> None:
    broker.hidden = set(days_of("2026-10-12", "2026-10-16"))
    book.read(KEY, MINUTE, day("2026-10-12"), day("2026-10-17"))

    series = book.read(KEY, MINUTE, day("2026-10-12"), day("2026-10-17"))

    assert len(broker.asked) == 1
    assert (len(series), series.missing) == (0, ())


def test_silence_about_a_session_just_over_is_asked_again_until_the_morning(
    book: CandleBook, broker: FakeCandles, clock: FakeClock
) -> None:
    clock.instant = ist("2026-11-20 00:30")
    broker.hidden = {date(2026, 11, 19)}
    first = book.read(KEY, MINUTE, day("2026-11-18"), day("2026-11-20"))
    assert (len(first), first.missing) == (375, ())
    book.read(KEY, MINUTE, day("2026-11-18"), day("2026-11-20"))
    assert broker.history()[1:] == [("minutes/1", "2026-11-19", "2026-11-19")]
    broker.hidden = set()

    assert len(book.read(KEY, MINUTE, day("2026-11-18"), day("2026-11-20"))) == 750

    broker.asked.clear()
    clock.instant = ist("2026-11-21 07:00")
    broker.hidden = {date(2026, 11, 20)}
    book.read(KEY, MINUTE, day("2026-11-18"), day("2026-11-21"))
    book.read(KEY, MINUTE, day("2026-11-18"), day("2026-11-21"))
    assert broker.history() == [("minutes/1", "2026-11-20", "2026-11-20")]


# -- faults ------------------------------------------------------------------------------------------------------------


def test_a_failure_in_the_middle_keeps_what_came_and_says_what_is_missing(
    book: CandleBook, broker: FakeCandles
) -> None:
    middle = date(2026, 8, 17)
    broker.fault = lambda asked: fault() if asked.first == middle else None

    series = book.read(KEY, MINUTE, day("2026-08-01"), day("2026-10-10"))

    (gap,) = series.missing
    assert (gap.start, gap.end) == (day("2026-08-17"), day("2026-09-12"))
    assert "stumbled" in gap.why
    assert isinstance(gap.error, BrokerFault)
    assert not series.complete
    kept = [*days_of("2026-08-01", "2026-08-16"), *days_of("2026-09-12", "2026-10-09")]
    assert same(series.columns, broker.bars(MINUTE, kept))

    broker.fault = lambda asked: None
    broker.asked.clear()
    assert book.read(KEY, MINUTE, day("2026-08-01"), day("2026-10-10")).complete
    assert broker.history() == [("minutes/1", "2026-08-17", "2026-09-11")]


def test_after_a_failure_that_concerns_every_call_no_other_is_made(book: CandleBook, broker: FakeCandles) -> None:
    broker.fault = lambda asked: LoginRequired("log in first", login_url="https://example.test")

    series = book.read(KEY, MINUTE, day("2026-08-01"), day("2026-11-20"))

    assert len(broker.asked) == 1
    assert {one.why for one in series.missing} == {"log in first"}
    assert (series.missing[0].start, series.missing[-1].end) == (day("2026-08-03"), day("2026-11-20"))


def test_with_the_broker_gone_what_is_stored_is_shown(book: CandleBook, broker: FakeCandles) -> None:
    book.read(KEY, DAY, day("2026-10-01"), day("2026-11-01"))
    broker.fault = lambda asked: NoAnswer("no answer")

    series = book.read(KEY, DAY, day("2026-10-01"), day("2026-11-21"))

    assert same(series.columns, broker.bars(DAY, days_of("2026-10-01", "2026-10-31")))
    assert {type(one.error) for one in series.missing} == {NoAnswer}


def test_a_refused_instrument_is_an_error_in_words_and_nothing_is_covered(
    book: CandleBook, broker: FakeCandles
) -> None:
    broker.fault = lambda asked: RequestRefused("no such instrument", status=400, code="UDAPI100011")

    series = book.read(KEY, DAY, day("2026-10-01"), day("2026-11-01"))

    assert (len(series), "no such instrument" in series.missing[0].why) == (0, True)
    broker.fault = lambda asked: None
    assert len(book.read(KEY, DAY, day("2026-10-01"), day("2026-11-01"))) > 10


# -- the second way ----------------------------------------------------------------------------------------------------


def without_v3(asked: Asked) -> RouteMissing | None:
    return RouteMissing("no such route", status=404) if asked.use_v3 else None


def test_days_over_v2s_cap_come_by_v2_in_shorter_calls(book: CandleBook, broker: FakeCandles) -> None:
    broker.fault = without_v3

    series = book.read(KEY, DAY, day("2024-01-01"), day("2026-01-01"))

    assert same(series.columns, broker.bars(DAY, days_of("2024-01-01", "2025-12-31")))
    assert sources(series) == ["v2"]
    assert [one.use_v3 for one in broker.asked] == [True, False, False, False]
    assert all((one.last - one.first).days < 366 for one in broker.asked[1:] if one.first and one.last)


def test_an_interval_that_v2_lacks_is_made_of_its_minutes(book: CandleBook, broker: FakeCandles) -> None:
    broker.fault = without_v3

    series = book.read(KEY, FIVE, day("2026-08-01"), day("2026-10-10"))

    assert same(series.columns, broker.bars(FIVE, days_of("2026-08-01", "2026-10-09")))
    assert sources(series) == [FROM_MINUTES] * len(series.sources)
    assert series.complete
    broker.asked.clear()
    assert len(book.read(KEY, FIVE, day("2026-08-01"), day("2026-10-10"))) == len(series)
    assert broker.asked == []


def test_v2_alone_is_asked_where_that_is_wanted(book: CandleBook, broker: FakeCandles) -> None:
    for interval in (MINUTE, FIVE, DAY, WEEK):
        series = book.read(KEY, interval, day("2026-10-01"), day("2026-11-21"), use_v3=False)
        assert series.complete
        assert len(series) > 5

    assert not [one for one in broker.asked if one.use_v3]


def test_where_both_ways_fail_the_first_error_is_told(book: CandleBook, broker: FakeCandles) -> None:
    broker.fault = lambda asked: fault("v3 is down") if asked.use_v3 else fault("v2 is down")

    series = book.read(KEY, DAY, day("2024-01-01"), day("2026-01-01"))

    assert "v3 is down" in series.missing[0].why


# -- the running day ---------------------------------------------------------------------------------------------------


def test_today_is_joined_provisional_and_good_for_five_minutes(
    book: CandleBook, broker: FakeCandles, clock: FakeClock
) -> None:
    series = book.read(KEY, MINUTE, day("2026-11-19"), day("2026-11-21"))

    assert len(series) == 375 + 121
    assert sources(series) == ["v3", INTRADAY]
    assert series.provisional_from == ist("2026-11-20 09:15")
    broker.asked.clear()
    clock.move(seconds=299)
    assert len(book.read(KEY, MINUTE, day("2026-11-19"), day("2026-11-21"))) == 375 + 121
    assert broker.asked == []
    clock.move(seconds=1)
    assert len(book.read(KEY, MINUTE, day("2026-11-19"), day("2026-11-21"))) == 375 + 126
    assert [one.first for one in broker.asked] == [None]


def test_all_intervals_of_a_running_day_share_one_answer(book: CandleBook, broker: FakeCandles) -> None:
    for word in ("1minute", "5m", "15m", "30minute", "hours/1"):
        series = book.read(KEY, word, day("2026-11-20"), day("2026-11-21"))
        minutes = broker.minutes(date(2026, 11, 20))
        assert series.close[-1] == minutes.close[120]
        assert series.volume.sum() == minutes.volume[:121].sum()

    assert len(broker.asked) == 1


@pytest.mark.parametrize("at", ["2026-11-20 08:59", "2026-11-21 12:00", "2026-11-24 12:00"])
def test_before_the_open_and_on_a_day_off_the_running_day_is_not_asked_for(
    book: CandleBook, broker: FakeCandles, clock: FakeClock, at: str
) -> None:
    clock.instant = ist(at)

    book.read(KEY, MINUTE, ist(at) - timedelta(hours=1), ist(at) + timedelta(hours=1))

    assert broker.asked == []


def test_after_the_close_one_more_answer_is_good_until_midnight(
    book: CandleBook, broker: FakeCandles, clock: FakeClock
) -> None:
    for at in ("15:29", "16:10", "18:00", "23:59"):
        clock.instant = ist(f"2026-11-20 {at}")
        series = book.read(KEY, MINUTE, day("2026-11-20"), day("2026-11-21"))

    assert (len(broker.asked), len(series)) == (2, 375)


def test_the_next_day_history_takes_the_place_of_what_was_told_while_the_day_ran(
    tmp_path: Path, broker: FakeCandles, clock: FakeClock
) -> None:
    broker.noise, broker.silent_minutes = 0.4, {epoch_ms(ist("2026-11-20 10:00"))}
    clock.instant = ist("2026-11-20 15:59")
    with open_candle_book(tmp_path, broker) as book:
        book.read(KEY, MINUTE, day("2026-11-20"), day("2026-11-21"))
    broker.silent_minutes = set()
    clock.instant = ist("2026-11-21 09:30")

    with open_candle_book(tmp_path, broker) as book:
        broker.fault = lambda asked: fault()
        stale = book.read(KEY, MINUTE, day("2026-11-20"), day("2026-11-21"))
        assert (len(stale), stale.provisional_from) == (374, day("2026-11-20"))
        assert not stale.complete
        broker.fault = lambda asked: None
        final = book.read(KEY, MINUTE, day("2026-11-20"), day("2026-11-21"))
        report = book.audit(KEY, MINUTE, day("2026-11-20"), day("2026-11-21"))

    assert same(final.columns, broker.bars(MINUTE, [date(2026, 11, 20)]))
    assert (final.provisional_from, final.missing) == (None, ())
    assert [(one.kind.value, one.bars) for one in report.findings] == [("late", 1), ("changed", 374)]


def test_if_today_cannot_be_had_what_is_known_of_it_is_shown_with_the_reason(
    book: CandleBook, broker: FakeCandles, clock: FakeClock
) -> None:
    book.read(KEY, MINUTE, day("2026-11-20"), day("2026-11-21"))
    broker.fault = lambda asked: fault()
    clock.move(minutes=30)

    series = book.read(KEY, MINUTE, day("2026-11-20"), day("2026-11-21"))

    assert len(series) == 121
    (gap,) = series.missing
    assert (gap.start, gap.end) == (ist("2026-11-20 11:15"), ist("2026-11-20 11:45"))


def test_the_running_week_and_month_are_made_of_days_and_of_today(book: CandleBook, broker: FakeCandles) -> None:
    for interval, first in ((WEEK, "2026-11-16"), (MONTH, "2026-11-01")):
        series = book.read(KEY, interval, day("2026-09-01"), day("2026-11-21"))

        minutes = broker.bars(MINUTE, days_of(first, "2026-11-19"))
        today = broker.minutes(date(2026, 11, 20))
        assert series.last == day(first)
        assert (series.open[-1], series.close[-1]) == (minutes.open[0], today.close[120])
        assert series.volume[-1] == minutes.volume.sum() + today.volume[:121].sum()
        assert series.provisional_from == day(first)
        assert FROM_DAYS in sources(series)


# -- longer bars of minutes --------------------------------------------------------------------------------------------


def test_longer_bars_of_days_whose_minutes_are_stored_need_no_call_and_say_so(
    book: CandleBook, broker: FakeCandles
) -> None:
    book.read(KEY, MINUTE, day("2026-10-12"), day("2026-10-17"))
    broker.asked.clear()

    series = book.read(KEY, FIVE, day("2026-10-05"), day("2026-10-17"))

    assert broker.history() == [("minutes/5", "2026-10-05", "2026-10-09")]
    assert same(series.columns, broker.bars(FIVE, days_of("2026-10-05", "2026-10-16")))
    assert sources(series) == ["v3", FROM_MINUTES]


def test_daily_bars_are_never_made_of_minutes(book: CandleBook, broker: FakeCandles) -> None:
    book.read(KEY, MINUTE, day("2026-10-12"), day("2026-10-17"))
    broker.asked.clear()

    book.read(KEY, DAY, day("2026-10-12"), day("2026-10-17"))

    assert broker.history() == [("days/1", "2026-10-12", "2026-10-16")]


# -- corporate actions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interval", [MINUTE, FIVE, DAY, WEEK, MONTH])
def test_after_a_split_the_whole_series_is_fetched_anew(
    book: CandleBook, broker: FakeCandles, clock: FakeClock, interval: Interval
) -> None:
    start = day("2026-06-01")
    clock.instant = ist("2026-10-02 10:00")
    book.read(KEY, interval, start, day("2026-10-02"))
    clock.instant = ist("2026-11-20 10:00")
    broker.factor = lambda day: 0.2  # the broker has adjusted all of its history

    series = book.read(KEY, interval, start, day("2026-11-01"))

    assert same(series.columns, broker.bars(interval, days_of("2026-06-01", "2026-11-01")))
    assert series.complete
    assert book.stats().begun_anew == 1
    broker.asked.clear()
    book.read(KEY, interval, start, day("2026-11-01"))
    assert broker.asked == []


def test_a_dividend_that_hardly_moves_prices_is_seen_in_the_bar_that_overlaps(
    book: CandleBook, broker: FakeCandles, clock: FakeClock
) -> None:
    clock.instant = ist("2026-11-19 10:00")
    book.read(KEY, DAY, day("2026-06-01"), day("2026-11-19"))
    clock.instant = ist("2026-11-20 10:00")
    broker.factor = lambda day: 0.99

    series = book.read(KEY, DAY, day("2026-06-01"), day("2026-11-20"))

    assert same(series.columns, broker.bars(DAY, days_of("2026-06-01", "2026-11-19")))


def test_older_days_that_are_adjusted_differently_are_seen_too(
    book: CandleBook, broker: FakeCandles, clock: FakeClock
) -> None:
    book.read(KEY, MINUTE, day("2026-10-12"), day("2026-10-17"))
    broker.factor = lambda day: 0.5

    series = book.read(KEY, MINUTE, day("2026-10-05"), day("2026-10-17"))

    assert same(series.columns, broker.bars(MINUTE, days_of("2026-10-05", "2026-10-16")))


def test_a_real_leap_costs_one_look_and_changes_nothing(book: CandleBook, broker: FakeCandles) -> None:
    broker.factor = lambda day: 1.0 if day < date(2026, 10, 15) else 1.1
    book.read(KEY, MINUTE, day("2026-10-12"), day("2026-10-15"))
    broker.asked.clear()

    book.read(KEY, MINUTE, day("2026-10-12"), day("2026-10-17"))

    assert broker.history() == [("minutes/1", "2026-10-15", "2026-10-16"), ("minutes/1", "2026-10-14", "2026-10-14")]
    assert book.stats().begun_anew == 0


# -- many readers ------------------------------------------------------------------------------------------------------


def test_readers_of_one_range_at_the_same_time_cause_one_call_for_each_stretch(
    book: CandleBook, broker: FakeCandles
) -> None:
    ready, go = threading.Barrier(8), threading.Event()
    broker.meanwhile = lambda: go.wait(0.05) and None
    lengths: list[int] = []

    def read() -> None:
        ready.wait()
        lengths.append(len(book.read(KEY, MINUTE, day("2026-09-01"), day("2026-11-21"))))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(lengths)) == 1
    assert len(broker.history()) == len(set(broker.history())) == 3
    assert len(broker.asked) == 4


def test_who_waits_for_a_call_that_fails_hears_its_error_and_does_not_ask_again(
    book: CandleBook, broker: FakeCandles
) -> None:
    on_the_way, go = threading.Event(), threading.Event()
    found: list[CandleSeries] = []

    def wait() -> None:
        on_the_way.set()
        assert go.wait(30)

    broker.meanwhile, broker.fault = wait, lambda asked: fault()
    first = threading.Thread(target=lambda: found.append(book.read(KEY, DAY, day("2026-10-01"), day("2026-11-01"))))
    first.start()
    assert on_the_way.wait(30)
    flights = book._fetcher._flights
    joining = flights.join_or_start

    def joins(*of: object) -> object:
        answer = joining(*of)  # type: ignore[arg-type]
        go.set()
        return answer

    flights.join_or_start = joins  # type: ignore[method-assign, assignment]

    found.append(book.read(KEY, DAY, day("2026-10-01"), day("2026-11-01")))
    first.join()

    assert len(broker.asked) == 1
    assert [len(one.missing) for one in found] == [1, 1]


# -- latest, stored, and so on -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "count"), [("day", 100), ("1minute", 1), ("1minute", 1000), ("15m", 40), ("week", 10), ("month", 4)]
)
def test_the_latest_are_the_latest_and_so_many(book: CandleBook, broker: FakeCandles, word: str, count: int) -> None:
    series = book.latest(KEY, word, count)

    whole = book.read(KEY, word, day("2026-01-01"), day("2026-11-21"))
    assert len(series) == count
    assert same(series.columns, whole.tail(count).columns)


def test_a_young_instrument_has_fewer_and_the_store_knows_that(book: CandleBook, broker: FakeCandles) -> None:
    broker.hidden = set(days_of("1999-12-01", "2026-10-31"))

    series = book.latest(KEY, DAY, 100)

    assert (len(series), series.first, series.missing) == (15, day("2026-11-02"), ())
    assert len(broker.history()) <= 5
    broker.asked.clear()
    assert len(book.latest(KEY, DAY, 100)) == 15
    assert broker.asked == []


@pytest.mark.parametrize("count", [0, -1, 2_000_000, True, "7", 1.5])
def test_a_count_that_is_none_is_refused(book: CandleBook, count: int) -> None:
    with pytest.raises(InvalidRequest):
        book.latest(KEY, DAY, count)


def test_what_is_stored_can_be_had_without_a_call_and_says_what_was_never_fetched(
    book: CandleBook, broker: FakeCandles
) -> None:
    book.read(KEY, DAY, day("2026-10-05"), day("2026-10-10"))
    broker.asked.clear()

    series = book.stored(KEY, DAY, day("2026-10-03"), day("2026-10-17"))

    assert (len(series), broker.asked) == (5, [])
    assert [(one.start, one.end, one.why) for one in series.missing] == [
        (day("2026-10-12"), day("2026-10-17"), "not fetched")
    ]


def test_clearing_forgets_memory_and_disk(tmp_path: Path, book: CandleBook, broker: FakeCandles) -> None:
    book.read(KEY, DAY, day("2026-10-05"), day("2026-11-21"))

    book.clear()

    assert len(book.stored(KEY, DAY, day("2026-10-05"), day("2026-11-21"))) == 0
    assert book.stats().stored.candles == book.stats().bars_in_memory == 0
    broker.asked.clear()
    book.read(KEY, DAY, day("2026-10-05"), day("2026-11-21"))
    assert len(broker.asked) == 2


def test_figures_tell_what_was_read_and_fetched(book: CandleBook, broker: FakeCandles) -> None:
    for _ in range(4):
        book.read(KEY, DAY, day("2026-10-05"), day("2026-10-17"))

    stats = book.stats()

    assert (stats.reads, stats.reads_without_call, stats.calls, stats.candles_fetched) == (4, 3, 1, 10)
    assert (stats.stored.candles, stats.bars_in_memory, stats.failures) == (10, 10, 0)


@pytest.mark.parametrize(
    ("key", "interval", "start", "end"),
    [
        ("RELIANCE", "day", day("2026-10-05"), day("2026-10-06")),
        (KEY, "6h", day("2026-10-05"), day("2026-10-06")),
        (KEY, "day", day("2026-10-06"), day("2026-10-06")),
        (KEY, "day", datetime(2026, 10, 5), day("2026-10-06")),  # noqa: DTZ001  # what is refused
    ],
)
def test_nonsense_is_refused_before_anybody_is_asked(
    book: CandleBook, broker: FakeCandles, key: str, interval: str, start: datetime, end: datetime
) -> None:
    with pytest.raises(InvalidRequest):
        book.read(key, interval, start, end)

    assert broker.asked == []


# -- with the feed -----------------------------------------------------------------------------------------------------


@pytest.fixture
def feed(clock: FakeClock, broker: FakeCandles) -> FeedOfMinutes:
    return FeedOfMinutes(clock, broker)


@pytest.fixture
def live_book(tmp_path: Path, broker: FakeCandles, feed: FeedOfMinutes) -> Iterator[CandleBook]:
    with open_candle_book(tmp_path, broker, live=feed.minutes) as made:
        yield made


@pytest.mark.parametrize("word", ["1minute", "5m", "hours/1"])
def test_what_the_feed_tells_is_joined_to_what_the_broker_told(
    live_book: CandleBook, broker: FakeCandles, feed: FeedOfMinutes, word: str
) -> None:
    live_book.read(KEY, word, day("2026-11-20"), day("2026-11-21"))
    broker.asked.clear()

    feed.run_to(ist("2026-11-20 11:30"))
    series = live_book.read(KEY, word, day("2026-11-20"), day("2026-11-21"))

    minutes = broker.minutes(date(2026, 11, 20)).take(slice(0, 135))
    expected = minutes if word == "1minute" else broker.longer(minutes, Interval.parse(word))
    assert broker.asked == []
    assert series.start_ms.tolist() == expected.start_ms.tolist()
    for mine, right in zip(series.columns.as_tuple()[1:5], expected.as_tuple()[1:5], strict=True):
        assert mine.tolist() == right.tolist()
    assert sources(series)[-1] == FORMING
    forming = live_book.forming(KEY, word)
    assert forming is not None
    assert (forming.start, forming.close) == (series.last, minutes.close[-1])


def test_without_the_feed_nothing_forms(live_book: CandleBook, feed: FeedOfMinutes) -> None:
    feed.on = False
    live_book.read(KEY, MINUTE, day("2026-11-20"), day("2026-11-21"))

    assert live_book.forming(KEY, MINUTE) is None


def test_before_anybody_has_read_the_day_a_minute_half_heard_is_not_told_as_a_bar(
    live_book: CandleBook, feed: FeedOfMinutes
) -> None:
    live_book.forming(KEY, MINUTE)
    feed.run_to(ist("2026-11-20 11:20"))

    assert live_book.forming(KEY, FIVE) is None


def test_what_was_said_between_two_connections_is_asked_for(
    live_book: CandleBook, broker: FakeCandles, feed: FeedOfMinutes
) -> None:
    live_book.read(KEY, MINUTE, day("2026-11-20"), day("2026-11-21"))
    feed.run_to(ist("2026-11-20 11:20"))
    feed.on = False
    feed.run_to(ist("2026-11-20 11:22"))
    feed.on, feed.number = True, 2

    series = live_book.read(KEY, MINUTE, day("2026-11-20"), day("2026-11-21"))

    assert [one.first for one in broker.asked[1:]] == [None]
    assert series.start_ms.tolist() == broker.minutes(date(2026, 11, 20)).start_ms[:128].tolist()


def test_a_window_reopened_all_day_fetches_forty_times_less_than_a_cache_of_whole_ranges(
    live_book: CandleBook, broker: FakeCandles, feed: FeedOfMinutes, clock: FakeClock
) -> None:
    clock.instant = ist("2026-11-20 09:10")
    usual = 0
    while clock.instant < ist("2026-11-20 15:40"):
        feed.run_to(clock.instant + timedelta(minutes=5))
        series = live_book.read(KEY, MINUTE, day("2026-10-23"), day("2026-11-21"))
        usual += len(series)
        assert series.complete

    assert series.columns.start_ms.tolist() == broker.bars(
        MINUTE, days_of("2026-10-23", "2026-11-19")
    ).start_ms.tolist() + (broker.minutes(date(2026, 11, 20)).start_ms.tolist())
    assert usual >= 40 * broker.fetched


def test_an_index_has_bars_without_volume(live_book: CandleBook, feed: FeedOfMinutes, clock: FakeClock) -> None:
    live_book.read(INDEX, MINUTE, day("2026-11-20"), day("2026-11-21"))
    clock.move(minutes=2)
    feed.minutes.put(0, [(INDEX, 25_000.0, epoch_ms(clock.instant), 0, None)])

    forming = live_book.forming(INDEX, MINUTE)

    assert forming is not None
    assert (forming.close, forming.volume) == (25_000.0, 0)

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from services.candles.audit import Kind
from services.candles.book import CandleBook
from services.domain.candles import Interval
from services.domain.clock import epoch_ms
from services.domain.errors import BrokerFault
from services.domain.phases import Listing
from services.wire.candle_columns import CandleColumns, columns_of, joined
from tests.support.candle_columns import same
from tests.support.candles import KEY, FakeCandles, day, ist, open_candle_book
from tests.support.clocks import FakeClock


@pytest.fixture
def broker() -> FakeCandles:
    return FakeCandles(FakeClock(ist("2026-11-20 11:15")))


@pytest.fixture
def book(tmp_path: Path, broker: FakeCandles) -> Iterator[CandleBook]:
    with open_candle_book(tmp_path, broker) as made:
        yield made


@pytest.mark.parametrize("word", ["1minute", "5m", "7m", "hours/1", "day", "week", "month"])
def test_a_whole_series_has_nothing_to_tell(book: CandleBook, word: str) -> None:
    start = day("2026-09-01" if word in ("day", "week", "month") else "2026-11-09")
    series = book.read(KEY, word, start, day("2026-11-21"))

    report = book.audit(KEY, word, start, day("2026-11-21"))

    assert report.findings == ()
    assert report.bars == len(series)
    assert report.expected == len(series) - 1  # the one that forms is not expected yet


def test_minutes_without_a_trade_are_told_apart_from_days_that_nobody_asked_for(
    book: CandleBook, broker: FakeCandles
) -> None:
    broker.silent_minutes = {epoch_ms(ist(f"2026-10-13 {at}")) for at in ("12:05", "12:06", "12:07", "12:08", "14:00")}
    book.read(KEY, "1minute", day("2026-10-12"), day("2026-10-15"))

    report = book.audit(KEY, "1minute", day("2026-10-12"), day("2026-10-17"))

    assert [(one.start, one.end, one.bars) for one in report.of(Kind.NO_TRADE)] == [
        (ist("2026-10-13 12:05"), ist("2026-10-13 12:09"), 4),
        (ist("2026-10-13 14:00"), ist("2026-10-13 14:01"), 1),
    ]
    assert [(one.start, one.end, one.bars) for one in report.of(Kind.NOT_FETCHED)] == [
        (ist("2026-10-15 09:15"), ist("2026-10-16 15:30"), 750)
    ]
    assert (report.count(Kind.NO_TRADE), report.bars, report.expected) == (5, 3 * 375 - 5, 5 * 375)


def test_a_trading_day_without_a_daily_bar_is_told(book: CandleBook, broker: FakeCandles) -> None:
    broker.hidden = {date(2026, 10, 14)}
    book.read(KEY, "day", day("2026-10-12"), day("2026-10-17"))

    (finding,) = book.audit(KEY, "day", day("2026-10-12"), day("2026-10-17")).findings

    assert (finding.kind, finding.start, finding.end) == (Kind.NO_TRADE, day("2026-10-14"), day("2026-10-15"))


def test_days_before_the_first_bar_are_no_gap_of_something_young(book: CandleBook, broker: FakeCandles) -> None:
    broker.hidden = {date(2026, 10, day) for day in range(1, 14)}
    broker.silent_minutes = {epoch_ms(ist("2026-10-14 09:15"))}
    book.read(KEY, "1minute", day("2026-10-12"), day("2026-10-15"))

    report = book.audit(KEY, "1minute", day("2026-10-12"), day("2026-10-15"))

    assert [(one.kind, one.start, one.end, one.bars) for one in report.findings] == [
        (Kind.NO_TRADE, ist("2026-10-14 09:15"), ist("2026-10-14 09:16"), 1),
        (Kind.BEFORE, ist("2026-10-12 09:15"), ist("2026-10-13 15:30"), 750),
    ]


def test_days_that_nobody_asked_for_are_not_taken_for_days_before_the_first_bar(book: CandleBook) -> None:
    book.read(KEY, "day", day("2026-10-14"), day("2026-10-17"))

    report = book.audit(KEY, "day", day("2026-10-12"), day("2026-10-17"))

    assert [(one.kind, one.bars) for one in report.findings] == [(Kind.NOT_FETCHED, 2)]


def test_what_is_newer_than_the_brokers_last_answer_is_not_fetched_yet(book: CandleBook, broker: FakeCandles) -> None:
    book.read(KEY, "1minute", day("2026-11-20"), day("2026-11-21"))
    broker.clock.move(minutes=10)

    (finding,) = book.audit(KEY, "1minute", day("2026-11-20"), day("2026-11-21")).findings

    assert (finding.kind, finding.start, finding.bars) == (Kind.NOT_FETCHED, ist("2026-11-20 11:16"), 9)


def test_the_running_day_is_known_as_told_last_though_a_day_before_was_told_longer_ago(
    book: CandleBook, broker: FakeCandles
) -> None:
    broker.silent_minutes = {epoch_ms(ist("2026-11-20 10:00"))}
    broker.clock.instant = ist("2026-11-19 15:45")
    book.read(KEY, "1minute", day("2026-11-19"), day("2026-11-20"))
    broker.clock.instant = ist("2026-11-20 11:15")
    broker.fault = lambda asked: None if asked.first is None else BrokerFault("no history", status=503)
    book.read(KEY, "1minute", day("2026-11-19"), day("2026-11-21"))

    (finding,) = book.audit(KEY, "1minute", day("2026-11-19"), day("2026-11-21")).findings

    assert (finding.kind, finding.start) == (Kind.NO_TRADE, ist("2026-11-20 10:00"))


def test_bars_that_cannot_be_right_are_kept_and_told(book: CandleBook, broker: FakeCandles) -> None:
    whole = broker.minutes(date(2026, 10, 13))
    high, low, close, volume = (np.array(column) for column in (whole.high, whole.low, whole.close, whole.volume))
    high[3], low[3] = low[3], high[3]
    low[5] = 0.0
    close[7] = high[7] + 5
    volume[9] = -4
    before = columns_of([[epoch_ms(ist("2026-10-13 08:15"))], *([[1.0]] * 4), [1], [0]])
    wrong = CandleColumns(whole.start_ms, whole.open, high, low, close, volume, whole.oi)
    broker.bars = lambda interval, days: joined([before, wrong])  # type: ignore[method-assign]

    series = book.read(KEY, "1minute", day("2026-10-13"), day("2026-10-14"))
    report = book.audit(KEY, "1minute", day("2026-10-13"), day("2026-10-14"))

    assert same(series.columns, joined([before, wrong]))
    assert {(f"{one.start:%H:%M}", one.detail) for one in report.of(Kind.SUSPICIOUS)} == {
        ("03:48", "high below low"),
        ("03:50", "a price of zero or below"),
        ("03:52", "open or close beyond high and low"),
        ("03:54", "negative volume or open interest"),
        ("02:45", "out of session"),
    }


def test_the_closing_auction_is_within_the_session_and_not_expected_of_its_shares(
    book: CandleBook, broker: FakeCandles
) -> None:
    book.read(KEY, "1minute", day("2026-08-03"), day("2026-08-04"))

    ordinary = book.audit(KEY, "1minute", day("2026-08-03"), day("2026-08-04"))
    auction = book.audit(KEY, "1minute", day("2026-08-03"), day("2026-08-04"), listing=Listing.AUCTION)

    assert ordinary.findings == auction.findings == ()
    assert (ordinary.expected, auction.expected) == (375, 360)


def test_of_days_that_nobody_has_published_nothing_is_expected(book: CandleBook) -> None:
    report = book.audit(KEY, Interval.parse("1m"), day("2026-11-08"), day("2026-11-09"))  # muhurat, hours not told yet

    assert (report.expected, report.days_unknown) == (0, 1)

"""Real candles by the way of a chart: paper broker, book, loader, what the browser gets. Not a figure changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from dashboard.candle_loading import CandleLoader, Look
from dashboard.chart_choice import Choice, Span
from dashboard.chart_data import Scene, chart_data
from services.domain.calendar.days import midnight
from services.domain.candles import DAY, MINUTE, Interval
from services.domain.clock import IST, epoch_ms
from services.runtime import Runtime
from services.settings import load_settings
from tests.support.real_candles import RealBar, real_days, real_minutes
from tests.support.shared_data import shared

TCS, RELIANCE, NIFTY = "NSE_EQ|INE467B01029", "NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50"
LATER = "2026-08-24T10:00:00+05:30x0.001"
COLUMNS = ("time", "open", "high", "low", "close", "volume")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    yield from _desk(tmp_path_factory, shared("data/candles_1m"))


@pytest.fixture(scope="module")
def daily_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    yield from _desk(tmp_path_factory, shared("data/daily_nse"))


def _desk(folders: pytest.TempPathFactory, candles: Path) -> Iterator[Runtime]:
    settings = load_settings(data_dir=folders.mktemp("desk"), mode="paper", paper_clock=LATER, paper_candles=candles)
    with Runtime(settings) as runtime:
        yield runtime


def drawn(desk: Runtime, key: str, interval, first: str, last: str) -> dict:
    start = midnight(date.fromisoformat(first))
    end = midnight(date.fromisoformat(last)) + timedelta(days=1)
    with closing(CandleLoader(lambda: desk.candles)) as loader:
        look: Look = loader.look(key, interval, start, end, patience=30.0)
    scene = Scene(
        choice=Choice(key, interval, Span.MONTH),
        look=look,
        start=start,
        now=desk.clock.now(),
        instruments=desk.instruments.many([key]),
        compared={},
        forming=None,
        day_volume=None,
        calendar=desk.calendar.current,
        practice=desk.source.practice,
        clockwork={"in_session": False},
        origin="Paper, prices: replay",
    )
    return chart_data(scene, (0, 1_000))  # as somebody who looks at the first of them


def bars(made: dict) -> list[tuple]:
    return list(zip(*(made["bars"][name] for name in COLUMNS), strict=True))


def told(rows: list[RealBar]) -> list[tuple]:
    return [(epoch_ms(row.start), *row[1:6]) for row in rows]


@pytest.mark.parametrize(
    ("key", "name", "first", "last"),
    [
        (TCS, "TCS_1m_20250101_20250115.csv", "2025-01-01", "2025-01-15"),
        (RELIANCE, "RELIANCE_1m_20260324.csv", "2026-03-24", "2026-03-24"),
        (NIFTY, "NIFTY50_1m_20260728_20260821.csv", "2026-07-28", "2026-08-21"),
        (NIFTY, "NIFTY50_1m_20250904_20250910_utc.csv", "2025-09-04", "2025-09-10"),
    ],
)
def test_a_chart_draws_the_bars_of_the_file(desk, key, name, first, last):
    made, expected = drawn(desk, key, MINUTE, first, last), told(real_minutes(name))

    assert made["total"] == len(expected)
    assert made["bars"]["step"] == 1
    assert bars(made) == expected[: made["bars"]["first"] + len(made["bars"]["time"])]
    assert len(bars(made)) >= min(1_000, len(expected))


def test_the_index_is_drawn_flat_until_its_closing_auction(desk):
    made = drawn(desk, NIFTY, MINUTE, "2026-08-03", "2026-08-03")

    flat = [bar[1:5] for bar in bars(made)[-15:-1]]
    assert set(flat) == {(24573.35,) * 4}
    assert bars(made)[-1][2] == 24774.3
    assert made["holes"] == []


@pytest.mark.parametrize(
    ("on", "count", "words"), [("2026-07-28", 371, "12:05–12:09"), ("2025-09-05", 374, "1 bar no trade")]
)
def test_minutes_that_are_missing_leave_a_mark_and_no_bar(desk, on, count, words):
    made = drawn(desk, NIFTY, MINUTE, on, on)

    (hole,) = made["holes"]
    assert words in hole["text"]
    assert made["total"] == count
    before = made["bars"]["time"][int(hole["at"])]
    assert made["bars"]["time"][int(hole["at"]) + 1] - before == (375 - count + 1) * 60_000


def test_a_chart_of_days_draws_the_rows_of_the_daily_file(daily_desk):
    made = drawn(daily_desk, TCS, DAY, "2022-08-23", "2026-08-21")

    rows = told(real_days("TCS", since="2022-08-23"))
    assert bars(made)[: len(rows)] == rows


def test_a_sunday_with_a_session_stands_between_friday_and_monday(daily_desk):
    made = drawn(daily_desk, TCS, DAY, "2026-01-30", "2026-02-02")

    days = [epoch_ms(midnight(date(2026, *day))) for day in ((1, 30), (2, 1), (2, 2))]  # the Budget
    assert made["bars"]["time"] == days


@pytest.mark.parametrize(("word", "bars_of_it"), [("1m", 60), ("5m", 12), ("15m", 4), ("1h", 1)])
def test_muhurat_takes_as_much_room_as_it_has_bars_and_the_night_before_it_none(desk, word, bars_of_it):
    interval = Interval.parse(word)
    made = drawn(desk, TCS, interval, "2025-10-20", "2025-10-23")

    starts = made["bars"]["time"]
    opens = datetime(2025, 10, 21, 13, 45, tzinfo=IST)
    place = starts.index(epoch_ms(opens))
    whole = -(-375 // interval.minutes)
    assert place == whole  # right behind the day before
    assert starts[place + bars_of_it] == epoch_ms(datetime(2025, 10, 23, 9, 15, tzinfo=IST))  # the 22nd was a holiday
    assert made["total"] == 2 * whole + bars_of_it

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.candle_fetcher_v3 import CandleFetcherV3
from services.candles.audit import Kind
from services.candles.series import Missing
from services.domain.clock import IST
from services.domain.errors import InvalidRequest, UpstoxError
from services.runtime import Runtime, use_runtime
from services.settings import load_settings
from tests.support.candles import ist
from tests.support.real_candles import RealBar, real_days, real_minutes
from tests.support.shared_data import shared

TCS, RELIANCE, NIFTY = "NSE_EQ|INE467B01029", "NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50"
LATER = "2026-08-24T10:00:00+05:30x0.001"


@pytest.fixture(scope="module")
def minutes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CandleFetcherV3]:
    yield from _fetcher(tmp_path_factory, shared("data/candles_1m"))


@pytest.fixture(scope="module")
def daily(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CandleFetcherV3]:
    yield from _fetcher(tmp_path_factory, shared("data/daily_nse"))


def _fetcher(folders: pytest.TempPathFactory, candles: Path) -> Iterator[CandleFetcherV3]:
    settings = load_settings(data_dir=folders.mktemp("desk"), mode="paper", paper_clock=LATER, paper_candles=candles)
    with Runtime(settings) as runtime, use_runtime(runtime):
        yield CandleFetcherV3()


def _file(name: str) -> list[dict[str, Any]]:
    """The bars of a file of minutes as `fetch_candles` should give them."""
    return [_told(row) for row in real_minutes(name)]


def _told(row: RealBar) -> dict[str, Any]:
    values = dict(zip(("open", "high", "low", "close", "volume"), row[1:6], strict=True))
    return {"timestamp": row.start.astimezone(IST).isoformat(), **values, "oi": 0}


def _of_day(rows: list[Any], day: str) -> list[Any]:
    return [row for row in rows if row["timestamp"].startswith(day)]


@pytest.mark.parametrize(
    ("key", "name", "first", "last"),
    [
        (TCS, "TCS_1m_20250101_20250115.csv", "2025-01-01", "2025-01-15"),
        (RELIANCE, "RELIANCE_1m_20260324.csv", "2026-03-24", "2026-03-24"),
        (NIFTY, "NIFTY50_1m_20260728_20260821.csv", "2026-07-28", "2026-08-21"),
        (NIFTY, "NIFTY50_1m_20250904_20250910_utc.csv", "2025-09-04", "2025-09-10"),
    ],
)
def test_real_minutes_come_exactly_as_they_are(
    minutes: CandleFetcherV3, key: str, name: str, first: str, last: str
) -> None:
    found = minutes.fetch_candles(key, "1minute", first, last)

    assert found == _file(name)


def test_the_index_stands_still_until_its_closing_auction_and_is_kept_so(minutes: CandleFetcherV3) -> None:
    bars = _of_day(minutes.fetch_candles(NIFTY, "1minute", "2026-08-03", "2026-08-03"), "2026-08-03")

    flat = [bar for bar in bars if "15:15" <= bar["timestamp"][11:16] < "15:27"]
    assert len(flat) == 12
    assert len({bar["close"] for bar in flat}) == 1


def test_minutes_that_are_missing_are_told_and_not_invented(minutes: CandleFetcherV3) -> None:
    bars = minutes.fetch_candles(NIFTY, "1minute", "2026-07-28", "2026-07-28")
    book, start = minutes._candles, ist("2026-07-28 00:00")

    report = book.audit(NIFTY, "1minute", start, start + timedelta(days=1))

    assert len(bars) == 371
    assert [(one.kind, one.start, one.bars) for one in report.findings] == [(Kind.NO_TRADE, ist("2026-07-28 12:05"), 4)]


@pytest.mark.parametrize("interval", ["5m", "15m", "30minute", "hours/1"])
def test_longer_bars_are_made_of_the_minutes(minutes: CandleFetcherV3, interval: str) -> None:
    bars = minutes.fetch_candles(TCS, interval, "2025-01-01", "2025-01-15")

    each = _file("TCS_1m_20250101_20250115.csv")
    assert sum(bar["volume"] for bar in bars) == sum(bar["volume"] for bar in each)
    for bar, following in zip(bars, [*bars[1:], None], strict=True):
        until = "9" if following is None else following["timestamp"]
        inside = [one for one in each if bar["timestamp"] <= one["timestamp"] < until]
        assert (bar["open"], bar["close"]) == (inside[0]["open"], inside[-1]["close"])
        assert (bar["high"], bar["low"]) == (max(one["high"] for one in inside), min(one["low"] for one in inside))


def test_real_days_come_exactly_as_they_are_and_plain_sql_finds_them(daily: CandleFetcherV3) -> None:
    bars = daily.fetch_candles(TCS, "day", "2019-08-01", "2026-08-21")

    rows = [_told(row) for row in real_days("TCS")]
    got = {bar["timestamp"]: bar for bar in bars}
    assert [got.get(row["timestamp"]) for row in rows] == rows
    with closing(sqlite3.connect(daily._candles._store._pool.path)) as connection:
        stored = connection.execute(
            "SELECT date, open, high, low, close, volume FROM ohlc_data WHERE instrument_key = ?", (TCS,)
        ).fetchall()
    names = ("open", "high", "low", "close", "volume")
    assert {row[0]: row[1:] for row in stored} == {
        bar["timestamp"][:10]: tuple(bar[name] for name in names) for bar in got.values()
    }


def test_minutes_aggregate_to_the_daily_bar(tmp_path: Path) -> None:
    files = tmp_path / "candles"
    files.mkdir()
    for name in ("candles_1m/TCS_1m_20250101_20250115.csv", "daily_nse/TCS.csv"):
        source = shared(f"data/{name}")
        (files / source.name).write_bytes(source.read_bytes())
    settings = load_settings(data_dir=tmp_path / "desk", mode="paper", paper_clock=LATER, paper_candles=files)
    with Runtime(settings) as runtime, use_runtime(runtime):
        each = CandleFetcherV3().fetch_candles(TCS, "1minute", "2025-01-01", "2025-01-15")
        days = CandleFetcherV3().fetch_candles(TCS, "day", "2025-01-01", "2025-01-15")

    official = [row for row in real_days("TCS", since="2025-01-01") if row.start < ist("2025-01-16 00:00")]
    assert days == [_told(row) for row in official]
    assert len(days) == 11
    for row, bar in zip(official, days, strict=True):
        inside = _of_day(each, bar["timestamp"][:10])
        assert (bar["open"], bar["high"], bar["low"], row.last) == (
            inside[0]["open"], max(one["high"] for one in inside), min(one["low"] for one in inside),
            inside[-1]["close"],
        )  # fmt: skip
        # before the open and after the close some is traded that no minute has
        assert 0.98 <= sum(one["volume"] for one in inside) / bar["volume"] <= 1


def test_without_a_file_of_days_the_day_is_what_its_minutes_make(minutes: CandleFetcherV3) -> None:
    each = minutes.fetch_candles(TCS, "1minute", "2025-01-01", "2025-01-15")
    days = minutes.fetch_candles(TCS, "day", "2025-01-01", "2025-01-15")

    assert len(days) == 11
    for bar in days:
        inside = _of_day(each, bar["timestamp"][:10])
        assert (bar["open"], bar["high"], bar["low"], bar["close"], bar["volume"]) == (
            inside[0]["open"], max(one["high"] for one in inside), min(one["low"] for one in inside),
            inside[-1]["close"], sum(one["volume"] for one in inside),
        )  # fmt: skip


def test_the_latest_are_the_latest_oldest_first(daily: CandleFetcherV3) -> None:
    found = daily.fetch_latest_candles(TCS, "day", 50)

    assert len(found) == 50
    stamps = [bar["timestamp"] for bar in found]
    assert stamps == sorted(stamps)
    assert stamps[-1] == "2026-08-24T00:00:00+05:30"  # the day that runs
    assert daily.fetch_latest_candles(TCS, count=3) == found[-3:]


def test_figures_and_clearing(daily: CandleFetcherV3) -> None:
    daily.clear_cache()
    before = daily.get_cache_stats()
    for _ in range(3):
        daily.fetch_candles(TCS, "day", date(2026, 1, 1), date(2026, 6, 30))
    after = daily.get_cache_stats()

    assert before["db_cache_candles"] == before["memory_cache_candles"] == before["db_cache_entries"] == 0
    assert after["db_cache_candles"] == after["memory_cache_candles"] > 100
    assert after["total_api_calls"] - before["total_api_calls"] == 1
    assert after["total_reads"] - before["total_reads"] == 3
    assert 0 < after["bytes_per_candle"] <= 20
    assert after["avg_fetch_time_ms"] > 0
    daily.clear_cache()
    assert daily.get_cache_stats()["db_cache_bytes"] == 0


@pytest.mark.parametrize(
    ("key", "interval", "first", "last"),
    [
        ("TCS", "day", "2026-01-01", "2026-01-02"), (TCS, "fortnight", "2026-01-01", "2026-01-02"),
        (TCS, "day", "2026-01-03", "2026-01-02"), (TCS, "day", "01-01-2026", "2026-01-02"),
        (TCS, "day", datetime(2026, 1, 1, tzinfo=UTC), "2026-01-02"), (TCS, "day", None, "2026-01-02"),
        (TCS, "day", "0001-01-01", "0002-01-01"),
    ],
)  # fmt: skip
def test_nonsense_is_refused(daily: CandleFetcherV3, key: str, interval: str, first: Any, last: Any) -> None:
    with pytest.raises(InvalidRequest):
        daily.fetch_candles(key, interval, first, last)


def test_all_of_time_may_be_asked_for(daily: CandleFetcherV3) -> None:
    missing: list[Missing] = []

    bars = daily.fetch_candles(TCS, "month", "0001-01-01", "9999-12-31", missing=missing)

    assert len(bars) > 100
    assert [one.error for one in missing] == [None]


def test_an_unknown_instrument_raises_and_with_a_list_says_why(daily: CandleFetcherV3) -> None:
    with pytest.raises(UpstoxError):
        daily.fetch_candles("NSE_EQ|INE000000000", "day", "2026-01-01", "2026-01-31")
    missing: list[Missing] = []

    assert daily.fetch_candles("NSE_EQ|INE000000000", "day", "2026-01-01", "2026-01-31", missing=missing) == []
    assert isinstance(missing[0].error, UpstoxError)


def test_all_fetchers_over_one_file_share_one_cache_and_a_restart_makes_no_call(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, mode="paper", paper_clock=LATER)

    def read() -> list[Any]:
        return [CandleFetcherV3().fetch_candles(TCS, word, "2026-05-01", "2026-08-21") for word in ("day", "hours/1")]

    with Runtime(settings) as runtime, use_runtime(runtime):
        first, again = read(), read()
        assert runtime.candles is runtime.candles_in("market_data.db")
        assert CandleFetcherV3().get_cache_stats()["total_api_calls"] == 3
    with Runtime(settings) as runtime, use_runtime(runtime):
        assert read() == first == again
        assert CandleFetcherV3().get_cache_stats()["total_api_calls"] == 0


def test_a_year_of_minutes_comes_whole_in_calls_that_the_broker_allows(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, mode="paper", paper_clock=LATER)
    told: list[float] = []
    with Runtime(settings) as runtime, use_runtime(runtime):
        fetcher = CandleFetcherV3()
        bars = fetcher.fetch_candles(
            TCS, "1minute", "2025-08-23", "2026-08-21", progress=lambda share, words: told.append(share)
        )
        days = fetcher.fetch_candles(TCS, "day", "2025-08-23", "2026-08-21")
        stats = fetcher.get_cache_stats()

    per_day = Counter(bar["timestamp"][:10] for bar in bars)
    assert list(per_day) == [bar["timestamp"][:10] for bar in days]
    # an hour of muhurat, all else whole days
    assert {day: count for day, count in per_day.items() if count != 375} == {"2025-10-21": 60}
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)
    assert 13 <= stats["total_api_calls"] <= 16
    assert stats["bytes_per_candle"] <= 20


def test_another_simulated_market_does_not_find_the_bars_of_the_first(tmp_path: Path) -> None:
    found = []
    for seed in (7, 8):
        settings = load_settings(data_dir=tmp_path, mode="paper", paper_clock=LATER, paper_seed=seed)
        with Runtime(settings) as runtime, use_runtime(runtime):
            found.append(CandleFetcherV3().fetch_candles(TCS, "day", "2026-05-01", "2026-08-21"))

    assert found[0] != found[1]


def test_a_contract_is_told_from_an_earlier_one_of_its_number_by_the_expiry(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, mode="paper", paper_clock=LATER)
    with Runtime(settings) as runtime, use_runtime(runtime):
        future = next(one for one in runtime.instruments.search("nifty fut") if one.expiry is not None)
        bars = CandleFetcherV3().fetch_latest_candles(future.key, "day", 5)

        with runtime.market_pool.get_connection(write=False) as connection:
            (origin,) = connection.execute("SELECT DISTINCT origin FROM candle_series").fetchone()
    assert len(bars) == 5
    assert origin.endswith(f", expiry {future.expiry}")

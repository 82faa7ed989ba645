from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from services.domain.errors import ConfigurationError
from services.paper.candles import read_candles
from tests.support.shared_data import shared


def same(symbol: str) -> str:
    return symbol


def test_the_daily_files_of_the_exchange_are_read() -> None:
    store = read_candles(shared("data/daily_nse/M&M.csv"), same)

    day = store.days["M&M"][date(2019, 10, 1)]

    assert (day.open, day.high, day.low, day.close) == (551.0, 566.1, 536.6, 556.7)
    assert (day.previous_close, day.volume, day.minutes) == (547.15, 5664019, None)
    assert len(store.days["M&M"]) == 1710


def test_a_folder_of_whole_market_files_is_read() -> None:
    store = read_candles(shared("data/bhavcopy_nse_cm"), lambda symbol: symbol if symbol == "HDFCBANK" else None)

    assert [str(day) for day in store.all_days()] == [
        "2024-11-01",
        "2025-10-21",
        "2026-02-01",
        "2026-07-31",
        "2026-08-03",
        "2026-08-21",
    ]
    assert store.days["HDFCBANK"][date(2026, 8, 21)].close == 726.95


def test_stamps_in_universal_time_become_indian_minutes_and_float_noise_goes() -> None:
    store = read_candles(shared("data/candles_1m/NIFTY50_1m_20250904_20250910_utc.csv"), same)

    day = store.days["NIFTY50"][date(2025, 9, 4)]

    assert day.minutes is not None
    assert day.minutes.start[0] == 9 * 60 + 15
    assert day.minutes.prices[0].tolist() == [24970.3, 24970.3, 24867.05, 24876.6]


def test_the_symbol_is_in_a_column_or_in_the_files_name() -> None:
    folder = shared("data/candles_1m")

    assert set(read_candles(folder, same).days) == {"TCS", "NIFTY50", "RELIANCE"}


def test_minutes_and_the_daily_bar_of_one_day_complete_each_other(tmp_path: Path) -> None:
    (tmp_path / "a_1m.csv").write_text(
        "datetime,open,high,low,close,volume,symbol\n"
        "2026-01-05 09:15:00,100,101,99,100.5,10,TCS\n2026-01-05 09:16:00,100.5,102,100,101,20,TCS\n"
    )
    (tmp_path / "b.csv").write_text(
        "SYMBOL,SERIES,DATE1,PREV_CLOSE,OPEN_PRICE,HIGH_PRICE,LOW_PRICE,LAST_PRICE,CLOSE_PRICE,TTL_TRD_QNTY\n"
        "TCS, EQ, 05-Jan-2026,98.5,100,102,99,101,100.8,31\n"
    )

    day = read_candles(tmp_path, same).days["TCS"][date(2026, 1, 5)]

    assert day.minutes is not None
    assert (day.previous_close, day.close, day.volume) == (98.5, 100.8, 30)


def test_an_empty_minute_is_a_gap_not_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "TCS_1m.csv"
    file.write_text(
        "Datetime,Open,High,Low,Close,Volume\n2026-01-05 09:15:00+05:30,1,1,1,1,0\n2026-01-05 09:16:00+05:30,,,,,\n"
    )

    day = read_candles(file, same).days["TCS"][date(2026, 1, 5)]

    assert day.minutes is not None
    assert day.minutes.start.tolist() == [555]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("2026-01-05 09:15:00,abc,1,1,1,5", "line 2: open 'abc' is not a number"),
        ("2026-01-05 09:15:00,1,nan,1,1,5", "line 2: high is not a number"),
        ("2026-01-05 09:15:00,1,1,2,1,5", "line 2: open 1, high 1, low 2, close 1 contradict"),
        ("2026-01-05 09:15:00,9,3,2,3,5", "line 2: .*contradict"),
        ("2026-01-05 09:15:00,-1,1,-1,1,5", "line 2: a price is not above 0"),
        ("yesterday,1,1,1,1,5", "line 2: 'yesterday' is not a date"),
        ("2026-01-05 09:15:00,1", "line 2: high '' is not a number"),
        ("2026-01-05 09:16:00,1,1,1,1,5\n2026-01-05 09:15:00,1,1,1,1,5", "line 3: the minutes of a day must rise"),
        ("", "holds no candles"),
    ],
)
def test_garbage_is_named_with_file_and_line(tmp_path: Path, line: str, why: str) -> None:
    file = tmp_path / "TCS_1m.csv"
    file.write_text(f"datetime,open,high,low,close,volume\n{line}\n")

    with pytest.raises(ConfigurationError, match=why) as caught:
        read_candles(file, same)

    assert "TCS_1m.csv" in str(caught.value)


def test_what_is_no_candle_file_is_refused_in_words(tmp_path: Path) -> None:
    for name, content in (("a.csv", b"\x80\x81binary"), ("b.csv", b"name,age\nx,1\n"), ("c.csv", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigurationError, match=name):
            read_candles(tmp_path / name, same)
    with pytest.raises(ConfigurationError, match="no such file"):
        read_candles(tmp_path / "nowhere", same)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match="no CSV files"):
        read_candles(tmp_path / "empty", same)


def test_a_folder_without_any_instrument_of_the_market_is_refused(tmp_path: Path) -> None:
    (tmp_path / "XYZ_1d.csv").write_text("Date,Open,High,Low,Close,Volume\n2026-01-05,1,1,1,1,0\n")

    with pytest.raises(ConfigurationError, match="found: XYZ"):
        read_candles(tmp_path, lambda symbol: None)

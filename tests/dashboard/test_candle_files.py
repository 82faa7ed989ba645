"""Candles as files, read back by somebody else's reader."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from dashboard.candle_files import as_parquet, file_name
from services.candles.csv_text import PIECE, as_csv
from services.candles.series import Missing, SourcePart
from services.domain.candles import MINUTE
from tests.support.candles_page import OPENS, minutes, series


def test_csv_has_one_line_a_bar_in_indian_time():
    whole = series([1500.05, 1501.1], interval=MINUTE, volume=[10, 20])
    rows = list(csv.DictReader(io.StringIO(as_csv(whole, "M&M").decode("utf-8-sig"))))

    assert rows[0] == {
        "symbol": "M&M", "instrument_key": whole.key, "timestamp": "2026-11-20T09:15:00+05:30", "open": "1500.05",
        "high": "1500.05", "low": "1500.05", "close": "1500.05", "volume": "10", "oi": "0",
    }  # fmt: skip
    assert rows[1]["timestamp"] == "2026-11-20T09:16:00+05:30"
    assert float(rows[1]["close"]) == 1501.1


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@x", 'a,"b"\r\n=1'])
def test_a_name_from_outside_is_never_run_by_a_spreadsheet(name):
    (row,) = csv.DictReader(io.StringIO(as_csv(minutes(1), name).decode("utf-8-sig"), newline=""))

    assert row["symbol"][:1] not in "=+-@"
    assert None not in row


def test_parquet_keeps_types_origin_and_what_is_missing():
    now = datetime(2026, 11, 20, 10, tzinfo=UTC)
    part = SourcePart("v3", OPENS, OPENS + timedelta(hours=1), 60, now)
    hole = Missing(now, now + timedelta(minutes=5), "the broker does not keep it")
    whole = series(range(100, 160), interval=MINUTE, sources=(part,), missing=(hole,), provisional_from=OPENS)

    table = pq.read_table(io.BytesIO(as_parquet(whole, "RELIANCE")))

    assert str(table.schema.field("timestamp").type) == "timestamp[ms, tz=Asia/Kolkata]"
    assert table["close"].to_pylist() == whole.close.tolist()
    assert table["timestamp"].cast("int64").to_pylist() == whole.start_ms.tolist()
    told = {name.decode(): text.decode() for name, text in table.schema.metadata.items()}
    assert told["desk.instrument_key"] == whole.key
    assert told["desk.interval"] == "minutes/1"
    assert json.loads(told["desk.sources"])[0][0] == "v3"
    assert "does not keep" in told["desk.missing"]
    assert told["desk.provisional_from"].startswith("2026-11-20")


@pytest.mark.parametrize("write", [as_csv, as_parquet])
def test_progress_is_told_from_piece_to_piece_and_ends_at_one(write):
    told = []
    write(minutes(PIECE * 2 + 1), "RELIANCE", progress=told.append)

    assert len(told) == 3
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.parametrize("write", [as_csv, as_parquet])
def test_no_bars_make_a_file_with_a_head(write):
    assert len(write(minutes(0), "RELIANCE")) > 20


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("RELIANCE", "RELIANCE_1-minute_2026-11-20_2026-11-20.csv"),
        ("NIFTY 25000 CE", "NIFTY-25000-CE_1-minute_2026-11-20_2026-11-20.csv"),
        ("../../etc/passwd", "etc-passwd_1-minute_2026-11-20_2026-11-20.csv"),
    ],
)
def test_names_are_such_that_every_file_system_takes_them(symbol, expected):
    assert file_name(symbol, minutes(3), "csv") == expected
    assert file_name(symbol, minutes(0), "csv").endswith("_1-minute.csv")

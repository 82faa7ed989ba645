"""Candles as files: CSV that any spreadsheet reads, Parquet that any notebook reads with its types and origin."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from dashboard.watchlist_text import harmless
from services.candles.series import CandleSeries, ist_stamps
from services.domain.clock import IST

PIECE = 20_000
"""Rows that are written between two words of progress."""
HEAD = "timestamp,open,high,low,close,volume,oi"

Progress = Callable[[float], object]


def file_name(symbol: str, series: CandleSeries, ending: str) -> str:
    """A name that any file system takes: `RELIANCE_5-minutes_2026-11-16_2026-11-20.csv`."""
    days = [at.astimezone(IST).date().isoformat() for at in (series.first, series.last) if at is not None]
    parts = [symbol, series.interval.label.replace(" ", "-"), *days]
    return "_".join(re.sub(r"[^A-Za-z0-9&.-]+", "-", part).strip("-.") for part in parts) + f".{ending}"


def as_csv(series: CandleSeries, symbol: str, *, progress: Progress = lambda share: None) -> bytes:
    """One line a bar, oldest first: Indian time with its offset, rupees, units. With a byte order mark, for Excel."""
    out = io.StringIO()
    out.write(f"symbol,instrument_key,{HEAD}\r\n")
    who = ",".join(_cell(text) for text in (symbol, series.key))
    for part, share in _pieces(series):
        columns = (ist_stamps(part.start_ms), *(column.tolist() for column in part.columns.as_tuple()[1:]))
        out.writelines(
            f"{who},{stamp},{o!r},{h!r},{low!r},{c!r},{volume},{oi}\r\n"
            for stamp, o, h, low, c, volume, oi in zip(*columns, strict=True)
        )
        progress(share)
    return out.getvalue().encode("utf-8-sig")


def as_parquet(series: CandleSeries, symbol: str, *, progress: Progress = lambda share: None) -> bytes:
    """Columns `timestamp` (ms, Asia/Kolkata), `open high low close` (double), `volume oi` (int64). The file's metadata
    tells instrument, interval, the sources, and from when on bars may still change."""
    provisional = series.provisional_from
    told = {
        "symbol": symbol,
        "instrument_key": series.key,
        "interval": series.interval.word,
        "provisional_from": "" if provisional is None else provisional.isoformat(),
        "sources": json.dumps([[one.source, one.start.isoformat(), one.end.isoformat()] for one in series.sources]),
        "missing": json.dumps([[one.start.isoformat(), one.end.isoformat(), one.why] for one in series.missing]),
    }
    fields = [("timestamp", pa.timestamp("ms", tz="Asia/Kolkata"))]
    fields += [(name, pa.float64()) for name in ("open", "high", "low", "close")]
    fields += [(name, pa.int64()) for name in ("volume", "oi")]
    schema = pa.schema(fields, metadata={f"desk.{name}": text for name, text in told.items()})
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for part, share in _pieces(series):
            arrays = [
                pa.array(column, type=kind) for column, (_, kind) in zip(part.columns.as_tuple(), fields, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            progress(share)
    return sink.getvalue()


def _pieces(series: CandleSeries) -> Iterator[tuple[CandleSeries, float]]:
    """The series in pieces, and the share that is done after each."""
    total = len(series)
    for start in range(0, total, PIECE):
        part = series.columns.take(slice(start, start + PIECE))
        yield CandleSeries.of(series.key, series.interval, part), min(1.0, (start + PIECE) / total)


def _cell(text: str) -> str:
    """A text as a cell that no spreadsheet runs."""
    text = str(harmless(text))
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\r\n]', text) else text

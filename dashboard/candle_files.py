"""Candles as Parquet files, which any notebook reads with their types and origin, and the names of files."""

from __future__ import annotations

import io
import json
import re

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from services.candles.csv_text import Progress, pieces
from services.candles.series import CandleSeries
from services.domain.clock import IST


def file_name(symbol: str, series: CandleSeries, ending: str) -> str:
    """A name that any file system takes: `RELIANCE_5-minutes_2026-11-16_2026-11-20.csv`."""
    days = [at.astimezone(IST).date().isoformat() for at in (series.first, series.last) if at is not None]
    parts = [symbol, series.interval.label.replace(" ", "-"), *days]
    return "_".join(re.sub(r"[^A-Za-z0-9&.-]+", "-", part).strip("-.") for part in parts) + f".{ending}"


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
        for part, share in pieces(series):
            arrays = [
                pa.array(column, type=kind) for column, (_, kind) in zip(part.columns.as_tuple(), fields, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            progress(share)
    return sink.getvalue()

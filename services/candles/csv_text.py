"""Candles as CSV that any spreadsheet and any program reads."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator

from services.candles.series import CandleSeries, ist_stamps
from services.domain.spreadsheets import harmless

PIECE = 20_000
"""Rows that are written between two words of progress."""
HEAD = "timestamp,open,high,low,close,volume,oi"

Progress = Callable[[float], object]


def as_csv(
    series: CandleSeries, symbol: str, *, progress: Progress = lambda share: None, for_excel: bool = True
) -> bytes:
    """One line a bar, oldest first: Indian time with its offset, rupees, units. `for_excel`: with a byte order mark."""
    out = io.StringIO()
    out.write(f"symbol,instrument_key,{HEAD}\r\n")
    who = ",".join(_cell(text) for text in (symbol, series.key))
    for part, share in pieces(series):
        columns = (ist_stamps(part.start_ms), *(column.tolist() for column in part.columns.as_tuple()[1:]))
        out.writelines(
            f"{who},{stamp},{o!r},{h!r},{low!r},{c!r},{volume},{oi}\r\n"
            for stamp, o, h, low, c, volume, oi in zip(*columns, strict=True)
        )
        progress(share)
    return out.getvalue().encode("utf-8-sig" if for_excel else "utf-8")


def pieces(series: CandleSeries) -> Iterator[tuple[CandleSeries, float]]:
    """The series in pieces, and the share that is done after each."""
    total = len(series)
    for start in range(0, total, PIECE):
        part = series.columns.take(slice(start, start + PIECE))
        yield CandleSeries.of(series.key, series.interval, part), min(1.0, (start + PIECE) / total)


def _cell(text: str) -> str:
    """A text as a cell that no spreadsheet runs."""
    text = str(harmless(text))
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\r\n]', text) else text

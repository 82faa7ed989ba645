"""Real candles from CSV files: NSE's daily bhavcopies (whole market or one symbol), and minute or daily candles with a
stamp per row as Upstox and Yahoo exports have them.

Stamps without a zone are Indian time. Prices are rounded to the paisa (Yahoo files carry float noise). A file that
cannot be right stops the start, with its name and line: a quietly half-read day would pass for a real one.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.domain.clock import IST
from services.domain.errors import ConfigurationError

_COLUMNS = {
    "stamp": ("datetime", "timestamp", "date1", "date", "time"),
    "open": ("open", "open_price"),
    "high": ("high", "high_price"),
    "low": ("low", "low_price"),
    "close": ("close", "close_price"),
    "volume": ("volume", "ttl_trd_qnty"),
    "previous": ("prev_close", "previous_close"),
    "symbol": ("symbol",),
    "series": ("series",),
}
_NEEDED = ("stamp", "open", "high", "low", "close")
_SHARE_SERIES = {"", "EQ", "BE", "BZ", "SM", "ST"}
_NAME = re.compile(
    r"^(?P<symbol>.+?)(?:[_ -]\d*(?:m|min|1min|minute|d|day|daily)(?:in)?(?:[_ .-].*)?)?$", re.IGNORECASE
)
_SLACK = 0.011
"""Rounding may push an open or close this far outside the day's range; it is pulled back."""


@dataclass(frozen=True, slots=True)
class MinuteBars:
    """`start` (n,): minutes after midnight IST, rising; `prices` (n, 4): open, high, low, close; `volume` (n,)."""

    start: NDArray[np.int64]
    prices: NDArray[np.float64]
    volume: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DailyRow:
    """A day as a file of days has it. Rupees, shares."""

    prices: tuple[float, float, float, float]
    """Open, high, low, close."""
    volume: int


@dataclass(frozen=True, slots=True)
class CandleDay:
    """One real day of one root. Rupees (points), shares. `minutes` and `daily` where files have them: the official
    close and volume of a day are not those of its minutes."""

    day: date
    open: float
    high: float
    low: float
    close: float
    volume: int | None
    previous_close: float | None
    minutes: MinuteBars | None
    daily: DailyRow | None = None


@dataclass(slots=True)
class CandleStore:
    """Real days by root and date."""

    days: dict[str, dict[date, CandleDay]] = field(default_factory=dict)

    def all_days(self) -> list[date]:
        """Every date for which anything is here, oldest first."""
        return sorted({day for of_root in self.days.values() for day in of_root})

    def add(self, root: str, found: CandleDay) -> None:
        """Minutes and a daily bar of one day complete each other: the bar knows the official closes, the minutes the
        way between."""
        of_root = self.days.setdefault(root, {})
        known = of_root.get(found.day)
        if known is None:
            of_root[found.day] = found
            return
        minutes, bar = (known, found) if known.minutes else (found, known)
        of_root[found.day] = CandleDay(
            minutes.day, minutes.open, minutes.high, minutes.low,
            minutes.close if bar.minutes else bar.close,
            minutes.volume or bar.volume, bar.previous_close or minutes.previous_close, minutes.minutes,
            minutes.daily or bar.daily,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    stamp: datetime | date
    prices: tuple[float, float, float, float]
    volume: int | None
    previous: float | None


def read_candles(place: Path, root_of: Callable[[str], str | None]) -> CandleStore:
    """Every candle below `place` (a CSV file, or a folder with CSV files) whose symbol `root_of` knows.

    Raises `ConfigurationError`, in plain words, for a place without CSV files, a file that is not one of the known
    layouts, a line that cannot be right, or no known symbol at all.
    """
    store = CandleStore()
    symbols: set[str] = set()
    for file in _files(place):
        for symbol, rows in _by_symbol(file).items():
            symbols.add(symbol)
            root = root_of(symbol)
            if root is not None:
                for day in _days(file, rows):
                    store.add(root, day)
    if not store.days:
        named = ", ".join(sorted(symbols)[:5])
        raise ConfigurationError(f"candles {place}: no instrument of this market is in there (found: {named})")
    return store


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise ConfigurationError(f"candles {place}: there is no such file or folder")
    files = sorted(path for path in place.iterdir() if path.suffix.lower() == ".csv" and path.is_file())
    if not files:
        raise ConfigurationError(f"candles {place}: the folder holds no CSV files")
    return files


def _by_symbol(file: Path) -> dict[str, list[_Row]]:
    found: dict[str, list[_Row]] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            lines = csv.reader(text)
            header = [name.strip().lower() for name in next(lines, [])]
            columns = _columns(file, header)
            fallback = _symbol_of_name(file)
            for cells in lines:
                if any(cell.strip() for cell in cells):
                    symbol, row = _row(file, lines.line_num, cells, columns, fallback)
                    if row is not None:
                        found.setdefault(symbol, []).append(row)
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file.name}: not a text file") from None
    except csv.Error as error:
        raise ConfigurationError(f"{file.name}, line {lines.line_num}: {error}") from None
    except OSError as error:
        raise ConfigurationError(f"{file.name}: cannot be read ({error.strerror})") from None
    if not found:
        raise ConfigurationError(f"{file.name}: holds no candles")
    return found


def _columns(file: Path, header: list[str]) -> dict[str, int]:
    columns = {
        meaning: header.index(name)
        for meaning, names in _COLUMNS.items()
        if (name := next((name for name in names if name in header), None)) is not None
    }
    missing = [meaning for meaning in _NEEDED if meaning not in columns]
    if missing:
        raise ConfigurationError(
            f"{file.name}, line 1: not a candle file; the header lacks {', '.join(missing)} (it reads "
            f"{','.join(header)[:80]!r})"
        )
    return columns


def _symbol_of_name(file: Path) -> str:
    match = _NAME.match(file.stem)
    return (match["symbol"] if match else file.stem).upper()


def _row(file: Path, line: int, cells: list[str], columns: Mapping[str, int], fallback: str) -> tuple[str, _Row | None]:
    def cell(meaning: str) -> str:
        at = columns.get(meaning)
        return cells[at].strip() if at is not None and at < len(cells) else ""

    def number(meaning: str) -> float:
        try:
            value = float(cell(meaning))
        except ValueError:
            raise _broken(file, line, f"{meaning} {cell(meaning)[:20]!r} is not a number") from None
        if not math.isfinite(value):
            raise _broken(file, line, f"{meaning} is not a number")
        return value

    symbol = cell("symbol").upper() or fallback
    if cell("series").upper() not in _SHARE_SERIES:
        return symbol, None
    stamp = _stamp(file, line, cell("stamp"))
    if not any(cell(meaning) for meaning in ("open", "high", "low", "close")):
        return symbol, None  # Yahoo writes an empty row for a minute without data
    opened, high, low, close = (round(number(meaning), 2) for meaning in ("open", "high", "low", "close"))
    if min(opened, high, low, close) <= 0:
        raise _broken(file, line, "a price is not above 0")
    if low > high or min(opened, close) < low - _SLACK or max(opened, close) > high + _SLACK:
        raise _broken(file, line, f"open {opened:g}, high {high:g}, low {low:g}, close {close:g} contradict each other")
    prices = opened, max(high, opened, close), min(low, opened, close), close
    volume = int(number("volume")) if cell("volume") not in {"", "-"} else None
    previous = number("previous") if cell("previous") not in {"", "-", "0"} else None
    return symbol, _Row(line, stamp, prices, volume, previous)


def _stamp(file: Path, line: int, text: str) -> datetime | date:
    try:
        if len(text) <= 11:
            return date.fromisoformat(text) if text[:4].isdigit() else datetime.strptime(text, "%d-%b-%Y").date()  # noqa: DTZ007
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _broken(file, line, f"{text[:40]!r} is not a date or time") from None
    return moment.replace(tzinfo=IST) if moment.tzinfo is None else moment.astimezone(IST)


def _days(file: Path, rows: list[_Row]) -> Iterator[CandleDay]:
    minutes: dict[date, list[_Row]] = {}
    for row in rows:
        if isinstance(row.stamp, datetime):
            minutes.setdefault(row.stamp.date(), []).append(row)
        else:
            daily = DailyRow(row.prices, row.volume or 0)
            yield CandleDay(row.stamp, *row.prices, row.volume, row.previous, None, daily)
    for day, bars in minutes.items():
        yield _minute_day(file, day, bars)


def _minute_day(file: Path, day: date, bars: list[_Row]) -> CandleDay:
    start = np.array([row.stamp.hour * 60 + row.stamp.minute for row in bars if isinstance(row.stamp, datetime)])
    for at in np.flatnonzero(np.diff(start) <= 0):
        raise _broken(file, bars[int(at) + 1].line, "the minutes of a day must rise, each once")
    prices = np.array([row.prices for row in bars])
    volume = np.array([row.volume or 0 for row in bars], dtype=np.int64)
    return CandleDay(
        day=day,
        open=float(prices[0, 0]),
        high=float(prices[:, 1].max()),
        low=float(prices[:, 2].min()),
        close=float(prices[-1, 3]),
        volume=int(volume.sum()) or None,
        previous_close=None,
        minutes=MinuteBars(start, prices, volume),
    )


def _broken(file: Path, line: int, why: str) -> ConfigurationError:
    return ConfigurationError(f"{file.name}, line {line}: {why}")

"""Watchlists as text: what a person pastes or a file holds, read leniently; and a list written out as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.columns import Column
from dashboard.formatting import ist_moment, ist_time
from dashboard.reading import Reading
from services.domain.clock import from_epoch_ms
from services.domain.instrument_search import ContractQuery, parse_query
from services.domain.instruments import Instrument, is_instrument_key, is_isin
from services.domain.spreadsheets import harmless

MOST = 500
_HEADS = {"instrument_key", "instrumentkey", "key", "symbol", "trading_symbol", "tradingsymbol", "isin", "name"}
_PREFERRED = ("instrument_key", "instrumentkey", "key", "isin", "trading_symbol", "tradingsymbol", "symbol")
_SEGMENT_ORDER = ("NSE_EQ", "NSE_INDEX", "BSE_EQ", "BSE_INDEX", "NSE_FO", "BSE_FO", "MCX_FO")


@dataclass(frozen=True, slots=True)
class Imported:
    """What a text named: instruments in its order, each once, and the entries that nothing is called."""

    found: tuple[Instrument, ...]
    unknown: tuple[str, ...]


def read_entries(text: str) -> list[str]:
    """The entries of a text: instrument keys, ISINs or symbols, by lines, commas, semicolons or tabs; or a CSV with a
    head line, of which the best naming column is taken."""
    text = text.lstrip("\ufeff").strip()
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and (column := _naming_column(lines[0])) is not None:
        delimiter = _delimiter(lines[0])
        rows = list(csv.reader(lines[1:], delimiter=delimiter))
        return [row[column].strip() for row in rows if len(row) > column and row[column].strip()]
    parts = (part.strip().strip('"').strip() for part in re.split(r"[\n,;\t]", text))
    return [part for part in parts if part]


def resolve(
    entries: Iterable[str],
    *,
    find: Callable[[str], Instrument | None],
    search: Callable[[str], Sequence[Instrument]],
) -> Imported:
    """The instruments of `entries`. A symbol or ISIN must match exactly; of several the share on NSE comes first.
    `NSE:SYMBOL`, as other tools write it, is understood; so is a contract that is written out (`nifty 26000 ce nov`),
    if it tells side and strike or that it is a future: of several expiries the nearest is meant."""
    found: dict[str, Instrument] = {}
    unknown: list[str] = []
    for entry in entries:
        instrument = _one(entry, find, search)
        if instrument is None:
            unknown.append(entry)
        else:
            found.setdefault(instrument.key, instrument)
    return Imported(tuple(found.values()), tuple(dict.fromkeys(unknown)))


def as_csv(reading: Reading, columns: Sequence[Column]) -> str:
    """The list with its figures as plain numbers; what is not available stays empty. `read_entries` reads it again."""
    shown = [column for column in columns if column.kind not in {"spark", "age"}]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["instrument_key", "symbol", "name", *(c.id for c in shown), "received_at", "age_seconds"])
    for key in reading.keys:
        row, instrument, age = reading.rows.get(key), reading.instruments.get(key), reading.age(key)
        figures = [_plain(column.kind, column.value(row)) if row else "" for column in shown]
        symbol = instrument.symbol if instrument else row["symbol"] if row else ""
        received = ist_moment(row["received_at"]) if row else ""
        cells = [key, symbol, instrument.name if instrument else "", *figures]
        writer.writerow([*map(harmless, cells), received, "" if age is None else round(age, 1)])
    return out.getvalue()


def _one(
    entry: str, find: Callable[[str], Instrument | None], search: Callable[[str], Sequence[Instrument]]
) -> Instrument | None:
    if is_instrument_key(entry):
        return find(entry)
    exchange, _, symbol = entry.rpartition(":")
    wanted = symbol.strip().upper()
    if not wanted:
        return None
    matches = [
        instrument
        for instrument in search(wanted)
        if (instrument.isin == wanted if is_isin(wanted) else instrument.symbol.upper() == wanted)
        and _is_on(instrument, exchange)
    ]
    return min(matches, key=_rank, default=None) or _contract(symbol, exchange, search)


def _contract(text: str, exchange: str, search: Callable[[str], Sequence[Instrument]]) -> Instrument | None:
    """The contract that `text` writes out in full, the first that search would show. A mere name is none."""
    readings = [
        reading
        for reading in parse_query(text).contracts
        if reading.kinds == ("FUT",) or (reading.strike is not None and len(reading.kinds) == 1)
    ]
    found = search(text) if readings else ()
    return next((one for one in found if _is_on(one, exchange) and any(_means(r, one) for r in readings)), None)


def _means(reading: ContractQuery, instrument: Instrument) -> bool:
    """Does that reading mean this contract? Search also shows strikes that only begin like the number."""
    return (
        instrument.type in reading.kinds
        and instrument.expiry is not None
        and reading.fits(instrument.expiry)
        and (reading.strike is None or instrument.strike == reading.strike)
    )


def _is_on(instrument: Instrument, exchange: str) -> bool:
    return not exchange or instrument.segment.startswith(exchange.strip().upper())


def _rank(instrument: Instrument) -> int:
    segment = instrument.segment
    return _SEGMENT_ORDER.index(segment) if segment in _SEGMENT_ORDER else len(_SEGMENT_ORDER)


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def _naming_column(line: str) -> int | None:
    """Which column of a head line names instruments best; `None` if it is no head line."""
    heads = [cell.strip().strip('"').lower().replace(" ", "_") for cell in line.split(_delimiter(line))]
    if not set(heads) & _HEADS:
        return None
    return next((heads.index(name) for name in _PREFERRED if name in heads), None)


def _plain(kind: str, value: Any) -> object:  # Any: as `Column.value`
    """A figure for a spreadsheet: ranges as `low..high`, times of day in India, nothing as nothing."""
    if value is None:
        return ""
    if kind == "time":
        return ist_time(from_epoch_ms(value))
    if isinstance(value, list):
        return f"{value[0]}..{value[1]}"
    return value

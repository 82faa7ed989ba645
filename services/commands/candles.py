"""`python -m services candles INFY --interval day --count 250 --csv infy.csv`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from services.candles.csv_text import as_csv
from services.candles.series import CandleSeries, SourcePart
from services.commands.command import BAD_OPTIONS, DONE, ended, parser, path, refuse, runtime_of
from services.commands.named import key_of
from services.commands.telling import moment, note, say_json, say_table
from services.domain.clock import IST, ist_date
from services.domain.errors import InvalidRequest, UpstoxError
from services.runtime import Runtime

VERB = "candles"
_COUNT = 20
_HEADS = ("timestamp", "open", "high", "low", "close", "volume", "oi")


def main(words: Sequence[str]) -> int:
    """The last bars, or those of days. What could not be had is trouble: then nothing is written."""
    made = parser(VERB, "Candles, oldest first: fetched where they are missing, kept, and from the store after that.")
    made.add_argument("instrument", help="a symbol (INFY, NIFTY) or an instrument key")
    made.add_argument(
        "--interval", default="day", help="day, week, month, 1minute, 30minute, 5m, hours/1 … (%(default)s)"
    )
    made.add_argument("--count", type=int, help=f"so many of the last bars ({_COUNT})")
    made.add_argument("--from", dest="first", type=_day, metavar="DAY", help="from this day on: 2026-01-01")
    made.add_argument("--to", dest="last", type=_day, metavar="DAY", help="to this day, which is included (today)")
    made.add_argument("--csv", metavar="FILE", help="write CSV to FILE; - is the standard output")
    given = made.parse_args(words)
    if given.first is None and given.last is not None:
        return refuse(VERB, "--to needs --from", BAD_OPTIONS)
    if given.first is not None and given.count is not None:
        return refuse(VERB, "--count and --from do not go together", BAD_OPTIONS)
    if given.csv is not None and given.json:
        return refuse(VERB, "--csv and --json do not go together", BAD_OPTIONS)

    def tell() -> int:
        with runtime_of(given) as runtime:
            series = _read(runtime, given)
            source = runtime.source.label
            symbol = _symbol(runtime, series.key) if given.csv is not None else ""
        for gap in series.missing:
            if gap.error is not None:
                raise gap.error
            note(f"the broker has none from {moment(gap.start)} to {moment(gap.end)}: {gap.why}")
        if given.csv is not None:
            _write(given.csv, as_csv(series, symbol, for_excel=False))
        elif given.json:
            say_json(_told(series, source))
        else:
            say_table(_HEADS, _rows(series))
            say_about(series, source)
        return DONE

    return ended(VERB, tell)


def say_about(series: CandleSeries, source: str) -> None:
    """Where the bars came from, on stderr, so that the table alone goes on to the next program."""
    parts = "; ".join(f"{part.source}, told {_when(part)}" for part in series.sources)
    note(f"{len(series)} x {series.interval.label} ({source}): {parts or 'nothing was told'}")
    if series.provisional_from is not None:
        note(f"from {moment(series.provisional_from)} on they may still change")


def _when(part: SourcePart) -> str:
    """A moment, or the two between which the broker told these bars: the older alone could be from before the newest
    of them."""
    return " to ".join(dict.fromkeys(map(moment, part.told))) or moment(None)


def _read(runtime: Runtime, given: argparse.Namespace) -> CandleSeries:
    key = key_of(given.instrument, runtime.instruments)
    if given.first is None:
        return runtime.candles.latest(key, given.interval, _COUNT if given.count is None else given.count)
    last = given.last or ist_date(runtime.clock.now())
    if last < given.first:
        raise InvalidRequest(f"there are no days from {given.first} to {last}")
    return runtime.candles.read(key, given.interval, _midnight(given.first), _midnight(last) + timedelta(days=1))


def _symbol(runtime: Runtime, key: str) -> str:
    """Of the instrument, as far as the master is there to tell."""
    try:
        found = runtime.instruments.find(key)
    except UpstoxError:
        return key
    return key if found is None else found.symbol


def _rows(series: CandleSeries) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in _HEADS) for row in series.rows()]


def _told(series: CandleSeries, source: str) -> dict[str, object]:
    return {
        "instrument_key": series.key,
        "interval": series.interval.word,
        "source": source,
        "provisional_from": series.provisional_from,
        "sources": [
            {
                "source": one.source,
                "start": one.start,
                "end": one.end,
                "bars": one.bars,
                "fetched_at": one.fetched_at,
                "newest_fetched_at": one.newest_fetched_at or one.fetched_at,
            }
            for one in series.sources
        ],
        "missing": [{"start": one.start, "end": one.end, "why": one.why} for one in series.missing],
        "candles": series.rows(),
    }


def _write(target: str, content: bytes) -> None:
    """Whole or not at all: a program that reads the file beside us never sees half of it."""
    if target == "-":
        sys.stdout.write(content.decode())
        return
    file = path(target)
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OSError(error.errno, f"{file} cannot be written: {error.strerror}") from error
    note(f"written to {file}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date YYYY-MM-DD") from None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=IST)

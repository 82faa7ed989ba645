"""Instrument files for tests: small ones by hand, and one as long as the real complete file."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from services.domain.clock import IST, epoch_ms
from services.instrument_master import Download

Row = dict[str, Any]  # Any: a row of the broker's file

_WORDS = (
    "TATA", "BAJAJ", "HDFC", "ICICI", "INDIA", "BHARAT", "POWER", "STEEL", "BANK", "FINANCE", "MOTORS", "PHARMA",
    "CEMENT", "INFRA", "GREEN", "SOLAR", "AUTO", "LABS", "TEXTILES", "SUGAR", "PAPER", "GLOBAL", "CAPITAL", "FOODS",
)  # fmt: skip


def on_disk(path: Path) -> Download:
    """Every file that is asked for is the one at `path`, unpacked."""

    def download(name: str, *, etag: str | None = None) -> AbstractContextManager[Any]:
        return path.open("rb")

    return download


def share(symbol: str, isin: str, name: str, *, exchange: str = "NSE", kind: str | None = None, **more: object) -> Row:
    """A row as the file of a stock exchange holds it."""
    return {
        "segment": f"{exchange}_EQ",
        "name": name,
        "exchange": exchange,
        "isin": isin,
        "instrument_type": kind or ("EQ" if exchange == "NSE" else "A"),
        "instrument_key": f"{exchange}_EQ|{isin}",
        "lot_size": 1,
        "freeze_quantity": 100000.0,
        "exchange_token": str(abs(hash(isin)) % 10**6),
        "tick_size": 5.0,
        "trading_symbol": symbol,
        "qty_multiplier": 1.0,
        **more,
    }


def index(symbol: str, name: str, *, exchange: str = "NSE") -> Row:
    return {
        "segment": f"{exchange}_INDEX",
        "name": name,
        "exchange": exchange,
        "instrument_type": "INDEX",
        "instrument_key": f"{exchange}_INDEX|{name}",
        "exchange_token": "26000",
        "trading_symbol": symbol,
    }


def contract(
    token: int, underlying: str, underlying_key: str, expiry: date, *, kind: str = "FUT", strike: float = 0.0
) -> Row:
    """A future or an option on NSE."""
    day = f"{expiry:%d %b %y}".upper()
    named = f"{underlying} FUT {day}" if kind == "FUT" else f"{underlying} {strike:g} {kind} {day}"
    return {
        "weekly": False,
        "segment": "NSE_FO",
        "name": underlying,
        "exchange": "NSE",
        "expiry": epoch_ms(datetime(expiry.year, expiry.month, expiry.day, 23, 59, 59, tzinfo=IST)),
        "instrument_type": kind,
        "asset_symbol": underlying,
        "underlying_symbol": underlying,
        "instrument_key": f"NSE_FO|{token}",
        "lot_size": 65,
        "freeze_quantity": 1755.0,
        "exchange_token": str(token),
        "minimum_lot": 65,
        "asset_key": underlying_key,
        "underlying_key": underlying_key,
        "tick_size": 5.0,
        "asset_type": "INDEX",
        "underlying_type": "INDEX",
        "trading_symbol": named,
        "strike_price": strike,
        "qty_multiplier": 1.0,
    }


def long_file(path: Path, *, rows: int = 120_000, first_expiry: date = date(2026, 11, 24), seed: int = 7) -> int:
    """Write a file with the make-up of the real complete one (a fifth shares, the rest contracts); the rows written."""
    written = 0
    with path.open("wb") as out:
        for row in _long_rows(rows, first_expiry, random.Random(seed)):
            out.write((b"[\n" if written == 0 else b",\n") + orjson.dumps(row))
            written += 1
        out.write(b"\n]")
    return written


def _long_rows(rows: int, first_expiry: date, dice: random.Random) -> Iterator[Row]:
    yield index("NIFTY", "Nifty 50")
    yield index("BANKNIFTY", "Nifty Bank")
    yield share("RELIANCE", "INE002A01018", "RELIANCE INDUSTRIES LTD", short_name="Reliance Industries")
    underlyings = [
        ("NIFTY", "NSE_INDEX|Nifty 50"),
        ("BANKNIFTY", "NSE_INDEX|Nifty Bank"),
        ("RELIANCE", "NSE_EQ|INE002A01018"),
    ]
    for number in range(rows // 5):
        isin = f"INE{number:06d}018"
        first, second = dice.choice(_WORDS), dice.choice(_WORDS)
        symbol = f"{first[:5]}{second[:3]}{number}"
        exchange = "NSE" if number % 2 else "BSE"
        yield share(
            symbol, isin, f"{first} {second} LTD", exchange=exchange, short_name=f"{first.title()} {second.title()}"
        )
        if exchange == "NSE" and len(underlyings) < 220:
            underlyings.append((symbol, f"NSE_EQ|{isin}"))
    left = rows - 3 - rows // 5
    each = left // len(underlyings) + 1
    for place, (symbol, key) in enumerate(underlyings):
        token = 100_000 + place * each
        for number in range(min(each, left)):
            expiry = first_expiry + timedelta(weeks=number % 4)
            kind = ("CE", "PE")[number // 4 % 2] if number >= 4 else "FUT"
            strike = 24_000.0 + 50 * ((number - 4) // 8) if number >= 4 else 0.0
            yield contract(token + number, symbol, key, expiry, kind=kind, strike=strike)
        left -= min(each, left)

"""Instruments: their keys, segments and the facts an order or a quote needs of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.domain.errors import InvalidRequest

SEGMENTS = (
    "NSE_EQ", "NSE_FO", "NCD_FO", "NSE_COM", "NSE_INDEX",
    "BSE_EQ", "BSE_FO", "BCD_FO", "BSE_INDEX",
    "MCX_FO", "MCX_INDEX", "GLOBAL_INDEX", "GLOBAL_INDICATOR",
)  # fmt: skip

_KEY = re.compile(rf"(?:{'|'.join(SEGMENTS)})\|[\w .&:\-]{{1,50}}(?:\|\d{{2}}-\d{{2}}-\d{{4}})?")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9&.\- ]{0,39}")
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")


def is_instrument_key(text: str) -> bool:
    """Has `text` the form of an instrument key? Says nothing about whether it exists.

    Wider than the documented pattern, because real keys are (`NSE_INDEX|BHARATBOND-APR30`).
    """
    return _KEY.fullmatch(text) is not None


def require_instrument_key(text: object) -> str:
    """`text` if it has the form of an instrument key, else `InvalidRequest` in the user's words."""
    if isinstance(text, str) and is_instrument_key(text):
        return text
    raise InvalidRequest(
        f"{str(text)[:60]!r} is not an instrument key such as 'NSE_EQ|INE002A01018' or 'NSE_INDEX|Nifty 50'"
    )


def clean_symbol(text: str) -> str:
    """The symbol upper-cased and trimmed, if it can be one (real ones hold `&`, `-`, `.`, spaces and run to 29)."""
    symbol = " ".join(text.upper().split())
    if not _SYMBOL.fullmatch(symbol):
        raise InvalidRequest(f"{text[:60]!r} cannot be a trading symbol")
    return symbol


def is_isin(text: str) -> bool:
    """Has `text` the form of an ISIN? (The check digit is not tested: real masters hold two that fail it.)"""
    return _ISIN.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Instrument:
    """One row of the instrument master. Prices in rupees, `lot_size` in units (MCX: lots), `None` = not stated."""

    key: str
    segment: str
    exchange: str
    symbol: str
    name: str
    type: str
    """EQ, BE, SM ... for shares, INDEX, FUT, CE, PE."""
    exchange_token: str = ""
    isin: str | None = None
    short_name: str | None = None
    tick_size: Decimal | None = None
    lot_size: int | None = None
    freeze_quantity: int | None = None
    qty_multiplier: Decimal | None = None
    expiry: date | None = None
    strike: Decimal | None = None
    underlying_key: str | None = None
    underlying_symbol: str | None = None
    weekly: bool | None = None
    security_type: str | None = None
    cas_eligible: bool = False

    @property
    def is_index(self) -> bool:
        return self.type == "INDEX"

    @property
    def is_option(self) -> bool:
        return self.type in {"CE", "PE"}


@dataclass(frozen=True, slots=True)
class Underlying:
    """What options are written on, as the instrument master tells it of their contracts."""

    symbol: str
    segment: str
    """Of its options: NSE_FO, BSE_FO, MCX_FO, NCD_FO ..."""
    exchange: str
    name: str
    key: str | None
    """Of the thing itself, where the master tells one: an index, a share, a future (commodities)."""

    @property
    def is_index(self) -> bool:
        return "_INDEX|" in (self.key or "")

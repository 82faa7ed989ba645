"""What the trading desk must know of an instrument, read out of its row of the instrument file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from services.domain.calendar.days import market_of
from services.domain.clock import IST, epoch_ms, from_epoch_ms, ist_date
from services.domain.errors import UnknownInstrument
from services.domain.phases import Listing as Hours
from services.domain.phases import Market
from services.paper.hours import Group, group_of
from services.paper.model import Listing
from services.paper.trading.order_values import Fill
from services.paper.trading.values import PRICE_UNITS

_COARSEST = 500
"""Tick where the file has none: five paise."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument. Prices in 1/10000 rupee."""

    listing: Listing
    market: Market
    group: Group
    tick: int
    lot: int
    freeze: int | None
    """No order may be larger."""
    multiplier: int
    expiry: date | None
    strike: int
    right: str
    """CE, PE, or nothing."""
    underlying: str
    isin: str
    in_auction: bool

    @property
    def key(self) -> str:
        return self.listing.key

    @property
    def share(self) -> bool:
        return self.listing.segment.endswith("_EQ")

    def hours(self, day: date) -> Hours:
        """As what the exchange's hours know it on `day`; the same as the simulator's."""
        if self.share:
            return Hours.AUCTION if self.in_auction else Hours.ORDINARY
        if self.expiry == day:
            if self.group is Group.CURRENCY:
                return Hours.EXPIRING_CURRENCY
            if self.listing.row.get("underlying_type") == "INDEX":
                return Hours.EXPIRING_INDEX
        return Hours.ORDINARY

    def rounded(self, price: int, *, up: bool) -> int:
        """`price` in whole ticks."""
        return -(-price // self.tick) * self.tick if up else price // self.tick * self.tick


def instrument_of(listing: Listing) -> Instrument | None:
    """`listing` as something that can be traded; `None` for an index and other things that cannot."""
    if listing.segment.endswith("_INDEX"):
        return None
    try:
        market = market_of(listing.segment)
    except UnknownInstrument:
        return None
    row = listing.row
    share = listing.segment.endswith("_EQ")
    expiry = _number(row.get("expiry"))
    right = str(row.get("instrument_type", ""))
    return Instrument(
        listing=listing,
        market=market,
        group=group_of(listing.segment),
        tick=round(_number(row.get("tick_size")) * 100) or _COARSEST,
        lot=int(_number(row.get("lot_size"))) or 1,
        freeze=int(_number(row.get("freeze_quantity"))) or None,
        multiplier=int(_number(row.get("qty_multiplier"))) or 1,
        expiry=ist_date(from_epoch_ms(int(expiry))) if expiry else None,
        strike=round(_number(row.get("strike_price")) * PRICE_UNITS),
        right=right if right in {"CE", "PE"} else "",
        underlying=str(row.get("underlying_key", "")),
        isin=str(row.get("isin", "")) or (listing.key if share else ""),
        in_auction=share and bool(row.get("cas_eligible")),
    )


def unlisted(fill: Fill) -> Instrument:
    """What is left to be known, from a trade of it, of an instrument that the market lists no more."""
    exchange = {"NCD": "NSE", "BCD": "BSE"}.get(fill.segment[:3], fill.segment[:3])
    row: dict[str, object] = {
        "segment": fill.segment,
        "exchange": exchange,
        "name": fill.name,
        "isin": fill.isin,
        "instrument_key": fill.key,
        "instrument_type": "EQ" if fill.segment.endswith("_EQ") else fill.option_type or "FUT",
        "trading_symbol": fill.symbol,
        "qty_multiplier": fill.multiplier,
    }
    if not fill.segment.endswith("_EQ"):
        row |= {"underlying_symbol": fill.name, "strike_price": fill.strike / PRICE_UNITS}
    if fill.expiry:
        row["expiry"] = epoch_ms(datetime.combine(date.fromisoformat(fill.expiry), time(23, 59, 59), IST))
    found = instrument_of(Listing(fill.key, fill.segment, exchange, fill.symbol, row))
    assert found is not None  # it was traded
    return found


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0

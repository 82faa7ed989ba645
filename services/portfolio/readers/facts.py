"""What a trade needs of its instrument, kept with the trade itself.

An instrument master knows the contracts of today only, and a broker gives their keys to others after they have expired.
So these facts are written down while the master knows them, or read from what the broker's history says of a trade.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from services.domain.errors import InvalidRequest
from services.domain.instruments import Instrument, is_isin
from services.domain.orders import PastTrade
from services.portfolio.charges.kinds import Group
from services.portfolio.lots.fills import Asset, Fill
from services.portfolio.readers.desk_trades import asset_of, group_of, identity_of, multiplier_of
from services.portfolio.readers.tradebooks import fills_of_history, plain_exchange

_PARTS_OF_A_CONTRACT = 5
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MADE_BY = "desk"
"""The member that tells facts of ours from those of the broker's history."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one instrument."""

    instrument: str
    """As `lots.fills.Fill.instrument`."""
    symbol: str
    asset: Asset
    exchange: str
    multiplier: int = 1
    group: Group = Group.NONE
    expiry: date | None = None


def facts_of(instrument: Instrument) -> Facts:
    """What the master says. `InvalidRequest` for what cannot be traded."""
    told = instrument.key.partition("|")[2]
    if not instrument.isin and instrument.segment in {"NSE_EQ", "BSE_EQ"} and is_isin(told):
        instrument = replace(instrument, isin=told)
    return Facts(
        identity_of(instrument), instrument.symbol, asset_of(instrument), plain_exchange(instrument.segment),
        multiplier_of(instrument), group_of(instrument), instrument.expiry,
    )  # fmt: skip


def facts_of_past(trade: PastTrade) -> Facts:
    """What the broker's history says. `InvalidRequest`, in words, where that is not enough."""
    reading = fills_of_history([trade], account="", multiplier=multiplier_told)
    if not reading.taken:
        raise InvalidRequest(reading.refused[0].reason)
    fill = reading.taken[0]
    return Facts(fill.instrument, _named(fill), fill.asset, fill.exchange, fill.multiplier, fill.group, fill.expiry)


def _named(fill: Fill) -> str:
    """A contract as the instrument master names it, `NIFTY 26000 CE 24 NOV 26`: the history tells the underlying."""
    parts = fill.instrument.split(":")
    if fill.expiry is None or len(parts) != _PARTS_OF_A_CONTRACT:
        return fill.symbol
    strike, kind = parts[3:]
    day = f"{fill.expiry:%d} {_MONTHS[fill.expiry.month - 1]} {fill.expiry:%y}"
    return f"{parts[1]} FUT {day}" if kind == "FUT" else f"{parts[1]} {strike} {kind} {day}"


def multiplier_told(trade: PastTrade) -> int:
    """What one of a quantity stands for: what its amount is of price times quantity. 1 where that is no whole number,
    as in shares and their contracts."""
    plain = trade.price * trade.quantity
    if plain <= 0 or trade.amount <= 0:
        return 1
    times = int((trade.amount / plain).to_integral_value())
    return times if times >= 1 and abs(trade.amount - times * plain) <= times else 1


def as_told(facts: Facts) -> dict[str, Any]:  # Any: JSON values
    """To be kept as JSON; `read_facts` reads it back."""
    return {
        _MADE_BY: 1,
        "instrument": facts.instrument,
        "symbol": facts.symbol,
        "asset": facts.asset.value,
        "exchange": facts.exchange,
        "multiplier": facts.multiplier,
        "group": facts.group.value,
        "expiry": None if facts.expiry is None else facts.expiry.isoformat(),
    }


def read_facts(told: Mapping[str, Any]) -> Facts | None:
    """What `as_told` wrote; `None`: somebody else wrote it."""
    if told.get(_MADE_BY) != 1:
        return None
    expiry = told["expiry"]
    return Facts(
        told["instrument"], told["symbol"], Asset(told["asset"]), told["exchange"], int(told["multiplier"]),
        Group(told["group"]), None if expiry is None else date.fromisoformat(expiry),
    )  # fmt: skip

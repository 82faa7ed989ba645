"""Fills of the desk's own orders, and the trade that an order would be, with what the instrument master knows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from services.domain.errors import InvalidRequest
from services.domain.instruments import Instrument
from services.domain.orders import Product, Side
from services.portfolio.charges.engine import Part
from services.portfolio.charges.kinds import Group
from services.portfolio.lots.fills import Asset, contract_identity, share_identity
from services.portfolio.money import price_units
from services.portfolio.readers.tradebooks import option_group, plain_exchange, share_asset

AGRICULTURAL = frozenset({"CARDAMOM", "CASTORSEED", "COTTON", "COTTONCNDY", "COTTONSEED", "KAPAS"})
"""Commodities that pay no CTT. Oils pressed of them are left out: sources differ."""
_BSE_GROUPS = {
    **dict.fromkeys(("X", "XT", "Z", "ZP"), Group.BSE_X),
    **dict.fromkeys(("P", "SS", "ST"), Group.BSE_P),
    **dict.fromkeys(("M", "MT", "MS", "TS"), Group.BSE_M),
}
_CONTRACTS = {
    "NSE_FO": (Asset.FUTURE, Asset.OPTION),
    "BSE_FO": (Asset.FUTURE, Asset.OPTION),
    "NCD_FO": (Asset.CURRENCY_FUTURE, Asset.CURRENCY_OPTION),
    "BCD_FO": (Asset.CURRENCY_FUTURE, Asset.CURRENCY_OPTION),
    "MCX_FO": (Asset.COMMODITY_FUTURE, Asset.COMMODITY_OPTION),
    "NSE_COM": (Asset.COMMODITY_FUTURE, Asset.COMMODITY_OPTION),
}


def part_of_order(
    instrument: Instrument,
    side: Side,
    quantity: int,
    price: Decimal,
    product: str,
    day: date,
    *,
    order_id: str = "order",
) -> Part:
    """The trade that an order would be if it were filled at `price`: for an estimate of what it costs.

    Delivery is assumed to stay: that a purchase is sold the same day, nobody knows before.
    """
    intraday = product in {Product.INTRADAY, Product.COVER}
    return Part(
        order_id,
        order_id,
        day,
        plain_exchange(instrument.segment),
        asset_of(instrument).kind(intraday=intraday),
        side,
        quantity,
        price_units(price),
        multiplier_of(instrument),
        identity_of(instrument) if asset_of(instrument).delivered else "",
        group_of(instrument),
    )


def asset_of(instrument: Instrument) -> Asset:
    """What it is. `InvalidRequest` for what cannot be traded (an index)."""
    if instrument.segment in {"NSE_EQ", "BSE_EQ"}:
        return share_asset(instrument.isin or "", f"{instrument.symbol} {instrument.name}")
    contract = _CONTRACTS.get(instrument.segment)
    if contract is None or not (instrument.is_option or instrument.type == "FUT"):
        raise InvalidRequest(f"{instrument.symbol} ({instrument.segment}) is not traded")
    return contract[instrument.is_option]


def identity_of(instrument: Instrument) -> str:
    """What is matched with itself: the ISIN, or the contract in words that any source can tell."""
    exchange = plain_exchange(instrument.segment)
    if asset_of(instrument).delivered:
        return share_identity(instrument.isin or "", exchange, instrument.symbol)
    kind = instrument.type if instrument.is_option else "FUT"
    strike = "0" if instrument.strike is None else f"{instrument.strike.normalize():f}"
    return contract_identity(
        exchange, instrument.underlying_symbol or instrument.symbol, instrument.expiry, strike, kind
    )


def multiplier_of(instrument: Instrument) -> int:
    """What one of a quantity stands for: of commodities and currencies a lot, else a unit."""
    if instrument.segment.startswith(("NSE_EQ", "BSE_EQ", "NSE_FO", "BSE_FO")) or instrument.qty_multiplier is None:
        return 1
    whole = int(instrument.qty_multiplier)
    if whole != instrument.qty_multiplier or whole < 1:
        raise InvalidRequest(f"{instrument.symbol}: a lot of {instrument.qty_multiplier} is no whole number of units")
    return whole


def group_of(instrument: Instrument) -> Group:
    """Whether it has rates of its own."""
    if instrument.segment == "BSE_EQ":
        return _BSE_GROUPS.get(instrument.type, Group.NONE)
    if instrument.is_option and instrument.segment == "BSE_FO":
        return option_group("BSE", instrument.underlying_symbol or instrument.symbol)
    underlying = (instrument.underlying_symbol or "").upper()
    if instrument.segment in {"MCX_FO", "NSE_COM"} and underlying in AGRICULTURAL:
        return Group.AGRICULTURAL
    return Group.NONE

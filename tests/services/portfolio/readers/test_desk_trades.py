"""Fills of the desk's own orders, and estimates of orders."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from services.domain.errors import InvalidRequest
from services.domain.instruments import Instrument
from services.domain.orders import Side
from services.portfolio.charges.engine import charges_of_order
from services.portfolio.charges.kinds import Group, Kind, Line
from services.portfolio.lots.fills import Asset
from services.portfolio.readers.desk_trades import (
    asset_of,
    group_of,
    identity_of,
    multiplier_of,
    part_of_order,
)
from services.portfolio.readers.tradebooks import read_tradebook

DAY = date(2026, 11, 20)


def instrument(segment: str, kind: str, symbol: str = "RELIANCE", **more: object) -> Instrument:
    return Instrument(f"{segment}|1", segment, segment[:3], symbol, symbol, kind, **more)  # type: ignore[arg-type]


def test_a_share_is_its_isin_on_every_exchange() -> None:
    share = instrument("BSE_EQ", "XT", isin="INE002A01018")

    assert (identity_of(share), group_of(share)) == ("INE002A01018", Group.BSE_X)
    assert (asset_of(share), multiplier_of(share)) == (Asset.SHARE, 1)


def test_a_contract_is_the_same_in_the_master_and_in_the_brokers_history() -> None:
    option = instrument("NSE_FO", "CE", "BANKNIFTY 40000 CE 06 APR 23", underlying_symbol="BANKNIFTY",
                        expiry=date(2023, 4, 6), strike=Decimal("40000.0"), qty_multiplier=Decimal(1))  # fmt: skip
    head = (
        "exchange,segment,option_type,quantity,trade_id,trade_date,transaction_type,symbol,strike_price,expiry,price\n"
    )

    (told,) = read_tradebook(
        head + "NFO,FO,CE,25,1,2023-03-31,SELL,BANKNIFTY,40000.0,2023-04-06,609.5\n", account="A"
    ).taken

    assert identity_of(option) == told.instrument


def test_lots_of_commodities_and_currencies_have_their_multiplier() -> None:
    crude = instrument("MCX_FO", "FUT", "CRUDEOIL FUT", underlying_symbol="CRUDEOIL", qty_multiplier=Decimal(100))
    dollar = instrument("NCD_FO", "FUT", "USDINR FUT", underlying_symbol="USDINR", qty_multiplier=Decimal(1000))
    kapas = instrument("MCX_FO", "FUT", "KAPAS FUT", underlying_symbol="KAPAS", qty_multiplier=Decimal("0.5"))

    assert (multiplier_of(crude), asset_of(crude), group_of(crude)) == (100, Asset.COMMODITY_FUTURE, Group.NONE)
    assert (multiplier_of(dollar), asset_of(dollar)) == (1000, Asset.CURRENCY_FUTURE)
    assert group_of(kapas) is Group.AGRICULTURAL
    with pytest.raises(InvalidRequest):
        multiplier_of(kapas)


def test_an_index_is_not_traded() -> None:
    with pytest.raises(InvalidRequest):
        asset_of(instrument("NSE_INDEX", "INDEX", "NIFTY"))


def test_the_estimate_of_an_order_is_that_of_its_product() -> None:
    share = instrument("NSE_EQ", "EQ", isin="INE002A01018")
    sold = {"D": Kind.DELIVERY, "I": Kind.INTRADAY, "MTF": Kind.DELIVERY}

    for product, kind in sold.items():
        part = part_of_order(share, Side.SELL, 100, Decimal(1100), product, DAY)
        assert part.kind is kind
        assert (charges_of_order([part]).rupees(Line.DP) == 20) is (kind is Kind.DELIVERY)


def test_options_of_bse_are_of_their_group() -> None:
    bankex = instrument("BSE_FO", "PE", "BANKEX 60000 PE", underlying_symbol="BANKEX")
    stock = instrument("BSE_FO", "CE", "RELIANCE 1500 CE", underlying_symbol="RELIANCE")

    assert (group_of(bankex), group_of(stock)) == (Group.NONE, Group.BSE_OTHER_OPTION)

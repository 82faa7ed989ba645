"""Option chains with known figures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from services.domain.instruments import Instrument, Underlying
from services.domain.quotes import ChainRow, ChainSide
from tests.support.readings import NIFTY

EXPIRY = date(2026, 11, 24)
NIFTY_OPTIONS = Underlying("NIFTY", "NSE_FO", "NSE", "NIFTY", NIFTY)


def side(token: str, *, ltp: float | None, oi: float | None = None, volume: int | None = None) -> ChainSide:
    """A contract that closed at 500 and had ten units open the day before."""
    return ChainSide(
        key=f"NSE_FO|{token}", ltp=ltp, prev_close=500.0, volume=volume, oi=oi, previous_oi=10.0,
        bid=None if ltp is None else ltp - 0.5, bid_quantity=65, ask=None if ltp is None else ltp + 0.5,
        ask_quantity=130, iv_percent=14.2, delta=0.5, gamma=0.0005, theta=-8.5, vega=12.0,
        probability_of_profit=None,
    )  # fmt: skip


def chain_row(
    strike: float, *, call: ChainSide | None, put: ChainSide | None, spot: float | None = 24_480.0
) -> ChainRow:
    return ChainRow(EXPIRY.isoformat(), strike, NIFTY, spot, None, call, put)


def contract(token: str, kind: str, strike: float) -> Instrument:
    return Instrument(
        f"NSE_FO|{token}", "NSE_FO", "NSE", f"NIFTY {strike:g} {kind} 24 NOV 26", "NIFTY", kind,
        lot_size=65, expiry=EXPIRY, strike=Decimal(str(strike)), underlying_key=NIFTY, underlying_symbol="NIFTY",
        tick_size=Decimal("0.05"),
    )  # fmt: skip

"""Derivative contracts of the built-in universe, made for the day that is asked: expiries, lots, tokens, rows.

Facts (lots, freeze quantities, ticks, multipliers, commodity codes) as of the instrument files of 2026-08-21 (NSE) and
2025-12-18 (MCX, BSE). Tokens are our own: a number packed from the contract's terms, so that a contract keeps its key
and no two contracts share one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial

from services.domain.calendar.expiries import ExpiryRule, is_monthly, next_monthly_expiries, weekly_expiries
from services.domain.clock import IST, epoch_ms
from services.paper.model import Listing

_EPOCH = date(2016, 1, 1)
_NEW_LOTS = date(2026, 1, 1)
_LOTS_OF_2024 = date(2024, 11, 20)
_WEEKLY_MONTH = "123456789OND"


@dataclass(frozen=True, slots=True)
class Family:
    """All contracts on one underlying. `number` is a part of the tokens: below 8 where there are options, below 100 for
    the families written here, 100 more than its exchange token for a share."""

    number: int
    symbol: str
    root: str
    segment: str
    name: str
    rule: ExpiryRule
    underlying_type: str
    underlying_key: str | None
    lot: int
    future_freeze: int
    future_tick: float
    """Paise, as in the instrument file; so are the other ticks."""
    months: int = 3
    """How many futures are listed."""
    multiplier: float | None = 1.0
    quote_unit: str | None = None
    earlier_lot: int | None = None
    """For expiries up to the end of 2025."""
    option_freeze: int = 0
    option_tick: float = 0.0
    strike_step: int = 0
    strikes_each_side: int = 0
    weeklies: int = 0
    option_months: int = 0
    open_interest: float = 0.0
    """Of the nearest future, units."""
    volume: float = 0.0
    """Of the nearest future in a day, units (MCX, currency: lots)."""
    option_volume: float = 0.0
    """Of all options of the nearest expiry in a day, units."""

    @property
    def exchange(self) -> str:
        return {"NSE_FO": "NSE", "NCD_FO": "NSE", "BSE_FO": "BSE", "MCX_FO": "MCX"}[self.segment]

    def lot_on(self, expiry: date) -> int:
        """The lot of contracts that end on `expiry`."""
        if self.symbol == "NIFTY" and expiry < _LOTS_OF_2024:
            return 25
        return self.earlier_lot if self.earlier_lot and expiry < _NEW_LOTS else self.lot


_index = partial(Family, underlying_type="INDEX")
_nse = partial(_index, segment="NSE_FO", rule=ExpiryRule.NSE)
_bse = partial(_index, segment="BSE_FO", rule=ExpiryRule.BSE, multiplier=None)
_currency = partial(Family, segment="NCD_FO", rule=ExpiryRule.CURRENCY, underlying_type="CUR", underlying_key=None)
_mcx = partial(Family, segment="MCX_FO", underlying_type="COM")

FAMILIES = (
    _nse(
        number=1, symbol="NIFTY", name="NIFTY", root="NSE_INDEX|Nifty 50", underlying_key="NSE_INDEX|Nifty 50",
        lot=65, earlier_lot=75, future_freeze=1755, future_tick=10.0, open_interest=16e6, volume=6.5e6,
        option_freeze=1755, option_tick=5.0, strike_step=50, strikes_each_side=20, weeklies=3, option_months=2,
        option_volume=1.6e9,
    ),
    _nse(
        number=2, symbol="BANKNIFTY", name="BANKNIFTY", root="NSE_INDEX|Nifty Bank",
        underlying_key="NSE_INDEX|Nifty Bank", lot=30, earlier_lot=35, future_freeze=600, future_tick=20.0,
        open_interest=1.7e6, volume=9e5, option_freeze=600, option_tick=5.0, strike_step=100, strikes_each_side=50,
        option_months=2, option_volume=1.2e8,
    ),
    _nse(
        number=3, symbol="FINNIFTY", name="FINNIFTY", root="NSE_INDEX|Nifty Fin Service",
        underlying_key="NSE_INDEX|Nifty Fin Service", lot=60, earlier_lot=65, future_freeze=1800, future_tick=10.0,
        open_interest=4e4, volume=1.5e4,
    ),
    _nse(
        number=4, symbol="MIDCPNIFTY", name="MIDCPNIFTY", root="NSE_INDEX|NIFTY MID SELECT",
        underlying_key="NSE_INDEX|NIFTY MID SELECT", lot=120, earlier_lot=140, future_freeze=2760, future_tick=5.0,
        open_interest=3.5e6, volume=7e5,
    ),
    _nse(
        number=5, symbol="NIFTYNXT50", name="NIFTYNXT50", root="NSE_INDEX|Nifty Next 50",
        underlying_key="NSE_INDEX|Nifty Next 50", lot=25, future_freeze=600, future_tick=20.0,
        open_interest=2e4, volume=8e3,
    ),
    _bse(
        number=6, symbol="SENSEX", name="SENSEX", root="BSE_INDEX|SENSEX", underlying_key="BSE_INDEX|SENSEX",
        lot=20, future_freeze=500, future_tick=5.0, open_interest=2e4, volume=1e4, option_freeze=1000,
        option_tick=5.0, strike_step=100, strikes_each_side=20, weeklies=2, option_months=1, option_volume=6e8,
    ),
    _bse(
        number=7, symbol="BANKEX", name="BANKEX", root="BSE_INDEX|BANKEX", underlying_key="BSE_INDEX|BANKEX",
        lot=30, future_freeze=600, future_tick=5.0, open_interest=5e3, volume=2e3,
    ),
    _currency(
        number=20, symbol="USDINR", name="USDINR", root="CURRENCY|USDINR", lot=1, future_freeze=10000,
        future_tick=0.25, multiplier=1000.0, open_interest=9e5, volume=4e5,
    ),
    _mcx(
        number=30, symbol="GOLD", name="GOLD", root="COMMODITY|GOLD", rule=ExpiryRule.GOLD,
        underlying_key="MCX_COM|114", lot=1, future_freeze=10, future_tick=100.0, months=2, multiplier=100.0,
        quote_unit="GRMS", open_interest=1.4e4, volume=1.1e4,
    ),
    _mcx(
        number=31, symbol="SILVER", name="SILVER", root="COMMODITY|SILVER", rule=ExpiryRule.SILVER,
        underlying_key="MCX_COM|115", lot=30, future_freeze=20, future_tick=100.0, months=2, multiplier=30.0,
        quote_unit="KGS", open_interest=1.8e4, volume=1.6e4,
    ),
    _mcx(
        number=32, symbol="CRUDEOIL", name="CRUDE OIL", root="COMMODITY|CRUDEOIL", rule=ExpiryRule.CRUDE,
        underlying_key="MCX_COM|294", lot=100, future_freeze=100, future_tick=100.0, multiplier=100.0,
        quote_unit="BBL", open_interest=1.5e4, volume=2.5e4,
    ),
    _mcx(
        number=33, symbol="NATURALGAS", name="NATURALGAS", root="COMMODITY|NATURALGAS", rule=ExpiryRule.GAS,
        underlying_key="MCX_COM|401", lot=1250, future_freeze=48, future_tick=10.0, multiplier=1250.0,
        quote_unit="mmBtu", open_interest=3e4, volume=4.5e4,
    ),
)  # fmt: skip


def share_family(
    symbol: str, isin: str, name: str, token: str, lot: int, freeze: int, tick: float, volume: float
) -> Family:
    """The futures on a share. `tick` in paise; `volume` in shares a day."""
    return Family(
        100 + int(token), symbol, isin, "NSE_FO", name, ExpiryRule.NSE, "EQUITY", f"NSE_EQ|{isin}", lot, freeze, tick,
        months=2, volume=0.7 * volume, open_interest=6 * volume,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contract:
    """One contract: its terms and its row."""

    family: Family
    listing: Listing
    expiry: date
    strike: float
    right: int
    lot: int
    rank: int
    """0 for the nearest expiry of its kind, 1 for the next ..."""


def futures(family: Family, day: date) -> Iterator[Contract]:
    """The futures of `family` listed on `day`."""
    for rank, expiry in enumerate(future_expiries(family, day)):
        yield _contract(family, expiry, rank, 0.0, 0)


def future_expiries(family: Family, day: date) -> list[date]:
    """The expiries for which `family` lists futures on `day`, nearest first."""
    return next_monthly_expiries(family.rule, day, family.months)


def option_expiries(family: Family, day: date) -> list[date]:
    """The expiries for which `family` lists options on `day`, nearest first."""
    weekly: list[date] = []
    if family.weeklies:
        weekly = weekly_expiries(family.rule, day, day + timedelta(weeks=family.weeklies + 1))[: family.weeklies]
    return sorted({*weekly, *next_monthly_expiries(family.rule, day, family.option_months)})


def options(family: Family, expiry: date, rank: int, low: float, high: float) -> Iterator[Contract]:
    """Calls and puts for one expiry, with strikes around a spot that has moved between `low` and `high` (points) since
    the expiry was listed: a strike that was ever listed stays."""
    for index in _strikes(family, low, high):
        for right in (1, -1):
            yield _contract(family, expiry, rank, float(index * family.strike_step), right)


def has_strike(family: Family, strike: float, low: float, high: float) -> bool:
    """Is `strike` among those that `options` lists?"""
    return round(strike / family.strike_step) in _strikes(family, low, high)


def _strikes(family: Family, low: float, high: float) -> range:
    step, side = family.strike_step, family.strikes_each_side
    return range(max(round(low / step) - side, 1), round(high / step) + side + 1)


def _contract(family: Family, expiry: date, rank: int, strike: float, right: int) -> Contract:
    lot = family.lot_on(expiry)
    token = str(_token(family, expiry, strike, right))
    key = f"{family.segment}|{token}"
    listing = Listing(
        key=key,
        segment=family.segment,
        exchange=family.exchange,
        quote_symbol=quote_symbol(family.symbol, expiry, strike, right, monthly=is_monthly(family.rule, expiry)),
        row=_row(family, expiry, strike, right, lot, token, key),
    )
    return Contract(family, listing, expiry, strike, right, lot, rank)


def _token(family: Family, expiry: date, strike: float, right: int) -> int:
    day = (expiry - _EPOCH).days
    if right == 0:
        return 600_000_000 + day * 40_000 + family.number
    kind = 0 if right > 0 else 1
    return 10_000_000 + ((day * 8 + family.number) * 2 + kind) * 4000 + round(strike / family.strike_step)


def quote_symbol(symbol: str, expiry: date, strike: float, right: int, *, monthly: bool) -> str:
    """The compact spelling of quotes: `NIFTY26NOVFUT`, `NIFTY26NOV26000CE`, weekly `NIFTY26N1726000CE`."""
    when = f"{expiry:%y%b}".upper() if monthly else f"{expiry:%y}{_WEEKLY_MONTH[expiry.month - 1]}{expiry:%d}"
    return f"{symbol}{when}" + ("FUT" if right == 0 else f"{strike:g}{_side(right)}")


def _side(right: int) -> str:
    return {1: "CE", -1: "PE", 0: "FUT"}[right]


def _row(family: Family, expiry: date, strike: float, right: int, lot: int, token: str, key: str) -> dict[str, object]:
    """The instrument file's own fields for this contract; the exchanges leave out different ones."""
    side = _side(right)
    freeze = family.option_freeze if right else family.future_freeze
    if lot != family.lot:
        freeze = freeze // family.lot * family.lot // lot * lot
    symbol = f"{family.symbol} {strike:g} {side}" if right else f"{family.symbol} FUT"
    ends = epoch_ms(datetime.combine(expiry, time(23, 59, 59), IST))
    row: dict[str, object] = {
        "segment": family.segment,
        "name": family.name,
        "exchange": family.exchange,
        "expiry": ends,
        "instrument_type": side,
        "asset_symbol": family.symbol,
        "underlying_symbol": family.symbol,
        "instrument_key": key,
        "lot_size": lot,
        "freeze_quantity": float(freeze),
        "exchange_token": token,
        "tick_size": family.option_tick if right else family.future_tick,
        "asset_type": family.underlying_type,
        "underlying_type": family.underlying_type,
        "trading_symbol": f"{symbol} {expiry:%d %b %y}".upper(),
        "strike_price": strike,
    }
    if family.underlying_key:
        row |= {"asset_key": family.underlying_key, "underlying_key": family.underlying_key}
    if family.multiplier is not None:
        row["qty_multiplier"] = family.multiplier
    if family.underlying_type == "COM":
        row |= {"last_trading_date": ends, "price_quote_unit": family.quote_unit}
    else:
        row |= {"weekly": not is_monthly(family.rule, expiry), "minimum_lot": lot}
    return row

"""The built-in universe: some two hundred real shares, indices, and the contracts of the day that is asked.

`shares.csv` and `indices.csv` beside this module hold the facts and say where they are from.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from services.domain.calendar.expiries import is_monthly
from services.paper import contracts
from services.paper.contracts import FAMILIES, Contract, Family, share_family
from services.paper.hours import Group, group_of
from services.paper.model import Listing
from services.paper.specs import VIX, DayRange, Kind, Root, Spec, own_noise

_WEEKLY_LIFE = timedelta(days=28)
_MONTHLY_LIFE = timedelta(days=72)
"""No option is listed longer before its expiry than this; since then its strikes have followed the spot."""
_LONGEST_LIFE = timedelta(days=200)
"""No contract is listed longer before its expiry: the second gold future is, for four months."""
_TRADED_STRIKES = 32
"""Strikes that share nearly all that is traded of an expiry; the others are listed and hardly trade."""
_RATE = 0.065
_DIVIDEND = 0.012
INDEX_CARRY = _RATE - _DIVIDEND

INDEX_SYMBOLS = {
    "NIFTY": "NSE_INDEX|Nifty 50",
    "NIFTY50": "NSE_INDEX|Nifty 50",
    "NIFTY 50": "NSE_INDEX|Nifty 50",
    "^NSEI": "NSE_INDEX|Nifty 50",
    "BANKNIFTY": "NSE_INDEX|Nifty Bank",
    "NIFTYBANK": "NSE_INDEX|Nifty Bank",
    "NIFTY BANK": "NSE_INDEX|Nifty Bank",
    "^NSEBANK": "NSE_INDEX|Nifty Bank",
    "FINNIFTY": "NSE_INDEX|Nifty Fin Service",
    "INDIAVIX": VIX,
    "INDIA VIX": VIX,
    "^INDIAVIX": VIX,
    "SENSEX": "BSE_INDEX|SENSEX",
    "^BSESN": "BSE_INDEX|SENSEX",
}
"""What candle files call an index."""

FIRST_DAYS = {
    symbol: date.fromisoformat(day)
    for symbol, day in (
        ("AUBANK", "2017-07-10"), ("BANDHANBNK", "2018-03-27"), ("BDL", "2018-03-23"), ("BSE", "2017-02-03"),
        ("CAMS", "2020-10-01"), ("CDSL", "2017-06-30"), ("COCHINSHIP", "2017-08-11"), ("DELHIVERY", "2022-05-24"),
        ("DIXON", "2017-09-18"), ("DMART", "2017-03-21"), ("ETERNAL", "2021-07-23"), ("HAL", "2018-03-28"),
        ("HDFCAMC", "2018-08-06"), ("HDFCLIFE", "2017-11-17"), ("HYUNDAI", "2024-10-22"), ("ICICIGI", "2017-09-27"),
        ("ICICIPRULI", "2016-09-29"), ("IREDA", "2023-11-29"), ("IRFC", "2021-01-29"), ("ITCHOTELS", "2025-01-29"),
        ("JIOFIN", "2023-08-21"), ("KALYANKJIL", "2021-03-26"), ("LAURUSLABS", "2016-12-19"), ("LICI", "2022-05-17"),
        ("LODHA", "2021-04-19"), ("MANKIND", "2023-05-09"), ("MAZDOCK", "2020-10-12"), ("NAM-INDIA", "2017-11-06"),
        ("NYKAA", "2021-11-10"), ("PAYTM", "2021-11-18"), ("POLICYBZR", "2021-11-15"), ("POLYCAB", "2019-04-16"),
        ("RVNL", "2019-04-11"), ("SBICARD", "2020-03-16"), ("SBILIFE", "2017-10-03"), ("SONACOMS", "2021-06-24"),
        ("SWIGGY", "2024-11-13"), ("VMM", "2024-12-18"),
    )
}  # fmt: skip
"""First days of trading since 2016, as the exchanges announced them: older candles of these do not exist."""

_OTHER_ROOTS = (
    Root("CURRENCY|USDINR", Group.CURRENCY, 95.9, 0.0025, 0.0, "", 0.0, 0.0026, 0.03, 0.022),
    Root("COMMODITY|GOLD", Group.COMMODITY, 148_200.0, 1.0, 0.0, "BULLION", 1.0, 0.003, 0.06, 0.06),
    Root("COMMODITY|SILVER", Group.COMMODITY, 238_000.0, 1.0, 0.0, "BULLION", 1.7, 0.008, 0.09, 0.06),
    Root("COMMODITY|CRUDEOIL", Group.COMMODITY, 5_450.0, 1.0, 0.0, "OIL", 1.0, 0.008, 0.08, 0.02),
    Root("COMMODITY|NATURALGAS", Group.COMMODITY, 285.0, 0.1, 0.0, "OIL", 0.8, 0.024, 0.09, 0.05),
)
"""Levels of 2026-08-21: estimates (dollar and gold from the strikes listed that day, the rest from earlier ones)."""


class BuiltinUniverse:
    """Shares and indices are always listed; contracts come and go with the day."""

    def __init__(self) -> None:
        self._shares = tuple(_rows("shares.csv"))
        self._indices = tuple(_rows("indices.csv"))
        self._roots = {root.name: root for root in (*self._share_roots(), *self._index_roots(), *_OTHER_ROOTS)}
        self._symbols = {row["symbol"]: row["isin"] for row in self._shares}
        self._families = (*FAMILIES, *_share_families(self._shares))
        self._by_symbol = {(family.segment, family.symbol): family for family in self._families}
        self._lasting = {spec.key: spec for spec in (*self._index_specs(), *self._share_specs())}

    @property
    def roots(self) -> Mapping[str, Root]:
        return self._roots

    def root_of(self, symbol: str) -> str | None:
        plain = symbol.upper().removesuffix(".NS")
        return INDEX_SYMBOLS.get(plain) or self._symbols.get(plain)

    def lasting(self, key: str) -> Spec | None:
        """The share or index of this key."""
        return self._lasting.get(key)

    def specs(self, day: date, traded: Callable[[Group], date], ranges: DayRange) -> Mapping[str, Spec]:
        found = dict(self._lasting)
        for family in self._families:
            root = self._roots[family.root]
            for on in dict.fromkeys((traded(group_of(family.segment)), day)):
                for contract in _contracts(family, on, ranges):
                    if contract.expiry >= day and contract.listing.key not in found:
                        spec = contract_spec(contract, root, on, ranges)
                        found[spec.key] = spec
        return found

    def earlier(self, spec: Spec, day: date, ranges: DayRange) -> Spec | None:
        if spec.expiry is None:
            return spec if day >= self.since(spec) else None
        family = self._by_symbol[spec.listing.segment, str(spec.listing.row["underlying_symbol"])]
        option = spec.kind is Kind.OPTION
        listed = contracts.option_expiries(family, day) if option else contracts.future_expiries(family, day)
        if spec.expiry not in listed:
            return None
        if option and not contracts.has_strike(family, spec.strike, *_life_range(family, spec.expiry, day, ranges)):
            return None
        contract = Contract(
            family, spec.listing, spec.expiry, spec.strike, spec.right, family.lot_on(spec.expiry),
            listed.index(spec.expiry),
        )  # fmt: skip
        return contract_spec(contract, self._roots[family.root], day, ranges)

    def since(self, spec: Spec) -> date:
        if spec.expiry is not None:
            return spec.expiry - _LONGEST_LIFE
        return FIRST_DAYS.get(str(spec.listing.row.get("trading_symbol")), date.min)

    def _share_roots(self) -> Iterator[Root]:
        for row in self._shares:
            beta, volatility = float(row["beta"]), float(row["daily_vol_pct"]) / 100
            yield Root(
                name=row["isin"],
                group=Group.EQUITY,
                anchor=float(row["close"]),
                tick=float(row["tick_paise"]) / 100,
                beta=beta,
                sector=row["sector"],
                sector_load=1.0,
                noise=own_noise(volatility, beta),
                band=0.10 if row["future_lot"] else 0.20,
                carry=_RATE - 0.005,
                auction=row["cas_eligible"] == "1",
            )

    def _index_roots(self) -> Iterator[Root]:
        for row in self._indices:
            volatile = row["key"] == VIX
            yield Root(
                name=row["key"],
                group=Group.EQUITY,
                anchor=float(row["close"]),
                tick=float(row["tick_paise"]) / 100,
                beta=float(row["beta"]),
                sector=row["sector"],
                sector_load=float(row["sector_load"]),
                noise=float(row["noise_pct"]) / 100,
                band=0.40 if volatile else 0.10,
                carry=INDEX_CARRY,
                memory=15.0 if volatile else 250.0,
                auction=not volatile,
            )

    def _share_specs(self) -> Iterator[Spec]:
        for row in self._shares:
            yield _share_spec(row, "NSE", _nse_row(row), float(row["volume"]))
            if row["bse_token"]:
                yield _share_spec(row, "BSE", _bse_row(row), 0.05 * float(row["volume"]))

    def _index_specs(self) -> Iterator[Spec]:
        for row in self._indices:
            facts: dict[str, object] = {
                "segment": f"{row['exchange']}_INDEX",
                "name": row["name"],
                "exchange": row["exchange"],
                "instrument_type": "INDEX",
                "instrument_key": row["key"],
                "exchange_token": row["token"],
                "trading_symbol": row["symbol"],
            }
            if row["cas_eligible"] == "1":
                facts["cas_eligible"] = True
            listing = Listing(row["key"], f"{row['exchange']}_INDEX", row["exchange"], row["key"].split("|")[1], facts)
            tick = float(row["tick_paise"]) / 100
            auction = self._roots[row["key"]].auction
            yield Spec(listing, Kind.INDEX, Group.EQUITY, row["key"], tick, 1, 0.0, None, auction=auction)


def contract_spec(contract: Contract, root: Root, day: date, ranges: DayRange) -> Spec:
    """The contract for the simulator: further months trade less, further strikes too."""
    family = contract.family
    group = group_of(family.segment)
    step = contract.lot if group is Group.EQUITY else 1
    if contract.right == 0:
        share = 0.12**contract.rank
        return Spec(
            contract.listing, Kind.FUTURE, group, root.name, family.future_tick / 100, step,
            family.volume * share, root.band, family.open_interest * share, contract.expiry,
        )  # fmt: skip
    spot = sum(ranges(root.name, day - timedelta(days=1), day - timedelta(days=1))) / 2
    distance = (contract.strike - spot) / spot
    if distance * contract.right < 0:
        distance *= 2.0  # in the money trades less than out of the money
    weight = math.exp(-((distance / 0.022) ** 2)) * (2.0 if contract.strike % (10 * family.strike_step) == 0 else 1.0)
    weight = max(weight, 0.002) / _TRADED_STRIKES * 0.22**contract.rank
    return Spec(
        contract.listing, Kind.OPTION, group, root.name, family.option_tick / 100, step,
        family.option_volume * weight, root.band, 0.16 * family.option_volume * (0.4 * weight + 0.002),
        contract.expiry, contract.strike, contract.right,
        volatility_ratio=1.12 if "Bank" in root.name or "BANK" in root.name else 1.0, from_vix=True,
    )  # fmt: skip


def _contracts(family: Family, day: date, ranges: DayRange) -> Iterator[Contract]:
    yield from contracts.futures(family, day)
    if not family.strike_step:
        return
    for rank, expiry in enumerate(contracts.option_expiries(family, day)):
        yield from contracts.options(family, expiry, rank, *_life_range(family, expiry, day, ranges))


def _life_range(family: Family, expiry: date, day: date, ranges: DayRange) -> tuple[float, float]:
    """Between which closes the spot has moved, by `day`, since options that end on `expiry` were listed."""
    life = _MONTHLY_LIFE if is_monthly(family.rule, expiry) else _WEEKLY_LIFE
    return ranges(family.root, expiry - life, day - timedelta(days=1))


def _share_families(rows: tuple[dict[str, str], ...]) -> Iterator[Family]:
    for row in rows:
        if row["future_lot"]:
            yield share_family(
                row["symbol"], row["isin"], row["name"], row["token"], int(row["future_lot"]),
                int(row["future_freeze"]), float(row["future_tick_paise"]), float(row["volume"]),
            )  # fmt: skip


def _share_spec(row: dict[str, str], exchange: str, facts: dict[str, object], volume: float) -> Spec:
    segment = f"{exchange}_EQ"
    listing = Listing(str(facts["instrument_key"]), segment, exchange, str(facts["trading_symbol"]), facts)
    tick = float(row["tick_paise" if exchange == "NSE" else "bse_tick_paise"]) / 100
    band = 0.10 if row["future_lot"] else 0.20
    auction = row["cas_eligible"] == "1"
    return Spec(listing, Kind.CASH, Group.EQUITY, row["isin"], tick, 1, volume, band, auction=auction)


def _nse_row(row: dict[str, str]) -> dict[str, object]:
    facts = _equity_row("NSE", row["isin"], row["token"], row["symbol"], row["name"], "EQ", row["tick_paise"])
    if row["short_name"]:
        facts["short_name"] = row["short_name"]
    facts["security_type"] = "NORMAL"
    if row["cas_eligible"] == "1":
        facts["cas_eligible"] = True
    return facts


def _bse_row(row: dict[str, str]) -> dict[str, object]:
    facts = _equity_row(
        "BSE", row["isin"], row["bse_token"], row["bse_symbol"], row["bse_name"], row["bse_group"],
        row["bse_tick_paise"],
    )  # fmt: skip
    if row["bse_short_name"]:
        facts["short_name"] = row["bse_short_name"]
    return facts


def _equity_row(
    exchange: str, isin: str, token: str, symbol: str, name: str, series: str, tick: str
) -> dict[str, object]:
    return {
        "segment": f"{exchange}_EQ",
        "name": name,
        "exchange": exchange,
        "isin": isin,
        "instrument_type": series,
        "instrument_key": f"{exchange}_EQ|{isin}",
        "lot_size": 1,
        "freeze_quantity": 100000.0,
        "exchange_token": token,
        "tick_size": float(tick),
        "trading_symbol": symbol,
        "qty_multiplier": 1.0,
    }


@cache
def _rows(name: str) -> tuple[dict[str, str], ...]:
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return tuple(csv.DictReader(line for line in lines if not line.startswith("#")))

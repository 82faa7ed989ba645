"""A real Upstox instrument master (JSON, packed or not) as the universe: its rows as they are, priced from our dated
table where we know the instrument, else at a plausible level that its tick and its options' strikes give away."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import orjson

from services.domain.clock import from_epoch_ms, ist_date
from services.domain.errors import ConfigurationError
from services.paper.contracts import quote_symbol
from services.paper.hours import Group, group_of
from services.paper.model import Listing
from services.paper.seeds import chance
from services.paper.specs import VIX, DayRange, Kind, Root, Spec, own_noise
from services.paper.universe import INDEX_CARRY, BuiltinUniverse

Facts = Mapping[str, object]

_BANDS = {"BE": 0.05, "BZ": 0.05, "T": 0.05, "Z": 0.05, "XT": 0.05, "ST": 0.05}
"""Circuit bands by series; other shares 20 %, those with derivatives 10 %."""
_DEBT = {"GS", "SG", "TB", "F", "G"}
_TICK_LEVELS = ((1.0, 20, 240), (5.0, 260, 950), (10.0, 1020, 4800), (50.0, 5100, 9800), (100.0, 10_200, 19_500))
"""(tick in paise, lowest, highest price): NSE's price bands for ticks, since 2025-04-15."""
_CONTRACT_LIFE = timedelta(days=92)
"""Since when before its expiry a contract has candles: the file does not tell."""
_QUOTE_NAMES = {"FUT", "CE", "PE"}


def read_universe(path: Path, seed: int) -> FileUniverse:
    """The universe of the instrument file `path` (.json or .json.gz).

    Raises `ConfigurationError` when it cannot be read, or when no row of it is an instrument.
    """
    try:
        packed = path.read_bytes()
        rows = orjson.loads(gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed)
    except OSError as error:
        raise ConfigurationError(f"instruments {path}: cannot be read ({error.strerror or error})") from None
    except (EOFError, zlib.error, orjson.JSONDecodeError) as error:
        raise ConfigurationError(f"instruments {path}: not an instrument file ({error})") from None
    usable = [row for row in rows if _is_instrument(row)] if isinstance(rows, list) else []
    if not usable:
        raise ConfigurationError(f"instruments {path}: no instrument in it (expected a JSON list of Upstox rows)")
    return FileUniverse(usable, seed)


def _is_instrument(row: object) -> bool:
    return isinstance(row, dict) and all(isinstance(row.get(name), str) for name in ("instrument_key", "segment"))


class FileUniverse:
    """Every row of the file, every day: contracts that have ended by the broker's clock are still quoted."""

    def __init__(self, rows: Iterable[dict[str, object]], seed: int) -> None:
        self._seed = seed
        self._builtin = BuiltinUniverse()
        by_key = {str(row["instrument_key"]): row for row in rows}
        self._with_options = {str(row.get("underlying_key")) for row in by_key.values() if "strike_price" in row}
        self._strikes = _spot_by_strikes(by_key.values())
        self._roots: dict[str, Root] = {VIX: self._builtin.roots[VIX]}
        self._symbols: dict[str, str] = {}
        taken: set[tuple[str, str]] = set()
        self._specs = {key: self._spec(row, taken) for key, row in by_key.items()}

    @property
    def roots(self) -> Mapping[str, Root]:
        return self._roots

    def root_of(self, symbol: str) -> str | None:
        plain = symbol.upper().removesuffix(".NS")
        builtin = self._builtin.root_of(plain)
        if builtin in self._roots:
            return builtin
        return self._symbols.get(plain)

    def specs(self, day: date, traded: Callable[[Group], date], ranges: DayRange) -> Mapping[str, Spec]:
        return self._specs

    def earlier(self, spec: Spec, day: date, ranges: DayRange) -> Spec | None:
        ended = spec.expiry is not None and day > spec.expiry
        return None if ended or day < self.since(spec) else spec

    def since(self, spec: Spec) -> date:
        return self._builtin.since(spec) if spec.expiry is None else spec.expiry - _CONTRACT_LIFE

    def _spec(self, row: dict[str, object], taken: set[tuple[str, str]]) -> Spec:
        key, segment = str(row["instrument_key"]), str(row["segment"])
        kind = _kind(row)
        root = self._root(row, kind)
        listing = Listing(key, segment, str(row.get("exchange") or segment[:3]), _quote_symbol(row, taken), row)
        tick = (_number(row, "tick_size") or 5.0) / 100
        group = group_of(segment)
        lot = max(int(_number(row, "lot_size") or 1), 1) if group is Group.EQUITY else 1
        if kind is Kind.CASH:
            self._symbols.setdefault(str(row.get("trading_symbol", "")).upper(), root.name)
        price = root.anchor
        return Spec(
            listing=listing,
            kind=kind,
            group=group,
            root=root.name,
            tick=tick,
            lot=lot,
            volume=0.0 if kind is Kind.INDEX else self._volume(row, kind, price, lot),
            band=None if kind is Kind.INDEX else root.band,
            interest=0.0 if kind in {Kind.INDEX, Kind.CASH} else 200.0 * lot * (1 + 4 * (kind is Kind.FUTURE)),
            expiry=_expiry(row),
            strike=_number(row, "strike_price") or 0.0,
            right={"CE": 1, "PE": -1}.get(str(row.get("instrument_type")), 0) if kind is Kind.OPTION else 0,
            from_vix=row.get("underlying_type") == "INDEX",
            auction=not _derived(kind) and root.auction,
        )

    def _root(self, row: Facts, kind: Kind) -> Root:
        name = _root_name(row, kind)
        if name not in self._roots:
            self._roots[name] = self._builtin.roots.get(name) or self._unknown_root(name, row, kind)
        return self._roots[name]

    def _unknown_root(self, name: str, row: Facts, kind: Kind) -> Root:
        """A root that our table lacks: its level from strikes or tick, its temper from what it is."""
        group = group_of(str(row["segment"]))
        series = str(row.get("instrument_type"))
        luck = chance(self._seed, "level", name)
        tick = (_number(row, "tick_size") or 5.0) / 100
        price = self._strikes.get(name) or _level(row, kind, luck)
        price = round(price / tick) * tick
        quiet = kind is Kind.CASH and (series in _DEBT or _is_note(series))
        share = group is Group.EQUITY and not quiet
        volatility = 0.0012 if quiet else 0.012 + 0.014 * chance(self._seed, "temper", name)
        beta = (0.7 + 0.6 * chance(self._seed, "beta", name)) if share else 0.0
        noise = own_noise(volatility, beta) if share and kind is not Kind.INDEX else volatility / 3
        listed = _derived(kind) or f"NSE_EQ|{name}" in self._with_options
        band = _BANDS.get(series, 0.10 if listed or kind is Kind.INDEX or quiet else 0.20)
        if group is not Group.EQUITY:
            band, noise = 0.06, (0.003 if group is Group.CURRENCY else 0.013)
        auction = group is Group.EQUITY and (listed or kind is Kind.INDEX or row.get("cas_eligible") is True)
        return Root(
            name, group, max(price, tick), tick, beta, "", 0.0, min(noise, band / 5), band, INDEX_CARRY, auction=auction
        )

    def _volume(self, row: Facts, kind: Kind, price: float, lot: int) -> float:
        known = self._builtin.lasting(str(row["instrument_key"]))
        if known is not None:
            return known.volume
        luck = chance(self._seed, "volume", row["instrument_key"])
        if _derived(kind):
            return lot * 10 ** (2.0 + 2.0 * luck)
        turnover = 10 ** (5.0 + 3.5 * luck)
        return max(turnover / price, 20.0 * lot)


def _kind(row: Facts) -> Kind:
    kind = row.get("instrument_type")
    if kind == "INDEX" or str(row["segment"]).endswith(("_INDEX", "_INDICATOR")):
        return Kind.INDEX
    if kind in {"CE", "PE"} and _number(row, "strike_price"):
        return Kind.OPTION
    if kind in _QUOTE_NAMES:
        return Kind.FUTURE if _expiry(row) else Kind.CASH
    return Kind.CASH


def _derived(kind: Kind) -> bool:
    return kind in {Kind.FUTURE, Kind.OPTION}


def _root_name(row: Facts, kind: Kind) -> str:
    """What the row's price hangs on: an ISIN for shares (both exchanges, and their contracts), an index key, a
    currency or commodity by its symbol (options on a commodity name a future as their underlying)."""
    if not _derived(kind):
        return str(row["instrument_key"]) if kind is Kind.INDEX else str(row.get("isin") or row["instrument_key"])
    symbol = str(row.get("underlying_symbol") or row.get("asset_symbol") or row.get("name"))
    group = group_of(str(row["segment"]))
    if group is not Group.EQUITY:
        return f"{group.upper()}|{symbol}"
    underlying = str(row.get("underlying_key") or symbol)
    segment, _, name = underlying.partition("|")
    return name if segment.endswith("_EQ") else underlying


def _spot_by_strikes(rows: Iterable[Facts]) -> dict[str, float]:
    """The middle of the listed strikes of each root: exchanges list them around the spot."""
    strikes: dict[str, set[float]] = {}
    for row in rows:
        strike = _number(row, "strike_price")
        if strike and _kind(row) is Kind.OPTION:
            strikes.setdefault(_root_name(row, Kind.OPTION), set()).add(strike)
    return {name: float(median(found)) for name, found in strikes.items()}


def _level(row: Facts, kind: Kind, luck: float) -> float:
    """A plausible price, rupees, for an instrument that nothing is known of."""
    series, paise = str(row.get("instrument_type")), _number(row, "tick_size") or 5.0
    if kind is Kind.INDEX:
        return 2_000 * 12**luck
    if series in {"GS", "SG", "G"}:
        return 94 + 12 * luck
    if series == "TB":
        return 93 + 6 * luck
    if series == "GB":
        return 14_000 + 1_200 * luck
    if _is_note(series) or series == "F":
        return 960 + 110 * luck
    for tick, low, high in _TICK_LEVELS:
        if paise <= tick:
            return math.exp(math.log(low) + luck * math.log(high / low))
    return 21_000 * 2**luck


def _is_note(series: str) -> bool:
    """Listed debt: NSE writes its series as N, Y or Z and one more character."""
    return len(series) == 2 and series[0] in "NYZ" and series != "ZP"


def _quote_symbol(row: Facts, taken: set[tuple[str, str]]) -> str:
    """The spelling of quotes. Shares and bonds may share a symbol; the second one then carries its series."""
    segment, symbol = str(row["segment"]), str(row.get("trading_symbol") or row["instrument_key"])
    if segment.endswith("_INDEX"):
        symbol = str(row["instrument_key"]).partition("|")[2]
    elif (expiry := _expiry(row)) is not None:
        right = {"CE": 1, "PE": -1}.get(str(row.get("instrument_type")), 0)
        underlying = str(row.get("underlying_symbol") or row.get("name")).replace(" ", "")
        monthly = row.get("weekly") is not True
        symbol = quote_symbol(underlying, expiry, _number(row, "strike_price") or 0.0, right, monthly=monthly)
    if (segment, symbol) in taken:
        symbol = f"{symbol}-{row.get('instrument_type')}"
    if (segment, symbol) in taken:
        symbol = f"{symbol}-{str(row['instrument_key']).partition('|')[2]}"
    taken.add((segment, symbol))
    return symbol


def _expiry(row: Facts) -> date | None:
    moment = _number(row, "expiry")
    return ist_date(from_epoch_ms(int(moment))) if moment else None


def _number(row: Facts, name: str) -> float | None:
    value = row.get(name)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None

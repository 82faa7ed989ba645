"""An option chain as the browser draws it: the broker's chain, the quotes over it, the greeks of the feed over that.

Each figure is the newest that the desk knows, and what it is not told stays "not available".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from dashboard.formatting import price_decimals
from dashboard.option_columns import ChainColumn
from dashboard.push.fields import Row, member
from dashboard.reading import Reading
from services.domain.clock import epoch_ms
from services.domain.instruments import Instrument, Underlying, is_instrument_key
from services.domain.option_figures import (
    Strike,
    Totals,
    at_parity,
    at_the_money,
    max_pain,
    put_call_ratio,
    total,
)
from services.domain.quotes import ChainRow, ChainSide

GREEKS = ("iv_percent", "delta", "theta", "gamma", "vega")
Figure = float | int | None


@dataclass(frozen=True, slots=True)
class LiveGreeks:
    """Greeks of one contract as the feed told them. `iv_percent` in percent, `None` = it told none; age in seconds."""

    iv_percent: float | None
    delta: float
    theta: float
    gamma: float
    vega: float
    age: float


@dataclass(frozen=True, slots=True)
class Chain:
    """The frame: every strike of one expiry. `at`: when the broker's chain came (aware, UTC), `None` where the frame is
    made of the instrument list alone."""

    underlying: Underlying
    expiry: date
    rows: tuple[ChainRow, ...]
    at: datetime | None

    @property
    def strikes(self) -> list[float]:
        return [row.strike for row in self.rows]

    def keys(self, strikes: Iterable[float]) -> tuple[str, ...]:
        """The contracts of `strikes`."""
        wanted = set(strikes)
        sides = (side for row in self.rows if row.strike in wanted for side in (row.call, row.put))
        return tuple(side.key for side in sides if side is not None)

    @property
    def spot_key(self) -> str | None:
        """What tells the price of the underlying, where it has a quote at all."""
        key = self.underlying.key
        return key if key is not None and is_instrument_key(key) else None


def of_contracts(underlying: Underlying, expiry: date, contracts: Sequence[Instrument]) -> Chain:
    """A chain of what the instrument list knows: which contracts there are, and no figure."""
    ladder = sorted((one for one in contracts if one.strike is not None), key=_strike)
    rows = [
        ChainRow(expiry.isoformat(), strike, underlying.key or "", None, None, sides.get("CE"), sides.get("PE"))
        for strike, group in groupby(ladder, key=_strike)
        if (sides := {one.type: _blank(one.key) for one in group})
    ]
    return Chain(underlying, expiry, tuple(rows), None)


def chain_data(
    chain: Chain,
    columns: Sequence[ChainColumn],
    strikes: Sequence[float],
    reading: Reading,
    greeks: Mapping[str, LiveGreeks],
) -> dict[str, Any]:
    """What the browser draws: `strikes` (at least one) in full, and figures over all of the expiry. With another `id`
    it begins anew, with the strike at the money in the middle."""
    shown = set(strikes)
    merged = _Merged(chain, reading, greeks)
    spot = merged.spot()
    places = {price_decimals(one.tick_size) for row in chain.rows if (one := _contract(row, reading)) is not None}
    return {
        **reading.clockwork(),
        "id": f"{chain.underlying.segment} {chain.underlying.symbol} {chain.expiry} {strikes[0]:g} {len(strikes)}",
        "label": f"Option chain of {chain.underlying.symbol}",
        "columns": [column.head() for column in columns],
        "d": max(places, default=2),
        "sd": 0 if all(strike == int(strike) for strike in strikes) else 2,
        "spot": spot,
        "figures": _figures(chain, merged, spot["ltp"]),
        "rows": [
            {"s": row.strike, "c": merged.side(row.call, columns), "p": merged.side(row.put, columns)}
            for row in chain.rows
            if row.strike in shown
        ],
        "greeks": _greeks_told(chain, shown, greeks, reading),
    }


def _figures(chain: Chain, merged: _Merged, spot: float | None) -> dict[str, Any]:
    """Ratios, max pain and totals over every strike of the expiry, and the strike at the money."""
    calls = _totals(merged, [row.call for row in chain.rows])
    puts = _totals(merged, [row.put for row in chain.rows])
    open_interest = [Strike(row.strike, merged.of(row.call, "oi"), merged.of(row.put, "oi")) for row in chain.rows]
    return {
        "count": len(chain.rows),
        "atm": _centre(chain, merged, spot),
        "pain": max_pain(open_interest),
        "pcr_oi": put_call_ratio(puts.oi, calls.oi),
        "pcr_volume": put_call_ratio(puts.volume, calls.volume),
        "calls": _sums(calls),
        "puts": _sums(puts),
    }


def _centre(chain: Chain, merged: _Merged, spot: float | None) -> float | None:
    """The strike at the money: by the price of the underlying, or where that is not known by the options' own."""
    prices = [(row.strike, merged.of(row.call, "ltp"), merged.of(row.put, "ltp")) for row in chain.rows]
    return at_the_money(chain.strikes, spot) if spot is not None else at_parity(prices)


def centre_of(chain: Chain, reading: Reading) -> float | None:
    """The strike at the money with what is known so far, to choose the strikes that are shown."""
    merged = _Merged(chain, reading, {})
    return _centre(chain, merged, merged.spot()["ltp"])


class _Merged:
    """One side's members, each from whoever told it last."""

    def __init__(self, chain: Chain, reading: Reading, greeks: Mapping[str, LiveGreeks]) -> None:
        self._chain = chain
        self._reading = reading
        self._greeks = greeks

    def quote(self, key: str) -> Row | None:
        """The quote of `key`, unless the broker's chain is newer: the last word of a living feed never is too old."""
        reading, at = self._reading, self._chain.at
        row = reading.rows.get(key)
        if row is None or at is None or row["received_at"] >= at:
            return row
        return row if reading.feed["live"] and reading.of_feed(key) else None

    def of(self, side: ChainSide | None, name: str) -> Figure:
        """One member of `side`."""
        if side is None:
            return None
        if name in GREEKS:
            told = self._greeks.get(side.key)
            return getattr(side if told is None else told, name)  # type: ignore[no-any-return]
        row = self.quote(side.key)
        value = None if row is None else member(row, name)
        return _FROM_CHAIN[name](side) if value is None else value

    def side(self, side: ChainSide | None, columns: Sequence[ChainColumn]) -> dict[str, Any] | None:
        """One side for the browser; `None` where there is no such contract."""
        if side is None:
            return None
        row, reading = self.quote(side.key), self._reading
        at = self._chain.at if row is None else row["received_at"]
        return {
            "k": side.key,
            "a": None if at is None else round(max((reading.now - at).total_seconds(), 0.0), 1),
            "t": None if at is None else epoch_ms(at),
            "m": side.key in reading.moving,
            "feed": row is not None and bool(member(row, "from_feed")),
            "o": reading.problem is not None or side.key in reading.problems,
            "v": [[self.of(side, name) for name in column.members] for column in columns],
            **({} if row is None or side.key in reading.moving else {"p": member(row, "last_trade_ms")}),
        }

    def spot(self) -> dict[str, Any]:
        """The price of the underlying, by its quote or else as the chain tells it."""
        key, reading = self._chain.spot_key, self._reading
        row = None if key is None else reading.rows.get(key)
        underlying = self._chain.underlying
        instrument = None if key is None else reading.instruments.get(key)
        told = next((one.underlying_price for one in self._chain.rows if one.underlying_price is not None), None)
        at = self._chain.at if row is None and told is not None else None if row is None else row["received_at"]
        return {
            "k": key,
            "n": instrument.name if instrument is not None and instrument.is_index else underlying.symbol,
            "d": price_decimals(instrument.tick_size if instrument else None),
            "ltp": told if row is None else row["ltp"],
            "ch": None if row is None else row["change"],
            "pc": None if row is None else row["change_percent"],
            "a": None if at is None else round(max((reading.now - at).total_seconds(), 0.0), 1),
            "t": None if at is None else epoch_ms(at),
            "m": key in reading.moving,
            "feed": key is not None and reading.of_feed(key),
            "o": reading.problem is not None or key in reading.problems,
        }


def _oi_change(side: ChainSide) -> float | None:
    return None if side.oi is None or side.previous_oi is None else side.oi - side.previous_oi


def _change_percent(side: ChainSide) -> float | None:
    if side.ltp is None or not side.prev_close:
        return None
    return round((side.ltp - side.prev_close) / side.prev_close * 100, 4)


_FROM_CHAIN: Mapping[str, Callable[[ChainSide], Figure]] = {
    "ltp": lambda side: side.ltp,
    "change_percent": _change_percent,
    "bid": lambda side: side.bid,
    "ask": lambda side: side.ask,
    "volume": lambda side: side.volume,
    "oi": lambda side: side.oi,
    "oi_change": _oi_change,
}


def _totals(merged: _Merged, sides: Sequence[ChainSide | None]) -> Totals:
    return Totals(*(total([merged.of(side, name) for side in sides]) for name in ("oi", "oi_change", "volume")))


def _sums(totals: Totals) -> dict[str, float | None]:
    return {"oi": totals.oi, "oi_change": totals.oi_change, "volume": totals.volume}


def _greeks_told(chain: Chain, shown: set[float], greeks: Mapping[str, LiveGreeks], reading: Reading) -> dict[str, Any]:
    """Where the greeks of what is shown come from, and how old they are in seconds."""
    keys = chain.keys(shown)
    by_feed = [told.age for key in keys if (told := greeks.get(key)) is not None]
    age = None if chain.at is None else round((reading.now - chain.at).total_seconds(), 1)
    return {
        "feed": len(by_feed),
        "feed_age": round(min(by_feed), 1) if by_feed else None,
        "chain": 0 if age is None else len(keys) - len(by_feed),
        "chain_age": age,
    }


def _contract(row: ChainRow, reading: Reading) -> Instrument | None:
    side = row.call or row.put
    return None if side is None else reading.instruments.get(side.key)


def _strike(contract: Instrument) -> float:
    return float(contract.strike or 0)


def _blank(key: str) -> ChainSide:
    return ChainSide(key, *[None] * 15)

"""From root paths to rows: shares and indices as they are, futures by carry, options by Black-Scholes; each in
whole ticks of its own, minute edge by minute edge."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby

import numpy as np
from numpy.typing import ArrayLike, NDArray

from services.domain.phases import Listing
from services.paper.hours import Group, Session, print_second
from services.paper.replay import coarsest_tick
from services.paper.simulator.amounts import Amounts, hold_of
from services.paper.simulator.option_pricing import price_and_delta, smile
from services.paper.simulator.paths import Paths, RootPath
from services.paper.simulator.rows import FAR, Floats, Row, Track, mark_of
from services.paper.simulator.texture import SECONDS, Texture
from services.paper.simulator.ticks import around, in_ticks, limits_of
from services.paper.simulator.trading_days import TradingDays
from services.paper.specs import VIX, Kind, Spec, daily_volatility

_YEAR_MS = 365.0 * 86_400_000
_LEAST_YEARS = 0.5 / 365
"""An option that has ended (only a file of old contracts holds such) is priced with half a day to go."""
_QUIET = 0.7
"""A minute's own spread as a part of what is left to the day's high or low, at most: it seldom goes further than 1.4
times its spread."""
_BATCH = 32
"""Options priced at once; bounds the memory that a whole chain takes."""


class RowMaker:
    """Makes the rows of one session."""

    def __init__(self, session: Session, days: TradingDays, paths: Paths, texture: Texture) -> None:
        hours = days.hours
        self._session = session
        self._hours = hours
        self._paths = paths
        self._texture = texture
        self._edges_ms = session.start_ms + 60_000.0 * np.arange(session.minutes + 1)
        before = hours.session(session.group, hours.previous(session.group, session.day))
        self._before_ms = np.array([before.start_ms + 60_000.0 * before.minutes])
        self._amounts = Amounts(session, days, texture, self._end_minute)
        self._ends: dict[tuple[str, Listing, date], float] = {}
        self._prints: dict[str, int] = {}

    def rows(self, specs: Iterable[Spec]) -> Iterator[tuple[Row, Track]]:
        """Row and track for each of `specs`, in any order."""
        for root, group in groupby(sorted(specs, key=_by_root), key=_by_root):
            path = self._paths.path(root, self._session)
            members = list(group)
            options = [spec for spec in members if spec.kind is Kind.OPTION]
            yield from (self._linear(spec, path) for spec in members if spec.kind is not Kind.OPTION)
            for start in range(0, len(options), _BATCH):
                yield from self._options(options[start : start + _BATCH], path)

    def levels(self, rows: Sequence[Row], minute: NDArray[np.int64]) -> Floats:
        """Implied volatility at the money of each of `rows` (options) in its running minute."""
        ratio = np.array([row.spec.volatility_ratio for row in rows])
        from_vix = np.array([row.spec.from_vix for row in rows])
        level = np.array([self._own_volatility(row.spec) for row in rows])
        if from_vix.any():
            level = np.where(from_vix, self._paths.path(VIX, self._session).grid[minute] / 100, level)
        implied: Floats = level * ratio
        return implied

    def spots(self, rows: Sequence[Row], minute: NDArray[np.int64], second: NDArray[np.int64]) -> Floats:
        """The root's price, rupees, for each of `rows` at its minute and second."""
        known: dict[tuple[str, int, int], float] = {}
        found = []
        for row, at, of in zip(rows, minute.tolist(), second.tolist(), strict=True):
            place = row.spec.root, at, of
            if place not in known:
                known[place] = self._paths.path(row.spec.root, self._session).price(at, of, self._texture)
            found.append(known[place])
        return np.array(found)

    def _ends_ms(self, spec: Spec) -> float:
        """When the contract ends, epoch ms."""
        assert spec.expiry is not None
        segment, listing = spec.listing.segment, _listing(spec, spec.expiry)
        place = segment, listing, spec.expiry
        if place not in self._ends:
            last = self._hours.session(self._session.group, spec.expiry)
            self._ends[place] = last.start_ms + 60_000.0 * self._hours.end_minute(segment, last, listing)
        return self._ends[place]

    def _years(self, spec: Spec, at_ms: ArrayLike) -> Floats:
        return years_to(self._ends_ms(spec), at_ms)

    def _volatility(self, spec: Spec) -> Floats:
        """Implied volatility at the money, a fraction, at every minute edge."""
        if spec.from_vix:
            return self._paths.path(VIX, self._session).grid / 100 * spec.volatility_ratio
        return np.full(self._edges_ms.shape, self._own_volatility(spec) * spec.volatility_ratio)

    def _own_volatility(self, spec: Spec) -> float:
        return daily_volatility(self._paths.path(spec.root, self._session).root) * math.sqrt(252)

    def _linear(self, spec: Spec, path: RootPath) -> tuple[Row, Track]:
        tick, real, factor, before = spec.tick, path.real, np.ones(1), 1.0
        if spec.kind is Kind.FUTURE:
            carry = path.root.carry
            factor = np.exp(carry * self._years(spec, self._edges_ms))
            before = float(np.exp(carry * self._years(spec, self._before_ms))[0])
        elif real is not None:
            tick = coarsest_tick(real.bar, spec.tick)
        grid = path.grid * factor / tick
        knots = None
        if real is not None and real.knots is not None:
            knots = real.knots * factor[: path.shape.size, None] / tick
        previous = path.move.previous * before
        if spec.kind is Kind.FUTURE or spec.listing.exchange == "BSE":
            previous = in_ticks(previous, tick) * tick
        held = real is not None and spec.kind is not Kind.FUTURE
        limits, circuits = limits_of(previous, tick, spec.band)
        if spec.kind is not Kind.FUTURE:
            bar = path.move.bar if real is None else real.bar
            limits = in_ticks(bar.low, tick), in_ticks(bar.high, tick)
            if circuits is not None:  # a split or a demerger may have moved the real day out of the rule's band
                circuits = min(circuits[0], limits[0] * tick), max(circuits[1], limits[1] * tick)
        elif real is not None:
            limits = 1, FAR
        volume = self._amounts.volume(spec, real if held and spec.listing.exchange == "NSE" else None)
        noise = path.spread * grid[:-1]
        if spec.kind is not Kind.FUTURE:
            # near the day's high and low a minute must keep quiet, or many would end at that very price
            nearest = np.minimum(
                limits[1] - np.maximum(grid[:-1], grid[1:]), np.minimum(grid[:-1], grid[1:]) - limits[0]
            )
            noise = np.clip(nearest * _QUIET, 0.0, noise)
        if self._auctioned(spec, knots):
            grid, noise, volume = self._through_auction(spec, grid, noise, volume)
        return self._row(
            spec, tick, grid, noise, path, knots, volume, previous, limits, circuits,
            (path.move.year_low * before, path.move.year_high * before),
        )  # fmt: skip

    def _options(self, specs: list[Spec], path: RootPath) -> Iterator[tuple[Row, Track]]:
        """Options of one root, priced together: (contracts, minutes + 1)."""
        strike = np.array([[spec.strike] for spec in specs])
        right = np.array([[spec.right] for spec in specs])
        tick = np.array([[spec.tick] for spec in specs])
        carry = path.root.carry
        years = np.array([self._years(spec, self._edges_ms) for spec in specs])
        level = np.array([self._volatility(spec) for spec in specs])
        spot = path.grid[None, :]
        implied = smile(level, spot, strike, years, carry)
        price, delta = price_and_delta(spot, strike, years, implied, carry, right)
        noise = delta[:, :-1] * path.spread * spot[:, :-1] / tick
        knots = None
        if path.real is not None and path.real.knots is not None:
            parts = [
                price_and_delta(path.real.knots[:, k], strike, years[:, :-1], implied[:, :-1], carry, right)[0] / tick
                for k in range(4)
            ]
            knots = np.stack(parts, axis=-1)
        before_years = np.array([self._years(spec, self._before_ms) for spec in specs])
        before_level = np.array([self._level_before(spec) for spec in specs])[:, None]
        before = path.move.previous
        implied_before = smile(before_level, before, strike, before_years, carry)
        closes = price_and_delta(before, strike, before_years, implied_before, carry, right)[0]
        for at, spec in enumerate(specs):
            previous = max(in_ticks(float(closes[at, 0]), spec.tick), 1) * spec.tick
            reach = max((spec.band or 0.1) * before, 4 * spec.tick)
            limits, circuits = around(previous, reach, spec.tick)
            if path.real is not None:
                limits = 1, FAR
            yield self._row(
                spec, spec.tick, price[at] / spec.tick, noise[at], path, None if knots is None else knots[at],
                self._amounts.volume(spec, None), previous, limits, circuits, (0.35 * previous, 2.4 * previous),
            )  # fmt: skip

    def _level_before(self, spec: Spec) -> float:
        if spec.from_vix:
            return self._paths.path(VIX, self._session).move.previous / 100 * spec.volatility_ratio
        return self._own_volatility(spec) * spec.volatility_ratio

    def _row(
        self,
        spec: Spec,
        tick: float,
        grid: Floats,
        noise: Floats,
        path: RootPath,
        knots: Floats | None,
        volume: NDArray[np.int64],
        previous: float,
        limits: tuple[int, int],
        circuits: tuple[float, float] | None,
        year: tuple[float, float],
    ) -> tuple[Row, Track]:
        interest, previous_interest = self._amounts.interest(spec)
        session, auctioned = self._session, self._auctioned(spec, knots)
        end = self._end_minute(spec)
        rest = FAR, FAR
        if auctioned and session.auction is not None:
            rest = session.auction.first_minute * SECONDS, self._print(spec)
        elif session.pause is not None:
            first, again = session.pause
            rest = first * SECONDS, again * SECONDS
            if knots is None:
                grid = grid.copy()
                grid[first : again + 1] = np.rint(np.float32(grid[first]))  # in whole ticks no bounce moves it
        row = Row(
            spec=spec,
            tick=tick,
            previous_interest=previous_interest,
            hold=hold_of(spec, previous),
            previous_close=round(previous, 4),
            limits=limits,
            walls=(round(circuits[0] / tick), round(circuits[1] / tick)) if circuits else (1, FAR),
            circuits=circuits and (round(circuits[0], 4), round(circuits[1], 4)),
            year=(round(round(year[0] / tick) * tick, 4), round(round(year[1] / tick) * tick, 4)),
            end_minute=end,
            rest=rest,
            last_second=rest[1] if auctioned else FAR,
            mark=mark_of(spec.key),
            ends_ms=self._ends_ms(spec) if spec.expiry else 0.0,
            carry=path.root.carry,
        )
        return row, Track(np.clip(grid, *limits), noise, path.shape, knots, volume, interest)

    def _auctioned(self, spec: Spec, knots: Floats | None) -> bool:
        """Does the closing auction stop this instrument today? Recorded minutes have gone through theirs already."""
        return spec.auction and self._session.auction is not None and knots is None

    def _print(self, spec: Spec) -> int:
        exchange = spec.listing.exchange
        if exchange not in self._prints:
            self._prints[exchange] = print_second(exchange, self._session)
        return self._prints[exchange]

    def _through_auction(
        self, spec: Spec, grid: Floats, noise: Floats, volume: NDArray[np.int64]
    ) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """The minutes of a share or index that stands from the start of the closing auction, jumps to the closing price
        when the result is out, and does not trade again. What it would have traded meanwhile is done at that price."""
        auction = self._session.auction
        assert auction is not None
        first, printed = auction.first_minute, self._print(spec) // SECONDS
        grid, noise, volume = grid.copy(), noise.copy(), volume.copy()
        close = grid[auction.end_minute]
        grid[first : printed + 1] = np.rint(np.float32(grid[first]))  # in whole ticks no bounce moves it
        grid[printed + 1 :] = np.rint(np.float32(close))
        noise[first:] = 0.0
        waiting = volume[first : auction.end_minute].sum()
        volume[first:] = 0
        volume[printed] = waiting
        return grid, noise, volume

    def _end_minute(self, spec: Spec) -> int:
        """The instrument trades in the session's minutes before this one."""
        listing = _listing(spec, self._session.day)
        return min(self._hours.end_minute(spec.listing.segment, self._session, listing), self._session.minutes)


def years_to(ends_ms: ArrayLike, at_ms: ArrayLike) -> Floats:
    """Years from each instant to the end of a contract (epoch ms), at least half a day."""
    return np.maximum((np.asarray(ends_ms, dtype=float) - at_ms) / _YEAR_MS, _LEAST_YEARS)


def _listing(spec: Spec, day: date) -> Listing:
    """As what the exchange's hours know this instrument on `day`."""
    if spec.auction:
        return Listing.AUCTION
    if spec.expiry == day:
        if spec.group is Group.CURRENCY:
            return Listing.EXPIRING_CURRENCY
        if spec.listing.row.get("underlying_type") == "INDEX":
            return Listing.EXPIRING_INDEX
    return Listing.ORDINARY


def _by_root(spec: Spec) -> str:
    return spec.root

"""Candles of finished days: from a file where one has them, else lived through once more out of the seed.

Nothing is kept but a little cache: a day of one instrument is worked out in about a millisecond, and years of daily
bars of shares and indices come out of the walk without their minutes. Both agree with each other and with what the
quotes showed on that day; minutes differ slightly from those told while the day ran (see `corrections`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date

import numpy as np
from numpy.typing import NDArray

from services.paper.bars import MINUTE_MS, daily, joined, midnights
from services.paper.candles import CandleDay
from services.paper.hours import Session
from services.paper.model import NO_BARS, Bars
from services.paper.replay import CandleDays, coarsest_tick
from services.paper.simulator.board import Board
from services.paper.simulator.corrections import settled
from services.paper.simulator.daily import DailyBars, RootDays
from services.paper.simulator.paths import Paths
from services.paper.simulator.row_maker import RowMaker
from services.paper.simulator.rows import mark_of
from services.paper.simulator.texture import Texture
from services.paper.simulator.trading_days import FIRST_DAY, LAST_DAY, TradingDays
from services.paper.simulator.turns import Turns
from services.paper.simulator.volumes import day_volumes
from services.paper.specs import Kind, Spec, Universe

Ints = NDArray[np.int64]


class History:
    """Finished days of `universe` under `seed`. Safe for several threads; it shares nothing that is slow with the
    running day."""

    def __init__(
        self, seed: int, universe: Universe, days: TradingDays, real: CandleDays, texture: Texture, turns: Turns
    ) -> None:
        self._universe = universe
        self._days = days
        self._real = real
        self._texture = texture
        self._daily = DailyBars(seed, days, universe.roots, real, turns)
        self._paths = Paths(seed, universe.roots, self._daily, real, turns)
        self._lock = threading.Lock()

    def minutes(self, spec: Spec, first: date, last: date) -> Bars:
        """The minutes of the trading days from `first` to `last`, both included. `spec`: as listed now."""
        with self._lock:
            return joined(day for _, day in self._minutes(spec, first, last))

    def days(self, spec: Spec, first: date, last: date) -> Bars:
        """One bar for each trading day from `first` to `last`, both included, stamped at midnight in India."""
        with self._lock:
            if spec.kind is Kind.CASH or spec.kind is Kind.INDEX:
                first = max(first, self._universe.since(spec))
                years = range(max(first.year, FIRST_DAY.year), min(last.year, LAST_DAY.year) + 1)
                return joined(self._year(spec, self._daily.year(spec.root, year), first, last) for year in years)
            found = list(self._minutes(spec, first, last))
        minutes = joined(day for _, day in found)
        return daily(minutes, np.repeat([ordinal for ordinal, _ in found], [len(day) for _, day in found]))

    def missing_minutes(self, spec: Spec, session: Session) -> Ints:
        """Minutes of `session`, counted from its start, for which the file that drives it has no bar of `spec`."""
        recorded = self._recorded(spec, session.day)
        if recorded is None or recorded.minutes is None or self._days.hours.practice:
            return np.zeros(0, dtype=np.int64)
        start = midnights(np.array([session.day.toordinal()]))[0]
        held = recorded.minutes.start - (session.start_ms - start) // MINUTE_MS
        return np.setdiff1d(np.arange(session.minutes), held)

    def _minutes(self, spec: Spec, first: date, last: date) -> Iterator[tuple[int, Bars]]:
        """Ordinal and minutes of each day, ascending."""
        first = max(first, self._universe.since(spec))
        ordinals = self._days.ordinals(spec.group)
        wanted = ordinals[slice(*np.searchsorted(ordinals, [first.toordinal(), last.toordinal() + 1]).tolist())]
        for ordinal in wanted[self._lived(spec, wanted)].tolist():
            day = date.fromordinal(ordinal)
            recorded = self._recorded(spec, day)
            if recorded is not None and recorded.minutes is not None:
                yield ordinal, self._from_file(spec, recorded)
                continue
            then = self._universe.earlier(spec, day, self._daily.ranges)
            if then is not None:
                yield ordinal, self._simulated(then, day)

    def _lived(self, spec: Spec, ordinals: Ints) -> NDArray[np.bool_]:
        """Which of these trading days there were: in a practice market, between the days of a file nothing happened on
        days on which the exchange rested."""
        span = self._real.span(spec.root)
        if span is None or not self._days.hours.practice:
            return np.ones(ordinals.size, dtype=bool)
        inside = (ordinals >= span[0].toordinal()) & (ordinals <= span[1].toordinal())
        return ~inside | np.isin(ordinals, self._days.real(spec.group))

    def _recorded(self, spec: Spec, day: date) -> CandleDay | None:
        """What a file holds of this very instrument on this very day."""
        if not _has_files(spec):
            return None
        found = self._real.bar(spec.root, day)
        return found if found is not None and found.day == day else None

    def _from_file(self, spec: Spec, recorded: CandleDay) -> Bars:
        assert recorded.minutes is not None
        minutes, count = recorded.minutes, recorded.minutes.start.size
        opening = self._days.real_hours.session(spec.group, recorded.day).start_ms
        start = midnights(np.array([recorded.day.toordinal()])) + minutes.start * MINUTE_MS
        volume = minutes.volume if spec.volume else np.zeros(count, dtype=np.int64)
        return Bars(start, minutes.prices, volume, np.zeros(count, dtype=np.int64), np.full(count, opening))

    def _simulated(self, spec: Spec, day: date) -> Bars:
        session = self._days.hours.session(spec.group, day)
        board = Board(session, self._texture, room=1, block=session.minutes)
        board.add(RowMaker(session, self._days, self._paths, self._texture).rows([spec]))
        row, done = board.whole_day(spec.key)
        at = np.arange(len(done))
        prices = np.rint(done[:, :4] * row.tick * 1e4) / 1e4
        whole = Bars(
            session.start_ms + at * MINUTE_MS, prices, done[:, 4], done[:, 5], np.full(len(done), session.start_ms)
        )
        if session.pause is not None:
            whole = whole.take((at < session.pause[0]) | (at >= session.pause[1]))
        return settled(whole, row.tick, spec.lot, row.mark, day.toordinal(), self._texture)

    def _year(self, spec: Spec, year: RootDays, first: date, last: date) -> Bars:
        """Daily bars of a share or an index, without their minutes."""
        part = slice(*np.searchsorted(year.ordinal, [first.toordinal(), last.toordinal() + 1]).tolist())
        ordinal = year.ordinal[part]
        if not ordinal.size:
            return NO_BARS
        prices = np.column_stack([column[part] for column in (year.open, year.high, year.low, year.close)])
        tick = np.full((ordinal.size, 1), spec.tick)
        volume = np.zeros(ordinal.size, dtype=np.int64)
        if spec.volume:
            places = np.searchsorted(self._days.ordinals(spec.group), ordinal) + 1
            parts = self._days.parts(spec.group)[places]
            volume = day_volumes(spec.volume, spec.lot, mark_of(spec.key), ordinal, parts, self._texture)
        real: dict[int, CandleDay] = {}
        if self._real.holds(spec.root):
            days = map(date.fromordinal, ordinal.tolist())
            real = {at: bar for at, day in enumerate(days) if (bar := self._real.bar(spec.root, day)) is not None}
        for at, bar in real.items():
            tick[at] = coarsest_tick(bar, spec.tick)
        # rounded as the board rounds: a day's bar and its minutes agree to the last tick
        prices = np.rint(np.rint((prices / tick).astype(np.float32)) * tick * 1e4) / 1e4
        for at, bar in real.items() if _has_files(spec) else ():
            day_prices, day_volume = _bar_of(bar, spec, int(volume[at]))
            volume[at] = day_volume
            if bar.day.toordinal() == ordinal[at]:  # in a replay it is another day's bar, in today's ticks
                prices[at] = day_prices
        stamps = midnights(ordinal)
        found = Bars(stamps, prices, volume, np.zeros(ordinal.size, dtype=np.int64), stamps)
        return found.take(self._lived(spec, ordinal))


def _has_files(spec: Spec) -> bool:
    """May a file be about this very instrument? They are of indices and of shares at NSE."""
    return spec.kind is Kind.INDEX or (spec.kind is Kind.CASH and spec.listing.exchange == "NSE")


def _bar_of(recorded: CandleDay, spec: Spec, simulated: int) -> tuple[tuple[float, float, float, float], int]:
    """The day's own row of a file, else what its minutes make."""
    if recorded.daily is not None:
        return recorded.daily.prices, recorded.daily.volume
    volume = (recorded.volume if recorded.volume is not None else simulated) if spec.volume else 0
    return (recorded.open, recorded.high, recorded.low, recorded.close), volume

"""The market behind the paper broker: universe, simulator and recorded days put together behind the seam of `model`."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from services.domain.clock import epoch_ms
from services.domain.errors import ConfigurationError
from services.paper.bars import MINUTE_MS
from services.paper.candles import CandleStore, read_candles
from services.paper.clock import PaperClock
from services.paper.file_universe import read_universe
from services.paper.history import History
from services.paper.hours import Group, Hours, Session
from services.paper.model import NO_BARS, Bars, Listing, MarketBar, Snapshot
from services.paper.replay import CandleDays
from services.paper.simulator.board import Board
from services.paper.simulator.daily import DailyBars
from services.paper.simulator.paths import Paths
from services.paper.simulator.row_maker import RowMaker
from services.paper.simulator.snapshots import minute_bars, snapshots
from services.paper.simulator.texture import make_texture
from services.paper.simulator.trading_days import TradingDays
from services.paper.simulator.turns import Turns
from services.paper.specs import Spec, Universe
from services.paper.universe import BuiltinUniverse

_CHUNK = 500
"""Instruments worked out at once: the broker's largest request."""
_REPLAY = "replay:"


def build_market(
    *, seed: int, clock: PaperClock, instruments: Path | None, prices: str, candles: Path | None
) -> PracticeMarket:
    """The market for these options of the broker.

    `instruments`: a real instrument master as universe; `candles`: real days that go before the simulator; `prices`:
    `simulated`, or `replay:PATH` of a candle file or folder. Raises `ConfigurationError` for what cannot be read.
    """
    universe: Universe = BuiltinUniverse() if instruments is None else read_universe(instruments, seed)
    if prices == "simulated":
        store = CandleStore() if candles is None else read_candles(candles, universe.root_of)
        real = CandleDays(store)
    elif prices.startswith(_REPLAY) and prices != _REPLAY:
        if candles is not None:
            raise ConfigurationError("prices: give either a replay or a folder of candles, not both")
        store = read_candles(Path(prices.removeprefix(_REPLAY)), universe.root_of)
        real = CandleDays(store, replayed=True)
    else:
        raise ConfigurationError(f"prices {prices!r}: expected 'simulated' or 'replay:FILE'")
    hours = Hours(practice=clock.practice, extra_days=store.all_days())
    return PracticeMarket(seed, clock, hours, universe, real)


class PracticeMarket:
    """`Market` of a seed and an instant; what it keeps is a cache. Safe for several threads."""

    def __init__(self, seed: int, clock: PaperClock, hours: Hours, universe: Universe, real: CandleDays) -> None:
        self._clock = clock
        self._hours = hours
        self._universe = universe
        self._real = real
        self._texture = make_texture(seed)
        self._days = TradingDays(hours)
        turns = Turns(seed, practice=hours.practice)
        self._daily = DailyBars(seed, self._days, universe.roots, real, turns)
        self._paths = Paths(seed, universe.roots, self._daily, real, turns)
        self._history = History(seed, universe, self._days, real, self._texture, turns)
        self._lock = threading.RLock()
        self._specs: tuple[tuple[date, ...], Mapping[str, Spec], Mapping[str, Listing]] | None = None
        self._recent: tuple[int, dict[str, Snapshot]] = 0, {}
        self._boards: dict[tuple[Group, date], tuple[Board, RowMaker]] = {}

    @property
    def source(self) -> str:
        """See `Market.source`: of the recorded day that shares follow now, if there is one."""
        session, _ = self._hours.locate(Group.EQUITY, epoch_ms(self._clock.now()))
        recorded = self._real.recorded(session.day)
        if recorded is None:
            return "simulated"
        return f"{'replay' if self._real.covers(recorded, self._universe.roots) else 'mixed'}:{recorded}"

    def listings(self, at: datetime) -> Mapping[str, Listing]:
        """Every instrument listed on the day of `at`, by key."""
        with self._lock:
            return self._listed(at)[2]

    def snapshots(self, keys: Iterable[str], at: datetime) -> list[Snapshot]:
        """One snapshot for each of `keys`, in their order. `KeyError` for a key that is not listed.

        Prices move on whole seconds, so `at_ms` of a snapshot is the second that `at` lies in.
        """
        at_ms = epoch_ms(at) // 1000 * 1000
        wanted = list(keys)
        with self._lock:
            specs = self._listed(at)[1]
            if self._recent[0] != at_ms:
                self._recent = at_ms, {}
            found = self._recent[1]
            by_group: dict[Group, list[str]] = {}
            for key in dict.fromkeys(wanted):
                if key not in found:
                    by_group.setdefault(specs[key].group, []).append(key)
            for group, members in by_group.items():
                for start in range(0, len(members), _CHUNK):
                    part = members[start : start + _CHUNK]
                    found.update(zip(part, self._group_snapshots(group, part, specs, at_ms), strict=True))
            return [found[key] for key in wanted]

    def minute_bars(self, key: str, at: datetime) -> list[MarketBar]:
        """The minutes of the running day up to `at`, oldest first, the last one still forming."""
        at_ms = epoch_ms(at)
        with self._lock:
            specs = self._listed(at)[1]
            board, _, second = self._board(specs[key].group, [key], specs, at_ms)
            row, moment, done = board.minutes(key, second)
        return minute_bars(board, row, moment, done)

    def today(self, key: str, at: datetime) -> Bars:
        """The minutes of the day of `at` so far; none before its session. Minutes of a pause, and those that a file
        lacks, are no bars."""
        at_ms = epoch_ms(at)
        with self._lock:
            specs = self._listed(at)[1]
            board, _, second = self._board(specs[key].group, [key], specs, at_ms)
            session = board.session
            if session.day != self._hours.day_of(at):
                return NO_BARS
            row, moment, done = board.minutes(key, second)
        whole = Bars.of(minute_bars(board, row, moment, done), session.start_ms)
        minute = (whole.start_ms - session.start_ms) // MINUTE_MS
        traded = np.ones(len(whole), dtype=bool)
        if session.pause is not None:
            traded = (minute < session.pause[0]) | (minute >= session.pause[1])
        missing = self._history.missing_minutes(specs[key], session)
        return whole.take(traded & ~np.isin(minute, missing))

    def minutes(self, key: str, first: date, last: date, at: datetime) -> Bars:
        """See `Market.minutes`."""
        with self._lock:
            spec, today = self._listed(at)[1][key], self._hours.day_of(at)
        return self._history.minutes(spec, first, min(last, today - timedelta(days=1)))

    def days(self, key: str, first: date, last: date, at: datetime) -> Bars:
        """See `Market.days`."""
        with self._lock:
            spec, today = self._listed(at)[1][key], self._hours.day_of(at)
        return self._history.days(spec, first, min(last, today - timedelta(days=1)))

    def _listed(self, at: datetime) -> tuple[tuple[date, ...], Mapping[str, Spec], Mapping[str, Listing]]:
        at_ms = epoch_ms(at)
        traded = {group: self._hours.locate(group, at_ms)[0].day for group in Group}
        days = self._hours.day_of(at), *traded.values()
        if self._specs is None or self._specs[0] != days:
            specs = self._universe.specs(days[0], traded.__getitem__, self._daily.ranges)
            self._specs = days, specs, {key: spec.listing for key, spec in specs.items()}
        return self._specs

    def _board(
        self, group: Group, keys: Sequence[str], specs: Mapping[str, Spec], at_ms: int
    ) -> tuple[Board, RowMaker, int]:
        """The board of the session at `at_ms` with `keys` on it, and the second of the session."""
        session, second = self._hours.locate(group, at_ms)
        place = group, session.day
        if place not in self._boards:
            for old in [known for known in self._boards if known[0] is group]:
                del self._boards[old]
            self._boards[place] = self._new_board(session)
        board, maker = self._boards[place]
        new = [key for key in keys if key not in board]
        if len(board) + len(new) > board.room:
            # a universe larger than a board is worked through in turns
            board, maker = self._boards[place] = self._new_board(session)
            new = list(keys)
        if new:
            board.add(maker.rows(specs[key] for key in new))
        return board, maker, second

    def _new_board(self, session: Session) -> tuple[Board, RowMaker]:
        maker = RowMaker(session, self._days, self._paths, self._texture)
        return Board(session, self._texture), maker

    def _group_snapshots(
        self, group: Group, keys: Sequence[str], specs: Mapping[str, Spec], at_ms: int
    ) -> list[Snapshot]:
        board, maker, second = self._board(group, keys, specs, at_ms)
        return snapshots(board, maker, self._texture, board.moment(keys, second), at_ms)

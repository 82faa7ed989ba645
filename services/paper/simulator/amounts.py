"""How much of one instrument is traded and how much is open, minute by minute through a session."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
from numpy.typing import NDArray

from services.paper.hours import Group, Session
from services.paper.replay import RealPath
from services.paper.simulator.paths import volume_profile
from services.paper.simulator.rows import OI_MINUTES, mark_of
from services.paper.simulator.texture import BOOK, HOLDS, UNTRADED, Texture
from services.paper.simulator.trading_days import TradingDays
from services.paper.simulator.volumes import day_volumes, minute_volumes
from services.paper.specs import Kind, Spec

Floats = NDArray[np.float64]

_TURNOVERS = (5e9, 1e9, 2e8, 3e7, 5e6)
"""Rupees a day above which an instrument belongs to a livelier hold class."""


class Amounts:
    """Volume and open interest of one session. `end_minute`: an instrument trades in the minutes before that one."""

    def __init__(
        self, session: Session, days: TradingDays, texture: Texture, end_minute: Callable[[Spec], int]
    ) -> None:
        self._session = session
        self._days = days
        self._texture = texture
        self._end_minute = end_minute
        self._profile = volume_profile(session)

    def volume(self, spec: Spec, real: RealPath | None) -> NDArray[np.int64]:
        """What is traded in each minute: as recorded where that is known, else the day's total (a recorded one goes
        first) by the day's profile with chance on top."""
        volume = np.zeros(self._session.minutes, dtype=np.int64)
        if not spec.volume:
            return volume
        if real is not None and real.volume is not None and real.volume.any():
            return real.volume
        mark, ordinal, lot = mark_of(spec.key), self._session.day.toordinal(), spec.lot
        if real is not None and real.bar.volume is not None and real.volume is None:
            total, lot = real.bar.volume, 1
        else:
            part = self._days.parts(spec.group)[self._days.place(spec.group, self._session.day)]
            days = np.array([ordinal])
            total = int(day_volumes(spec.volume, lot, mark, days, np.array([part]), self._texture)[0])
        end = self._end_minute(spec)
        volume[:end] = minute_volumes(total, lot, mark, ordinal, self._profile[:end], self._texture)
        return volume

    def interest(self, spec: Spec) -> tuple[Floats, float]:
        """Open interest through the day: from yesterday's figure to today's, with small waves."""
        steps = (self._session.minutes - 1) // OI_MINUTES + 1
        if not spec.interest:
            return np.zeros(steps), 0.0
        day, mark = self._session.day, mark_of(spec.key)
        before = self._days.hours.previous(spec.group, day)
        start, end = (self._level(spec, mark, on) for on in (before, day))
        waves = (
            0.01 * spec.interest * (self._texture.chance[(mark + 13 * day.toordinal() + np.arange(steps)) % BOOK] - 0.5)
        )
        waves[[0, -1]] = 0.0
        path = start + (end - start) * np.linspace(0.0, 1.0, steps) + waves
        return np.maximum(np.floor(path / spec.lot), 0.0) * spec.lot, start

    def _level(self, spec: Spec, mark: int, day: date) -> float:
        level = spec.interest * (0.85 + 0.3 * self._texture.chance[(mark + 104_729 * day.toordinal()) % BOOK])
        return float(np.floor(level / spec.lot) * spec.lot)


def hold_of(spec: Spec, price: float) -> int:
    """The hold class: how long the instrument stands between trades."""
    if spec.kind is Kind.INDEX:
        return UNTRADED
    multiplier = spec.listing.row.get("qty_multiplier")
    units = float(multiplier) if spec.group is not Group.EQUITY and isinstance(multiplier, int | float) else 1.0
    notional = spec.strike or price  # an option's liveliness follows what it stands for, not its premium
    turnover = spec.volume * notional * units
    return next((at for at, least in enumerate(_TURNOVERS) if turnover >= least), len(HOLDS) - 1)

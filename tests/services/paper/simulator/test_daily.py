from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from services.paper.candles import CandleStore
from services.paper.hours import Hours
from services.paper.replay import CandleDays
from services.paper.simulator.daily import DailyCloses
from services.paper.specs import ANCHOR_DAY
from services.paper.universe import BuiltinUniverse

UNIVERSE = BuiltinUniverse()


def closes(*, practice: bool, seed: int = 7) -> DailyCloses:
    return DailyCloses(seed, Hours(practice=practice), UNIVERSE.roots, CandleDays(CandleStore()))


@pytest.mark.parametrize("practice", [True, False])
def test_every_walk_passes_through_its_anchor(practice: bool) -> None:
    daily = closes(practice=practice)

    for name, root in UNIVERSE.roots.items():
        assert daily.close(name, ANCHOR_DAY) == root.anchor


def test_closes_are_whole_ticks_within_the_band() -> None:
    daily = closes(practice=False)
    hours = Hours(practice=False)
    for name in list(UNIVERSE.roots)[::23]:
        root = UNIVERSE.roots[name]
        day = date(2026, 9, 1)
        for _ in range(60):
            day += timedelta(days=1)
            if not hours.trades(root.group, day):
                continue
            move = daily.move(name, day)

            assert move.close / root.tick == pytest.approx(round(move.close / root.tick), abs=1e-6)
            assert abs(move.close / move.previous - 1) < root.band
            assert move.market * root.beta + move.sector * root.sector_load + move.own == pytest.approx(
                np.log(move.close / move.previous)
            )


def test_nothing_moves_while_the_market_rests() -> None:
    daily = closes(practice=False)

    assert daily.close("NSE_INDEX|Nifty 50", date(2026, 11, 20)) == daily.close(
        "NSE_INDEX|Nifty 50", date(2026, 11, 22)
    )


def test_prices_stay_in_sight_of_their_anchor_for_years() -> None:
    daily = closes(practice=True)

    for name in list(UNIVERSE.roots)[::9]:
        low, high = daily.ranges(name, date(2016, 1, 1), date(2030, 12, 31))

        assert low > UNIVERSE.roots[name].anchor / 8
        assert high < UNIVERSE.roots[name].anchor * 8

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from services.paper.candles import CandleDay, CandleStore
from services.paper.hours import Hours
from services.paper.replay import CandleDays
from services.paper.simulator.daily import DailyBars
from services.paper.simulator.trading_days import TradingDays
from services.paper.simulator.turns import Turns
from services.paper.specs import ANCHOR_DAY, daily_volatility
from services.paper.universe import BuiltinUniverse

UNIVERSE = BuiltinUniverse()


def closes(*, practice: bool, seed: int = 7) -> DailyBars:
    days = TradingDays(Hours(practice=practice))
    return DailyBars(seed, days, UNIVERSE.roots, CandleDays(CandleStore()), Turns(seed, practice=practice))


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

            assert move.bar.close / root.tick == pytest.approx(round(move.bar.close / root.tick), abs=1e-6)
            assert abs(move.bar.close / move.previous - 1) < root.band
            assert move.market * root.beta + move.sector * root.sector_load + move.own == pytest.approx(
                np.log(move.bar.close / move.previous)
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


def test_a_days_bar_holds_its_ends_and_looks_like_a_days() -> None:
    daily = closes(practice=False)
    ranges = []
    for name in list(UNIVERSE.roots)[::17]:
        root, year = UNIVERSE.roots[name], daily.year(name, 2024)

        assert (year.low <= np.minimum(year.open, year.close)).all()
        assert (year.high >= np.maximum(year.open, year.close)).all()
        assert (year.previous[1:] == year.close[:-1]).all()
        for column in (year.open, year.high, year.low):
            steps = column / root.tick
            assert np.abs(steps - np.rint(steps)).max() < 1e-6
        ranges.append(np.mean(np.log(year.high / year.low)) / daily_volatility(root))

    assert 1.2 < float(np.median(ranges)) < 1.75, "a random walk's range is 1.6 standard deviations"


def test_the_years_range_is_that_of_the_bars_of_a_year() -> None:
    daily, name, day = closes(practice=False), "INE002A01018", date(2026, 6, 15)
    bars = [daily.year(name, year) for year in (2025, 2026)]
    ordinal = np.concatenate([year.ordinal for year in bars])
    recent = (ordinal >= day.toordinal() - 365) & (ordinal < day.toordinal())

    move = daily.move(name, day)

    assert move.year_high == np.concatenate([year.high for year in bars])[recent].max()
    assert move.year_low == np.concatenate([year.low for year in bars])[recent].min()


def test_between_two_known_closes_the_walk_is_led_from_one_to_the_other() -> None:
    name = "INE002A01018"
    known = {date(2025, 1, 6): 1200.0, date(2025, 7, 7): 2400.0}
    store = CandleStore(
        {name: {day: CandleDay(day, close, close, close, close, 1, None, None) for day, close in known.items()}}
    )
    days = TradingDays(Hours(practice=False, extra_days=store.all_days()))
    daily = DailyBars(7, days, UNIVERSE.roots, CandleDays(store), Turns(7, practice=False))

    assert {day: daily.close(name, day) for day in known} == known
    between = np.diff(np.log([daily.close(name, date(2025, 1, 6) + timedelta(days=n)) for n in range(183)]))
    assert np.abs(between).max() < 0.08
    assert daily.move(name, date(2025, 7, 7)).previous == daily.close(name, date(2025, 7, 4))

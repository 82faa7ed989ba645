"""The memory tier: fresh for the TTL, kept for longer, bounded."""

from __future__ import annotations

import math

from services.domain.errors import NoData
from services.storage.memory_tier import MemoryTier
from tests.support.quotes import INFY, RELIANCE, TCS, keys, row

SILENT = NoData("nothing")


def test_a_row_is_fresh_for_the_ttl_and_known_after_it() -> None:
    tier = MemoryTier(ttl=5)
    tier.put({RELIANCE: row()}, at=100.0)

    assert set(tier.fresh([RELIANCE, INFY], 104.9)) == {RELIANCE}
    assert tier.fresh([RELIANCE], 105.0) == {}
    assert set(tier.any_age([RELIANCE, INFY])) == {RELIANCE}


def test_a_row_from_the_future_is_not_fresh() -> None:
    tier = MemoryTier(ttl=5)
    tier.put({RELIANCE: row()}, at=100.0)

    assert tier.fresh([RELIANCE], 50.0) == {}


def test_what_came_last_is_shown_even_after_the_clock_was_set_back() -> None:
    tier = MemoryTier(ttl=5)
    tier.put({RELIANCE: row(ltp=1.0)}, at=2000.0)

    tier.put({RELIANCE: row(ltp=2.0)}, at=200.0)

    assert tier.fresh([RELIANCE], 201.0)[RELIANCE]["ltp"] == 2.0
    assert tier.any_age([RELIANCE])[RELIANCE]["ltp"] == 2.0


def test_a_stored_row_takes_no_place_of_a_live_one_and_none_comes_from_the_future() -> None:
    tier = MemoryTier(ttl=5)
    received = row()["received_at"].timestamp()
    tier.put({RELIANCE: row(ltp=2.0)}, at=received - 100)

    tier.put_stored({RELIANCE: row(ltp=1.0), INFY: row(INFY)}, now=received)
    tier.put_stored({TCS: row(TCS)}, now=received - 3600)

    assert tier.any_age([RELIANCE])[RELIANCE]["ltp"] == 2.0
    assert set(tier.any_age([INFY, TCS])) == {INFY}


def test_silence_is_remembered_for_the_ttl_and_ends_with_a_row() -> None:
    tier = MemoryTier(ttl=5)
    tier.put_silent({RELIANCE: SILENT, INFY: SILENT}, at=100.0)
    tier.put({INFY: row(INFY)}, at=101.0)

    assert tier.silent([RELIANCE, INFY, TCS], 104.0) == {RELIANCE: SILENT}
    assert tier.silent([RELIANCE], 105.0) == {}


def test_ages_tell_when_each_key_was_last_spoken_of() -> None:
    tier = MemoryTier(ttl=5)
    tier.put({RELIANCE: row()}, at=100.0)
    tier.put_silent({INFY: SILENT}, at=101.0)

    assert tier.ages([RELIANCE, INFY, TCS], 103.0) == {RELIANCE: 3.0, INFY: 2.0, TCS: math.inf}


def test_the_oldest_rows_go_when_there_are_too_many() -> None:
    tier = MemoryTier(ttl=5, most_rows=10)
    for number, key in enumerate(keys(15)):
        tier.put({key: row(key)}, at=float(number))

    assert len(tier) == 10
    assert set(tier.any_age(keys(15))) == set(keys(15)[5:])


def test_clear_forgets_all() -> None:
    tier = MemoryTier(ttl=5)
    tier.put({RELIANCE: row()}, at=100.0)
    tier.put_silent({INFY: SILENT}, at=100.0)

    tier.clear()

    assert len(tier) == 0
    assert tier.silent([INFY], 100.0) == {}

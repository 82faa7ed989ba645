from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.errors import StorageError
from services.storage.candle_packing import HEAD, pack, unpack
from services.wire.candle_columns import CandleColumns, columns_of, joined
from tests.support.candle_columns import same

DAY = 86_400_000


def candles(starts: list[int], prices: list[float], volumes: list[int]) -> CandleColumns:
    return columns_of([starts, prices, prices, prices, prices, volumes, volumes])


STARTS = st.lists(st.integers(0, 2**42), min_size=1, max_size=20, unique=True).map(sorted)
PRICES = st.one_of(
    st.integers(1, 10**9).map(lambda paise: paise / 100),
    st.integers(1, 10**9).map(lambda units: units / 10_000),
    st.floats(allow_nan=False, allow_infinity=False),
)


@given(st.data(), STARTS)
def test_every_bar_comes_back_as_it_was(data: st.DataObject, starts: list[int]) -> None:
    size = len(starts)
    prices = [data.draw(st.lists(PRICES, min_size=size, max_size=size)) for _ in range(4)]
    counts = [data.draw(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=size, max_size=size)) for _ in range(2)]
    bars = columns_of([starts, *prices, *counts])

    assert same(unpack([pack(bars)]), bars)


@pytest.mark.parametrize("steps", [[60_000] * 374, [DAY] * 20, [DAY * 31, DAY * 30], [DAY * 60, DAY], [DAY * 200], []])
def test_starts_of_every_interval_come_back(steps: list[int]) -> None:
    starts = [1_790_000_000_000, *(1_790_000_000_000 + np.cumsum(steps)).astype(int).tolist()]
    bars = candles(starts, [100.05] * len(starts), [1] * len(starts))

    assert same(unpack([pack(bars)]), bars)


def test_minutes_of_a_day_take_some_ten_bytes_each() -> None:
    rng = np.random.default_rng(7)
    prices = np.round(4000 + np.cumsum(rng.normal(0, 1, 375)), 2)
    starts = np.arange(375) * 60_000
    bars = columns_of([starts, prices, prices + 1, prices - 1, prices, rng.integers(0, 60_000, 375), starts * 0])

    assert len(pack(bars)) / 375 < 11


def test_zero_prices_and_noise_of_floats_come_back() -> None:
    bars = candles([0, 60_000], [0.0, 24876.599609375], [0, 0])

    assert same(unpack([pack(bars)]), bars)


@pytest.mark.parametrize("damage", [b"", b"\x01", b"\x02" + b"\0" * 40])
def test_a_damaged_blob_says_so(damage: bytes) -> None:
    with pytest.raises(StorageError):
        unpack([damage])


def test_a_blob_that_is_cut_off_says_so() -> None:
    with pytest.raises(StorageError, match="length"):
        unpack([pack(candles([0, 60_000], [1.0, 2.0], [1, 2]))[:-1]])


@given(st.binary(max_size=80))
def test_any_bytes_are_bars_or_an_error(blob: bytes) -> None:
    try:
        unpack([blob])
    except StorageError:
        return
    assert blob[0] == 1


def test_the_head_is_as_long_as_sql_believes() -> None:
    assert HEAD.size == 28


def test_blocks_of_different_widths_are_read_as_one_whole() -> None:
    parts = [
        candles([0, 60_000, 120_000], [100.05, 100.1, 4_000.0], [1, 2, 3]),
        candles([200_000, 260_001], [1e-300, 1.0], [2**62, 0]),
        candles([10**12], [55.5], [7]),
        candles([10**12 + 1], [0.123456], [0]),
    ]

    assert same(unpack([pack(part) for part in parts]), joined(parts))
    assert len(unpack([])) == 0

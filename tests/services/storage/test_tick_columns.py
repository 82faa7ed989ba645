"""Ticks come out of their blob as they went in; a damaged blob is an error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.errors import StorageError
from services.storage.tick_columns import NOT_TOLD, TickColumns, joined, no_ticks, pack, unpack
from tests.support.ticks import NOW_MS, rows

ANY_INTEGER = st.integers(-(2**63), 2**63 - 1)


def _columns(ticks: list[tuple[int, ...]]) -> TickColumns:
    return TickColumns(*(np.array(column, np.int64) for column in zip(*ticks, strict=True)))


@given(st.lists(st.tuples(*[ANY_INTEGER] * 5), min_size=1, max_size=40))
def test_whatever_the_columns_hold_comes_back(ticks: list[tuple[int, ...]]) -> None:
    back = unpack(pack(_columns(ticks)))

    assert [tuple(tick) for tick in zip(*(column.tolist() for column in back.as_tuple()), strict=True)] == ticks


@given(st.lists(st.tuples(*[st.integers(-500, 500).map(lambda n: n * 75)] * 5), min_size=1, max_size=40))
def test_columns_that_move_in_lots_come_back(ticks: list[tuple[int, ...]]) -> None:
    back = unpack(pack(_columns(ticks)))

    assert [tuple(tick) for tick in zip(*(column.tolist() for column in back.as_tuple()), strict=True)] == ticks


def test_a_day_of_ticks_takes_a_few_bytes_each() -> None:
    chance = np.random.default_rng(3)
    count = 20_000
    received = NOW_MS + np.cumsum(chance.integers(1, 2_000, count))
    trades = chance.integers(1, 100, count)
    columns = TickColumns(
        received, received - chance.integers(20, 400, count), 14_725_000 + 500 * chance.integers(-9, 9, count).cumsum(),
        trades, trades.cumsum(),
    )  # fmt: skip

    assert len(pack(columns)) / count < 8


@given(st.binary(max_size=200))
def test_bytes_that_are_no_ticks_are_an_error_and_nothing_else(blob: bytes) -> None:
    with pytest.raises(StorageError):
        unpack(blob)


@given(st.data())
def test_a_blob_that_was_cut_short_is_an_error(data: st.DataObject) -> None:
    blob = pack(_columns([(NOW_MS + n, NOW_MS, 100 * n, n, 7 * n) for n in range(50)]))

    with pytest.raises(StorageError):
        unpack(blob[: data.draw(st.integers(0, len(blob) - 1))])


def test_a_blob_of_a_newer_desk_is_refused_in_words() -> None:
    blob = pack(_columns([(1, 2, 3, 4, 5)]))

    with pytest.raises(StorageError, match="newer desk"):
        unpack(b"\x63" + blob[1:])


def test_parts_are_joined_by_time_of_receipt_and_keep_their_order_within_a_millisecond() -> None:
    late = _columns([(5, NOT_TOLD, 1, 0, 0), (9, 0, 2, 0, 0)])
    early = _columns([(4, 0, 3, 0, 0), (5, 0, 4, 0, 0)])

    assert [tick[2] for tick in rows(joined([late, no_ticks(), early]))] == [3, 1, 4, 2]
    assert len(joined([])) == 0


def test_a_window_includes_its_start_and_not_its_end() -> None:
    columns = _columns([(at, 0, at, 0, 0) for at in range(5)])

    assert columns.between(1, 3).received_ms.tolist() == [1, 2]
    assert columns.between(0, 5) is columns


def test_prices_are_in_rupees() -> None:
    assert _columns([(1, 1, 14_725_500, 1, 1)]).prices.tolist() == [1472.55]

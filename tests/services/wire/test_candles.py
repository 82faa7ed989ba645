from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.clock import epoch_ms, from_epoch_ms
from services.domain.errors import MalformedPayload
from services.domain.quotes import Bar
from services.wire.candle_columns import CandleColumns, columns_of, in_order, joined, no_candles
from services.wire.candles import decode_candles, parse_candles
from tests.support.candle_columns import same
from tests.support.candles import ist
from tests.support.payloads import body, data

STAMP = "2026-11-20T10:00:00+05:30"
ODD = [
    [], "x", [STAMP, 1.0], ["2026-11-20T10:00:00", 1.0, 1.0, 1.0, 1.0, 1, 0],
    [1795113000000, 1.0, 1.0, 1.0, 1.0, 1, 0], [STAMP, "1", 1.0, 1.0, 1.0, 1, 0],
    [STAMP, 1.0, 1.0, None, 1.0, 1, 0], [STAMP, 1.0, 1.0, True, 1.0, 1, 0], [STAMP, 1.0, 1.0, 1.0, 1.0, "1", 0],
    ["2026-13-20T10:00:00+05:30", 1.0, 1.0, 1.0, 1.0, 1, 0], ["NaT".ljust(19) + "+05:30", 1.0, 1.0, 1.0, 1.0, 1, 0],
    ["", 1.0, 1.0, 1.0, 1.0, 1, 0], [STAMP, 1e300, 1.0, 1.0, 1.0, 1, 0], [STAMP, 1.0, 1.0, 1.0, 1.0, 2**70, 0],
]  # fmt: skip


def answer(*candles: Any) -> bytes:
    return orjson.dumps({"status": "success", "data": {"candles": candles}})


def columns(*starts: int, price: float = 1.0) -> CandleColumns:
    many = [price] * len(starts)
    return columns_of([list(starts), many, many, many, many, [1] * len(starts), [0] * len(starts)])


def test_bars_come_oldest_first_once_each_in_utc() -> None:
    for bars in (parse_candles(data("candles")).bars(), decode_candles(body("candles")).bars()):
        assert bars == [
            Bar(ist("2026-11-20 09:55"), 2840.0, 2843.5, 2839.9, 2843.0, 12233, 0),
            Bar(ist("2026-11-20 10:00"), 2843.0, 2845.0, 2842.1, 2844.6, 9120, 0),
        ]


def test_no_candles_is_an_answer() -> None:
    assert len(parse_candles(data("candles_empty"))) == len(decode_candles(body("candles_empty"))) == 0


@pytest.mark.parametrize("candle", ODD[:10])
def test_a_candle_of_another_shape_is_named(candle: object) -> None:
    with pytest.raises(MalformedPayload) as caught:
        parse_candles({"candles": [candle]})

    assert caught.value.field.startswith("data.candles[0]")


@pytest.mark.parametrize("candle", ODD)
def test_the_quick_way_takes_nothing_that_is_not_as_documented(candle: object) -> None:
    with pytest.raises(MalformedPayload):
        decode_candles(json.dumps({"status": "success", "data": {"candles": [candle]}}).encode())


@pytest.mark.parametrize(
    "given_body", [b"", b"{", b'{"status":"error"}', b'{"status":"x","data":{"candles":[]}}', b"[]"]
)
def test_what_is_no_plain_success_is_left_to_the_patient_way(given_body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        decode_candles(given_body)


def test_a_missing_list_is_malformed() -> None:
    with pytest.raises(MalformedPayload):
        parse_candles({})


def test_a_bar_that_contradicts_itself_is_kept_as_it_came() -> None:
    (bar,) = decode_candles(answer([STAMP, 10.0, 9.0, 11.0, 0, 5, 0])).bars()

    assert (bar.high, bar.low, bar.close) == (9.0, 11.0, 0.0)


def test_null_volume_and_a_missing_open_interest_are_none_of_it() -> None:
    assert parse_candles({"candles": [[STAMP, 1, 2, 1, 2, None]]}).bars()[0].volume == 0


def test_of_two_statements_about_one_start_the_newer_counts() -> None:
    said = answer([STAMP, 2.0, 2.0, 2.0, 2.0, 2, 0], [STAMP, 1.0, 1.0, 1.0, 1.0, 1, 0])

    assert decode_candles(said).bars() == parse_candles(orjson.loads(said)["data"]).bars()
    assert decode_candles(said).open.tolist() == [2.0]


MINUTES = st.lists(st.integers(0, 5_000_000), max_size=30)


@given(MINUTES, st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(0, 10**12)), min_size=30, max_size=30))
def test_both_ways_read_the_same_in_any_order(minutes: list[int], cells: list[tuple[float, int]]) -> None:
    rows = [
        [(from_epoch_ms(1_500_000_000_000 + minute * 60_000)).astimezone(ist("2026-01-01 00:00").tzinfo).isoformat(),
         price, price + 1, price - 1, price, volume, volume]
        for minute, (price, volume) in zip(minutes, cells, strict=False)
    ]  # fmt: skip
    for row in rows:
        row[0] = str(row[0]).replace("+00:00", "+05:30")
    said = answer(*rows)

    quick, patient = decode_candles(said), parse_candles(orjson.loads(said)["data"])

    assert same(quick, patient)
    assert (quick.start_ms[1:] > quick.start_ms[:-1]).all()
    assert len(quick) == len({row[0] for row in rows})


def test_joining_takes_the_later_statement_and_keeps_the_order() -> None:
    whole = joined([columns(3, 4), columns(1, 2), columns(4, 5, price=2.0), no_candles()])

    assert whole.start_ms.tolist() == [1, 2, 3, 4, 5]
    assert whole.open.tolist() == [1.0, 1.0, 1.0, 2.0, 2.0]
    assert same(joined([]), no_candles())


def test_a_stretch_is_half_open_and_needs_no_copy() -> None:
    bars = columns(1, 2, 3, 4)

    assert bars.between(2, 4).start_ms.tolist() == [2, 3]
    assert bars.between(2, 4).start_ms.base is bars.start_ms
    assert len(bars.between(9, 12)) == len(bars.between(4, 2)) == 0
    assert in_order(columns(2, 1, 2)).start_ms.tolist() == [1, 2]


def test_shared_columns_cannot_be_written_into() -> None:
    with pytest.raises(ValueError, match="read-only"):
        columns(1).frozen().open[0] = 2.0


def test_an_instant_survives() -> None:
    assert decode_candles(answer([STAMP, 1, 1, 1, 1, 1, 0])).start_ms.tolist() == [epoch_ms(ist("2026-11-20 10:00"))]

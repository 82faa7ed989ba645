"""The quick way to a quote answer gives what the patient way gives, or steps aside."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.errors import MalformedPayload
from services.wire.quote_decoder import decode_full_quotes
from services.wire.quotes import parse_full_quotes
from tests.support.quote_example import FULL_QUOTE
from tests.support.shared_data import shared

ROW: dict[str, Any] = FULL_QUOTE | {
    "instrument_token": "NSE_EQ|INE002A01018",
    "depth": {
        "buy": [{"quantity": 154, "price": 1472.4, "orders": 5}, {"quantity": 0, "price": 0.0, "orders": 0}],
        "sell": [{"quantity": 96, "price": 1472.5, "orders": 3}],
    },
}


def answer(*rows: dict[str, Any], status: str = "success") -> bytes:
    return orjson.dumps({"status": status, "data": {f"X:{n}": row for n, row in enumerate(rows)}})


@pytest.mark.parametrize("name", ["quote_full_v2", "quote_full_v3"])
def test_the_documented_answers_are_read_alike(name: str) -> None:
    body = shared(f"upstox/examples/{name}.json").read_bytes()

    assert decode_full_quotes(body) == parse_full_quotes(orjson.loads(body)["data"])


def test_padding_of_the_depth_is_left_out() -> None:
    [quote] = decode_full_quotes(answer(ROW)).values()

    assert [level.price for level in quote.bids] == [1472.4]
    assert [level.price for level in quote.asks] == [1472.5]


def test_an_instrument_without_a_last_price_is_left_out_as_a_silent_one() -> None:
    assert decode_full_quotes(answer(ROW | {"last_price": None})) == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"status":"success"}',
        b'{"status":"success","data":[]}',
        answer(ROW, status="partial_success"),
        answer(ROW | {"last_price": "1472.5"}),
        answer(ROW | {"volume": "many"}),
        answer(ROW | {"instrument_token": ""}),
        answer(ROW | {"timestamp": "yesterday"}),
        answer(ROW | {"last_trade_time": "soon"}),
        answer(ROW | {"depth": {"buy": [{"price": 1.0}], "sell": []}}),
        answer({name: value for name, value in ROW.items() if name != "ohlc"}),
    ],
)
def test_whatever_is_not_as_documented_is_left_to_the_patient_way(body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        decode_full_quotes(body)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        decode_full_quotes(body)


MEMBERS = sorted(ROW.keys() - {"instrument_token", "ohlc", "depth", "cas_eligible"})


@given(
    member=st.sampled_from(MEMBERS),
    value=st.none() | st.integers(-5, 10**12) | st.floats(allow_nan=False, allow_infinity=False, width=32) | st.text(),
    key=st.sampled_from(["NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50", "NSE_FO|56983", "GLOBAL_INDEX|X"]),
)
def test_where_it_answers_at_all_it_answers_as_the_patient_way(member: str, value: object, key: str) -> None:
    body = answer(ROW | {member: value, "instrument_token": key})
    try:
        quick = decode_full_quotes(body)
    except MalformedPayload:
        return

    assert quick == parse_full_quotes(orjson.loads(body)["data"])

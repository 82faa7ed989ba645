from __future__ import annotations

from dataclasses import replace

import msgspec
import orjson
import pytest

from services.domain.errors import MalformedPayload
from services.domain.quote_row import QuoteRow, quote_row
from services.shared.packing import pack, unpack
from services.storage.quote_payload import from_stored, to_stored
from services.wire.quote_decoder import decode_full_quotes
from tests.support.quotes import NOW, quote, row

LEVEL = {"price": 100.05, "quantity": 12, "orders": 3}
ANSWER = {
    "status": "success",
    "data": {
        "NSE_EQ:X": {
            "instrument_token": "NSE_EQ|INE002A01018",
            "last_price": 100.0,
            "ohlc": None,
            "depth": {"buy": [LEVEL, {"price": 0, "quantity": 0, "orders": 0}], "sell": [LEVEL] * 5},
        }
    },
}


def rows() -> list[QuoteRow]:
    bare = replace(quote(), bids=(), asks=(), last_trade_time=None, exchange_time=None, volume=None, prev_close=None)
    (told,) = decode_full_quotes(orjson.dumps(ANSWER)).values()
    return [row(), *(quote_row(one, received_at=NOW, source="Upstox", api_version="v3") for one in (bare, told))]


@pytest.mark.parametrize("given", rows())
def test_a_row_arrives_as_it_left_member_by_member_and_in_its_order(given: QuoteRow) -> None:
    arrived = unpack(pack(given))

    assert arrived == given
    assert list(arrived) == list(given)
    assert isinstance(arrived, QuoteRow)
    assert arrived["depth"].best("sell") == given["depth"].best("sell")


def test_a_row_out_of_the_file_travels_as_well() -> None:
    stored = from_stored(to_stored(row()))

    assert unpack(pack(stored)) == row()


def test_it_is_much_smaller_than_as_json() -> None:
    assert len(pack(row())) < 0.45 * len(to_stored(row()).payload)


def test_what_is_no_row_is_refused_and_a_broken_level_shows_when_somebody_looks() -> None:
    for packed in (b"", b"\xc0", msgspec.msgpack.encode([1, 2, 3]), pack(row())[:-3]):
        with pytest.raises(msgspec.DecodeError):
            unpack(packed)
    members = msgspec.msgpack.decode(pack(row()))
    members[21] = [[["dear"]], [[]]]
    broken = unpack(msgspec.msgpack.encode(members))
    with pytest.raises(MalformedPayload, match="level"):
        broken["depth"]["buy"]

"""Quote rows survive SQLite."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.domain.clock import epoch_ms
from services.domain.errors import StorageError
from services.domain.quote_row import QuoteRow, quote_row
from services.storage.quote_payload import from_stored, to_stored
from services.wire.quote_decoder import decode_full_quotes
from tests.support.quotes import NOW, row
from tests.support.shared_data import shared


def test_a_row_comes_back_as_it_was() -> None:
    before = row()

    after = from_stored(to_stored(before))

    assert after == before
    assert type(after) is QuoteRow
    assert after["exchange_time"].tzinfo is not None
    with pytest.raises(TypeError):
        after["depth"]["buy"][0]["price"] = 1.0


def test_a_row_from_the_wire_comes_back_with_its_depth() -> None:
    body = shared("upstox/examples/quote_full_v3.json").read_bytes()
    [quote, *_] = decode_full_quotes(body).values()
    before = quote_row(quote, received_at=NOW, source="Upstox", api_version="v3")

    after = from_stored(to_stored(before))

    assert after["depth"] == before["depth"]
    assert after["depth"]["buy"]


def test_the_columns_tell_what_people_query() -> None:
    stored = to_stored(row())

    assert (stored.key, stored.ltp, stored.received_at_ms) == ("NSE_EQ|INE002A01018", 1472.5, epoch_ms(NOW))
    assert stored.exchange_time_ms == epoch_ms(row()["exchange_time"])


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"depth": 1}', b'{"received_at": "yesterday"}'])
def test_a_payload_of_another_shape_is_an_error_not_a_quote(payload: bytes) -> None:
    with pytest.raises(StorageError):
        from_stored(replace(to_stored(row()), payload=payload))

"""What is said to the feed is what the documents show, in pieces of bearable size."""

from __future__ import annotations

from itertools import count

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.errors import InvalidRequest
from services.wire.feed.requests import CHUNK, FeedMethod, FeedMode, encode, read, requests
from tests.support.shared_data import shared

RELIANCE, NIFTY = "NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50"


@pytest.mark.parametrize(
    ("name", "method", "keys", "mode"),
    [
        ("subscribe", FeedMethod.SUBSCRIBE, [RELIANCE, NIFTY], FeedMode.FULL),
        ("unsubscribe", FeedMethod.UNSUBSCRIBE, [RELIANCE], None),
        ("change_mode", FeedMethod.CHANGE_MODE, [RELIANCE], FeedMode.LTPC),
    ],
)
def test_requests_are_the_documented_ones(
    name: str, method: FeedMethod, keys: list[str], mode: FeedMode | None
) -> None:
    printed = orjson.loads(shared(f"upstox/examples/ws_request_{name}.json").read_bytes())

    sent = encode(method, keys, mode, printed["guid"])

    assert isinstance(sent, bytes)
    assert orjson.loads(sent) == printed


@pytest.mark.parametrize(
    ("method", "keys", "mode"),
    [
        (FeedMethod.SUBSCRIBE, [], FeedMode.FULL),
        (FeedMethod.SUBSCRIBE, [RELIANCE, ""], FeedMode.FULL),
        (FeedMethod.SUBSCRIBE, [RELIANCE], None),
        (FeedMethod.CHANGE_MODE, [RELIANCE], None),
        (FeedMethod.UNSUBSCRIBE, [RELIANCE], FeedMode.FULL),
    ],
)
def test_what_the_broker_would_only_be_silent_about_is_refused(
    method: FeedMethod, keys: list[str], mode: FeedMode | None
) -> None:
    with pytest.raises(InvalidRequest):
        encode(method, keys, mode, "guid")


@given(
    st.lists(st.integers(0, 3000).map(lambda number: f"NSE_FO|{number}"), max_size=1200),
    st.integers(1, 500),
)
def test_a_list_of_any_length_is_asked_for_whole_in_order_and_once(keys: list[str], chunk: int) -> None:
    guids = count()

    sent = [
        orjson.loads(request)
        for request in requests(
            FeedMethod.SUBSCRIBE, keys, FeedMode.LTPC, new_guid=lambda: str(next(guids)), chunk=chunk
        )
    ]

    asked = [request["data"]["instrumentKeys"] for request in sent]
    assert [key for piece in asked for key in piece] == list(dict.fromkeys(keys))
    assert all(0 < len(piece) <= chunk for piece in asked)
    assert [request["guid"] for request in sent] == [str(number) for number in range(len(sent))]
    assert {request["data"]["mode"] for request in sent} <= {"ltpc"}


def test_two_thousand_keys_take_ten_requests() -> None:
    keys = [f"NSE_FO|{number}" for number in range(2000)]

    sent = list(requests(FeedMethod.UNSUBSCRIBE, keys, None, new_guid=lambda: "g"))

    assert len(sent) == 2000 / CHUNK
    assert max(map(len, sent)) < 16_384
    assert "mode" not in orjson.loads(sent[0])["data"]


@pytest.mark.parametrize(
    ("method", "mode"), [(FeedMethod.SUBSCRIBE, FeedMode.FULL), (FeedMethod.UNSUBSCRIBE, None)], ids=["sub", "unsub"]
)
def test_our_own_requests_can_be_read_again(method: FeedMethod, mode: FeedMode | None) -> None:
    assert read(encode(method, [RELIANCE, NIFTY], mode, "guid")) == (method, [RELIANCE, NIFTY], mode)


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"method":"sub","data":{}}', b'{"method":"dance","data":{}}'])
def test_what_is_no_request_of_ours_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read(text)

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.paper.feed.requests import MOST_KEYS, FeedRequest, Method, Mode, read_request
from tests.support.paper import NIFTY, RELIANCE
from tests.support.shared_data import shared


def raw(method: Any = "sub", keys: Any = (RELIANCE,), **data: Any) -> bytes:
    return json.dumps({"guid": "x", "method": method, "data": {"instrumentKeys": keys, **data}}).encode()


@pytest.mark.parametrize("mode", list(Mode))
def test_a_subscription_is_read_in_every_mode(mode: Mode) -> None:
    assert read_request(raw(keys=[RELIANCE, NIFTY], mode=mode)) == FeedRequest(Method.SUB, (RELIANCE, NIFTY), mode)


def test_a_subscription_without_a_mode_means_ltpc() -> None:
    assert read_request(raw()) == FeedRequest(Method.SUB, (RELIANCE,), Mode.LTPC)


def test_unsubscribing_needs_no_mode() -> None:
    assert read_request(raw("unsub")) == FeedRequest(Method.UNSUB, (RELIANCE,))


def test_a_key_that_is_named_twice_counts_once() -> None:
    assert read_request(raw(keys=[RELIANCE, RELIANCE])) == FeedRequest(Method.SUB, (RELIANCE,))


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"sub"',
        b"{}",
        b'{"method": "sub", "data": []}',
        b'{"method": "sub", "data": null}',
        raw("subscribe"),
        raw(["sub"]),
        raw(mode="quote"),
        raw(mode=None),
        raw(mode=["full"]),
        raw("change_mode"),
        raw(keys="NSE_EQ|X"),
        raw(keys=[1]),
        raw(keys=None),
        raw(keys=[f"NSE_EQ|{n}" for n in range(MOST_KEYS + 1)]),
    ],
)
def test_nonsense_is_passed_over(wrong: bytes) -> None:
    assert read_request(wrong) is None


@given(st.binary(max_size=200))
def test_random_bytes_never_raise(noise: bytes) -> None:
    assert read_request(noise) is None


NAMES = st.sampled_from(["method", "data", "mode", "instrumentKeys", "sub"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | NAMES,
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
    max_leaves=12,
)


@given(JSON)
def test_random_json_never_raises(thing: Any) -> None:
    read_request(json.dumps(thing).encode())


@pytest.mark.parametrize(
    ("name", "method"), [("subscribe", Method.SUB), ("unsubscribe", Method.UNSUB), ("change_mode", Method.CHANGE_MODE)]
)
def test_the_documented_requests_are_understood(name: str, method: Method) -> None:
    request = read_request(shared(f"upstox/examples/ws_request_{name}.json").read_bytes())

    assert request is not None
    assert request.method is method
    assert RELIANCE in request.keys

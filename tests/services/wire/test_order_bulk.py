from __future__ import annotations

from collections.abc import Sequence

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.domain.errors import (
    BrokerFault,
    MalformedPayload,
    RateLimited,
    RequestRefused,
    TokenRejected,
    UpstoxError,
)
from services.domain.orders import BulkResult
from services.wire.order_bulk import read_bulk
from tests.support.payloads import body


def _read(name: str | bytes, status: int = 200, sent: Sequence[str] = ()) -> BulkResult:
    raw = name if isinstance(name, bytes) else body(name)
    return read_bulk(
        status, raw, correlation_ids=sent, endpoint="POST /x", request_id=None, content_type="application/json"
    )


def test_the_children_of_a_sliced_line_are_filed_under_it() -> None:
    result = _read("multi_placed", sent=["a", "b"])

    assert result.placed == {"a": ("261120000000060",), "b": ("261120000000061", "261120000000062")}
    assert result.order_ids == ("261120000000060", "261120000000061", "261120000000062")
    assert (result.total, result.succeeded, result.failed) == (2, 2, 0)


def test_a_correlation_id_that_only_looks_like_a_child_is_its_own() -> None:
    result = _read("multi_placed", sent=["a", "b_1", "b_2"])

    assert result.placed["b_1"] == ("261120000000061",)


def test_each_line_of_a_mixed_answer_has_its_own_outcome() -> None:
    result = _read("multi_placed_partly", status=207, sent=["a", "b", "c"])

    assert result.placed == {"a": ("261120000000060",)}
    assert [(line.correlation_id, line.code, line.outcome_unknown) for line in result.errors] == [
        ("b", "UDAPI1052", False),
        ("c", "UDAPI100500", True),
    ]
    assert (result.total, result.succeeded, result.failed) == (3, 1, 2)


def test_lines_that_were_all_refused_are_a_result_too() -> None:
    result = _read("multi_refused", status=400, sent=["a", "b"])

    assert (result.placed, result.order_ids, result.payload_errors) == ({}, (), 2)
    assert [line.code for line in result.errors] == ["UDAPI1054", "UDAPI1040"]


def test_cancellations_in_full_and_in_part() -> None:
    assert _read("many_cancelled").order_ids == ("261120000000060", "261120000000061")
    partly = _read("many_cancelled_partly", status=207)
    assert (partly.order_ids, partly.succeeded, partly.failed) == (("261120000000060",), 1, 1)
    assert (partly.errors[0].order_id, partly.errors[0].key) == ("261120000000061", "NSE_EQ|INE467B01029")


def test_a_refusal_of_the_call_as_a_whole_is_raised() -> None:
    with pytest.raises(RequestRefused) as caught:
        _read("nothing_to_cancel", status=400)

    assert caught.value.code == "UDAPI1109"
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("name", ["multi_refused", "multi_placed_partly", "many_cancelled"])
def test_what_a_5xx_says_of_the_lines_is_not_believed(name: str) -> None:
    with pytest.raises(BrokerFault) as caught:
        _read(name, status=502, sent=["a", "b", "c"])

    assert caught.value.outcome_unknown


@pytest.mark.parametrize(("status", "kind"), [(401, TokenRejected), (429, RateLimited)])
def test_what_is_about_the_call_is_raised_whatever_it_says_of_lines(status: int, kind: type[UpstoxError]) -> None:
    with pytest.raises(kind):
        _read("multi_refused", status=status)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"status":"success"}',
        b'{"status":"success","data":null}',
        b'{"status":"done","data":{}}',
    ],
)
def test_a_success_that_cannot_be_read_leaves_the_outcome_unknown(raw: bytes) -> None:
    with pytest.raises(MalformedPayload) as caught:
        _read(raw)

    assert caught.value.outcome_unknown


def test_without_a_summary_the_lines_are_counted() -> None:
    answer = orjson.loads(body("many_cancelled_partly"))
    del answer["summary"]

    result = _read(orjson.dumps(answer), status=207)

    assert (result.total, result.succeeded, result.failed) == (2, 1, 1)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 10**12) | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(
    status=st.sampled_from([200, 207, 400, 404, 500]),
    word=st.sampled_from(["success", "partial_success", "error", 5]),
    data=_JSON,
    errors=_JSON | st.just([{"correlation_id": "a", "message": 5}]),
    summary=_JSON | st.just({"total": 1.5}),
)
@settings(deadline=None)
def test_whatever_comes_is_a_result_or_an_error_of_ours(
    status: int, word: object, data: object, errors: object, summary: object
) -> None:
    raw = orjson.dumps({"status": word, "data": data, "errors": errors, "summary": summary})
    try:
        result = _read(raw, status=status, sent=["a"])
    except UpstoxError:
        return
    assert isinstance(result, BulkResult)

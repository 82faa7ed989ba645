from __future__ import annotations

import orjson
import pytest

from services.domain.errors import (
    AccessDenied,
    BadInstrumentKey,
    BrokerError,
    BrokerFault,
    MalformedPayload,
    RateLimited,
    RequestRefused,
    RouteMissing,
    ServiceClosed,
    TokenRejected,
)
from services.wire.envelope import TEXT_LIMIT, Envelope, broker_latency, plain_text, unwrap, unwrap_flat
from tests.support.payloads import body


def opened(
    status: int, raw: bytes, *, content_type: str = "application/json", retry_after: float | None = None
) -> Envelope:
    return unwrap(
        status, raw, endpoint="GET /x", request_id="req-1", content_type=content_type, retry_after=retry_after
    )


def error(code: str) -> bytes:
    return orjson.dumps({"status": "error", "errors": [{"errorCode": code, "message": "no"}]})


def test_a_success_gives_its_data_and_its_paging_block() -> None:
    envelope = opened(200, body("search"))

    assert isinstance(envelope.data, list)
    assert envelope.metadata["page"] == {"page_number": 1, "total_pages": 1, "records": 2, "total_records": 2}


@pytest.mark.parametrize("name", ["metadata", "meta_data", "metaData"])
def test_every_spelling_of_the_paging_block_is_found(name: str) -> None:
    assert opened(200, orjson.dumps({"status": "success", "data": [], name: {"page": 1}})).metadata == {"page": 1}


def test_a_partial_success_is_a_success() -> None:
    assert opened(207, b'{"status":"partial_success","data":[1],"errors":[]}').data == [1]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "UDAPI100060", RouteMissing),
        (400, "UDAPI10000", RouteMissing),
        (405, "", RouteMissing),
        (410, "", RouteMissing),
        (404, "UDAPI100010", RequestRefused),
        (401, "UDAPI100050", TokenRejected),
        (401, "", TokenRejected),
        (401, "UDAPI100069", RequestRefused),
        (401, "UDAPI100067", AccessDenied),
        (403, "UDAPI1154", AccessDenied),
        (400, "UDAPI1154", AccessDenied),
        (429, "UDAPI10005", RateLimited),
        (429, "", RateLimited),
        (423, "", ServiceClosed),
        (400, "UDAPI100072", ServiceClosed),
        (400, "UDAPI1087", BadInstrumentKey),
        (400, "UDAPI100011", BadInstrumentKey),
        (400, "UDAPI1148", RequestRefused),
        (422, "", RequestRefused),
        (500, "", BrokerFault),
        (503, "UDAPI100500", BrokerFault),
        (400, "UDAPI100500", BrokerFault),
        (418, "UDAPI_OF_TOMORROW", RequestRefused),
    ],
)
def test_status_and_code_decide_the_class(status: int, code: str, kind: type[BrokerError]) -> None:
    with pytest.raises(BrokerError) as caught:
        opened(status, error(code))

    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (status, code, "req-1")


def test_everything_the_broker_said_is_kept() -> None:
    with pytest.raises(BadInstrumentKey) as caught:
        opened(400, body("error_key"))

    assert caught.value.plain == "One of either symbol or instrument_key is invalid"
    assert caught.value.property_path == "instrument_key"
    assert caught.value.invalid_value == "NSE_EQ|NOPE"
    assert caught.value.endpoint == "GET /x"


def test_the_camel_case_spelling_alone_is_enough() -> None:
    with pytest.raises(RequestRefused) as caught:
        opened(400, body("error_camel_only"))

    assert (caught.value.code, caught.value.property_path) == ("UDAPI1148", "from_date")


def test_an_error_inside_a_200_is_an_error() -> None:
    with pytest.raises(RateLimited):
        opened(200, body("error_429"))


def test_the_brokers_own_pause_is_kept() -> None:
    with pytest.raises(RateLimited) as caught:
        opened(429, body("error_429"), retry_after=7.0)

    assert caught.value.retry_after == 7.0


def test_an_html_403_is_a_clean_refusal() -> None:
    with pytest.raises(AccessDenied) as caught:
        opened(403, body("blocked.html"), content_type="text/html; charset=UTF-8")

    said = str(caught.value)
    assert "Access denied" in said
    assert "Error 1010" in said
    assert "<" not in said
    assert "color:red" not in said
    assert "eyJ" not in said
    assert "access_token" not in said
    assert len(said) < TEXT_LIMIT + 120


def test_an_html_page_with_status_200_is_a_malformed_payload() -> None:
    with pytest.raises(MalformedPayload, match="a web page") as caught:
        opened(200, body("blocked.html"), content_type="text/html")

    assert caught.value.field == "body"


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b"", "body"),
        (b"   ", "body"),
        (b"gar\xff\xfebage", "body"),
        (b"[1,2]", "body"),
        (b'{"status":"success","data":{"a"', "body"),
        (b'{"data":{}}', "status"),
        (b'{"status":7,"data":{}}', "status"),
        (b'{"status":"perhaps","data":{}}', "status"),
        (b'{"status":"success"}', "data"),
    ],
)
def test_a_200_that_is_no_envelope_is_malformed_and_says_where(raw: bytes, field: str) -> None:
    with pytest.raises(MalformedPayload) as caught:
        opened(200, raw)

    assert caught.value.field == field


@pytest.mark.parametrize(("status", "kind"), [(400, RequestRefused), (401, TokenRejected), (502, BrokerFault)])
def test_an_empty_error_goes_by_its_status(status: int, kind: type[BrokerError]) -> None:
    with pytest.raises(kind):
        opened(status, b"", content_type="")


def test_a_redirect_is_no_answer_of_this_api() -> None:
    with pytest.raises(MalformedPayload, match="redirect"):
        opened(302, b"")


@pytest.mark.parametrize("errors", [[], None, "no", [None], [[]], [{"message": 5}], [{"error_code": 12}]])
def test_odd_error_lists_still_give_an_error_by_status(errors: object) -> None:
    with pytest.raises(RequestRefused):
        opened(400, orjson.dumps({"status": "error", "errors": errors}))


def test_no_secret_of_the_brokers_text_gets_into_ours() -> None:
    raw = orjson.dumps(
        {
            "status": "error",
            "errors": [{"message": "bad client_secret=hunter22 here", "invalidValue": "Bearer abcdefgh"}],
        }
    )

    with pytest.raises(RequestRefused) as caught:
        opened(400, raw)

    assert "hunter22" not in str(caught.value)
    assert "abcdefgh" not in str(caught.value.invalid_value)


def test_the_token_calls_flat_answer_is_taken_as_it_is() -> None:
    answer = unwrap_flat(200, body("token"), endpoint="POST /t", request_id=None, content_type="application/json")

    assert answer["user_id"] == "4AB123"


def test_a_refused_code_is_not_a_dead_token() -> None:
    with pytest.raises(RequestRefused):
        unwrap_flat(401, error("UDAPI100057"), endpoint="POST /t", request_id=None, content_type="application/json")


def test_plain_text_survives_anything() -> None:
    assert plain_text(b"\xff\xfe\x00<b>hi</b>\x1b[31m &amp; <unclosed") == "�� hi [31m &"
    assert len(plain_text(b"a" * 100_000)) == TEXT_LIMIT


@pytest.mark.parametrize(
    ("body", "latency"),
    [
        (b'{"status":"success","data":{},"metadata":{"latency":31}}', 31.0),
        (b'{"status":"error","meta_data":{"latency":4.5}}', 4.5),
        (b'{"status":"success","data":{},"metadata":{"latency":"31"}}', None),
        (b'{"metadata":{"latency":-1}}', None),
        (b'{"metadata":{"latency":true}}', None),
        (b"<html>", None),
        (b"", None),
    ],
)
def test_the_broker_s_own_time_is_read_where_it_tells_it(body: bytes, latency: float | None) -> None:
    assert broker_latency(body) == latency

"""The broker's answers: success and error envelopes, request ids, compression, and the table of error codes.

Source: Upstox API documents up to September 2026. Errors carry both spellings of their members, as live answers do.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from uuid import uuid4

import orjson
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from services.domain.errors import BrokerError

GZIP_FROM_BYTES = 1024
MAX_BODY_BYTES = 1 << 20

ERRORS: dict[str, tuple[int, str]] = {
    "UDAPI10000": (400, "This request is not recognised by the API"),
    "UDAPI10005": (429, "Too Many Request Sent"),
    "UDAPI100011": (400, "Invalid Instrument key"),
    "UDAPI100036": (400, "Invalid Input"),
    "UDAPI100038": (400, "Invalid input passed to the API"),
    "UDAPI100042": (400, "Instrument key limit exceeded: at most 500 in one request"),
    "UDAPI100043": (400, "Instrument key limit exceeded: at most 500 in one request"),
    "UDAPI100050": (401, "Invalid token used to access API"),
    "UDAPI100057": (401, "Invalid Auth code"),
    "UDAPI100060": (404, "Resource not Found"),
    "UDAPI100068": (401, "Check your 'client_id' and 'redirect_uri'; one or both are incorrect"),
    "UDAPI100069": (401, "Check your 'client_id' and 'client_secret'; one or both are incorrect"),
    "UDAPI100070": (401, "The 'redirect_uri' is not the one of the login"),
    "UDAPI100072": (423, "The funds service is accessible from 5:30 AM to 12:00 AM IST daily"),
    "UDAPI100076": (400, "Instrument key limit exceeded: at most 50 in one request"),
    "UDAPI100500": (500, "Something went wrong... please contact us"),
    "UDAPI1009": (400, "instrument_key is required"),
    "UDAPI1011": (400, "instrument_key is of invalid format"),
    "UDAPI1015": (400, "to_date must not lie before from_date"),
    "UDAPI1020": (400, "Interval accepts one of (1minute,30minute,day,week,month)"),
    "UDAPI1021": (400, "Instrument key is of invalid format"),
    "UDAPI1022": (400, "to_date is required"),
    "UDAPI1026": (400, "Instrument key is required"),
    "UDAPI1027": (400, "interval is required"),
    "UDAPI1028": (400, "interval is invalid"),
    "UDAPI1087": (400, "One of either symbol or instrument_key is invalid"),
    "UDAPI1088": (400, "Invalid date: YYYY-MM-DD is expected"),
    "UDAPI1089": (400, "Invalid exchange"),
    "UDAPI1123": (400, "No notifier URL is configured for this app"),
    "UDAPI1146": (400, "Invalid unit"),
    "UDAPI1147": (400, "Invalid interval for the unit"),
    "UDAPI1148": (400, "Invalid date range"),
    "UDAPI1169": (400, "query is required, of at most 50 characters"),
    "UDAPI1170": (400, "Invalid exchanges"),
    "UDAPI1171": (400, "Invalid segments"),
    "UDAPI1172": (400, "Invalid instrument_types"),
    "UDAPI1173": (400, "Invalid expiry"),
    "UDAPI1174": (400, "Invalid page_number"),
    "UDAPI1175": (400, "Invalid records: between 1 and 30"),
}
"""Code -> usual HTTP status and text. Which of 1169-1175 means which search parameter is not documented."""


def refusal(
    code: str,
    *,
    property_path: str | None = None,
    invalid_value: str | None = None,
    status: int | None = None,
    message: str | None = None,
) -> BrokerError:
    """The error that answers a request with `code`; its usual status and text unless given."""
    usual_status, usual_message = ERRORS[code]
    return BrokerError(
        message or usual_message,
        status=status or usual_status,
        code=code,
        property_path=property_path,
        invalid_value=invalid_value,
    )


def send_bytes(
    request: HTTPConnection, body: bytes, *, status: int = 200, media: str, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer with its request id, compressed when it is worth it and the client takes it."""
    sent = {"requestId": str(uuid4()), "X-Content-Type-Options": "nosniff", **(headers or {})}
    if len(body) >= GZIP_FROM_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
        # Level 1: on loopback the time to pack counts more than the bytes saved.
        packer = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        body = packer.compress(body) + packer.flush()
        sent |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(body, status, sent, media)


def send_json(request: HTTPConnection, payload: object, *, status: int = 200) -> Response:
    """`payload` as it stands, without envelope."""
    return send_bytes(
        request,
        orjson.dumps(payload),
        status=status,
        media="application/json",
        headers={"Cache-Control": "no-store"},
    )


def success(request: Request, data: object, **beside: object) -> Response:
    """`{"status": "success", "data": …}` with further members beside `data`."""
    return send_json(request, {"status": "success", "data": data, **beside})


def failure(request: HTTPConnection, error: BrokerError) -> Response:
    """The error envelope: no `data`, every member in both spellings."""
    entry = {
        "errorCode": error.code,
        "message": error.plain,
        "propertyPath": error.property_path,
        "invalidValue": error.invalid_value,
        "error_code": error.code,
        "property_path": error.property_path,
        "invalid_value": error.invalid_value,
    }
    return send_json(request, {"status": "error", "errors": [entry]}, status=error.status)


async def read_body(request: Request) -> bytes:
    """The request's body, bounded."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise refusal("UDAPI10000", message="The request body is too large")
    return bytes(body)


async def read_object(request: Request) -> dict[str, object]:
    """The JSON object in the request's body."""
    try:
        payload = orjson.loads(await read_body(request))
    except orjson.JSONDecodeError:
        raise refusal("UDAPI100038", message="The request body is not JSON") from None
    if not isinstance(payload, dict):
        raise refusal("UDAPI100038", message="The request body is not a JSON object")
    return payload

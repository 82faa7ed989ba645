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
    "UDAPI100010": (400, "Order not found"),
    "UDAPI100011": (400, "Invalid Instrument key"),
    "UDAPI100036": (400, "Invalid Input"),
    "UDAPI100038": (400, "Invalid input passed to the API"),
    "UDAPI100040": (400, "Order cannot be cancelled as it is already completed, rejected or cancelled"),
    "UDAPI100041": (400, "Order cannot be modified as it is already completed, rejected or cancelled"),
    "UDAPI100042": (400, "Instrument key limit exceeded: at most 500 in one request"),
    "UDAPI100043": (400, "Instrument key limit exceeded: at most 500 in one request"),
    "UDAPI10005": (429, "Too Many Request Sent"),
    "UDAPI100050": (401, "Invalid token used to access API"),
    "UDAPI100051": (400, "There is no such financial year"),
    "UDAPI100057": (401, "Invalid Auth code"),
    "UDAPI100058": (400, "No segment is active for this user"),
    "UDAPI100059": (400, "Either order_id or tag is required"),
    "UDAPI100060": (404, "Resource not Found"),
    "UDAPI100067": (403, "This request is not permitted with a read-only token"),
    "UDAPI100068": (401, "Check your 'client_id' and 'redirect_uri'; one or both are incorrect"),
    "UDAPI100069": (401, "Check your 'client_id' and 'client_secret'; one or both are incorrect"),
    "UDAPI100070": (401, "The 'redirect_uri' is not the one of the login"),
    "UDAPI100072": (423, "The funds service is accessible from 5:30 AM to 12:00 AM IST daily"),
    "UDAPI100074": (423, "The order service is accessible from 5:30 AM to 12:00 AM IST daily"),
    "UDAPI100076": (400, "Instrument key limit exceeded: at most 50 in one request"),
    "UDAPI1003": (400, "order_id is required"),
    "UDAPI1004": (400, "order_type is required"),
    "UDAPI100500": (500, "Something went wrong... please contact us"),
    "UDAPI1007": (400, "validity is required"),
    "UDAPI1009": (400, "instrument_key is required"),
    "UDAPI1010": (400, "order_id accepts letters, digits and - only"),
    "UDAPI1011": (400, "instrument_key is of invalid format"),
    "UDAPI1015": (400, "to_date must not lie before from_date"),
    "UDAPI1020": (400, "Interval accepts one of (1minute,30minute,day,week,month)"),
    "UDAPI1021": (400, "Instrument key is of invalid format"),
    "UDAPI1022": (400, "to_date is required"),
    "UDAPI1023": (400, "order_id is required"),
    "UDAPI1026": (400, "Instrument key is required"),
    "UDAPI1027": (400, "interval is required"),
    "UDAPI1028": (400, "interval is invalid"),
    "UDAPI1033": (400, "Position data is not available"),
    "UDAPI1034": (400, "There are no positions to convert"),
    "UDAPI1035": (400, "No position matches the request"),
    "UDAPI1040": (400, "Price is not required for this order type"),
    "UDAPI1052": (400, "The order quantity cannot be zero"),
    "UDAPI1053": (400, "The order quantity is not acceptable"),
    "UDAPI1054": (400, "Invalid product"),
    "UDAPI1055": (400, "Invalid validity"),
    "UDAPI1056": (400, "Invalid order_type"),
    "UDAPI1057": (400, "Invalid transaction_type"),
    "UDAPI1059": (400, "instrument_token is required"),
    "UDAPI1060": (400, "quantity is required"),
    "UDAPI1061": (400, "price is required"),
    "UDAPI1062": (400, "transaction_type accepts one of (BUY,SELL)"),
    "UDAPI1063": (400, "product accepts one of (I,D,CO,MTF)"),
    "UDAPI1064": (400, "The quantity cannot be zero"),
    "UDAPI1065": (400, "The price cannot be zero"),
    "UDAPI1066": (400, "The 'segment' is invalid"),
    "UDAPI1067": (400, "The 'segment' is required"),
    "UDAPI1068": (400, "The start_date is required"),
    "UDAPI1069": (400, "The end_date is required"),
    "UDAPI1070": (400, "The financial_year is required"),
    "UDAPI1071": (400, "The page_number is required"),
    "UDAPI1072": (400, "The page_size is required"),
    "UDAPI1073": (400, "The financial_year has at most 4 characters"),
    "UDAPI1074": (400, "The financial_year is invalid: the last two digits of both its years are expected"),
    "UDAPI1075": (400, "from_date and to_date are written dd-mm-yyyy, and to_date must not lie before from_date"),
    "UDAPI1087": (400, "One of either symbol or instrument_key is invalid"),
    "UDAPI1088": (400, "Invalid date: YYYY-MM-DD is expected"),
    "UDAPI1089": (400, "Invalid exchange"),
    "UDAPI1096": (400, "The quantity must be above zero"),
    "UDAPI1097": (400, "The quantity must be a multiple of the lot size"),
    "UDAPI1098": (400, "Instrument key is of invalid format"),
    "UDAPI1099": (400, "Invalid instrument key"),
    "UDAPI1102": (400, "At most 20 instruments are allowed in one request"),
    "UDAPI1103": (400, "The same instrument stands twice in the request"),
    "UDAPI1105": (400, "The dates do not lie within the financial year"),
    "UDAPI1106": (400, "The page_size must be 1 or more"),
    "UDAPI1107": (400, "The page_size must not be above 5000"),
    "UDAPI1108": (400, "Invalid segment"),
    "UDAPI1109": (400, "There are no open orders to cancel"),
    "UDAPI1110": (400, "There are too many open orders to cancel in one request"),
    "UDAPI1111": (400, "There are no open positions to exit"),
    "UDAPI1112": (400, "There are too many open positions to exit in one request"),
    "UDAPI1113": (400, "Positions cannot be exited outside market hours"),
    "UDAPI1114": (400, "The request holds no order"),
    "UDAPI1115": (400, "correlation_id is required, of at most 20 characters"),
    "UDAPI1117": (400, "correlation_id must not be repeated in a request"),
    "UDAPI1118": (400, "At most 10 orders are allowed in one request"),
    "UDAPI1119": (400, "The tag must not be longer than 40 characters"),
    "UDAPI1123": (400, "No notifier URL is configured for this app"),
    "UDAPI1126": (400, "Invalid type: SINGLE or MULTIPLE"),
    "UDAPI1127": (400, "The quantity of a GTT order must be above zero"),
    "UDAPI1128": (400, "Invalid product for a GTT order"),
    "UDAPI1129": (400, "Invalid instrument for a GTT order"),
    "UDAPI1130": (400, "Invalid transaction_type for a GTT order"),
    "UDAPI1131": (400, "rules are required"),
    "UDAPI1132": (400, "Invalid strategy: ENTRY, TARGET or STOPLOSS"),
    "UDAPI1133": (400, "Invalid trigger_type: ABOVE, BELOW or IMMEDIATE"),
    "UDAPI1134": (400, "gtt_order_id is required"),
    "UDAPI1135": (400, "gtt_order_id must start with GTT-"),
    "UDAPI1136": (400, "A SINGLE order has exactly one rule"),
    "UDAPI1137": (400, "A MULTIPLE order has two or three rules"),
    "UDAPI1138": (400, "The trigger_price must be above zero"),
    "UDAPI1139": (400, "Each strategy is allowed once"),
    "UDAPI1140": (400, "The GTT order cannot be changed any more"),
    "UDAPI1141": (400, "The ENTRY strategy is mandatory"),
    "UDAPI1142": (400, "The GTT order was not found"),
    "UDAPI1143": (400, "The trigger_type of TARGET and STOPLOSS must be IMMEDIATE"),
    "UDAPI1144": (400, "The trigger_price does not fit the other rules"),
    "UDAPI1145": (400, "The type and the quantity of an open GTT order cannot be changed"),
    "UDAPI1146": (400, "Invalid unit"),
    "UDAPI1147": (400, "Invalid interval for the unit"),
    "UDAPI1148": (400, "Invalid date range"),
    "UDAPI1150": (400, "Only IMMEDIATE is allowed once the GTT order is open"),
    "UDAPI1151": (400, "The trailing_gap is too small"),
    "UDAPI1154": (403, "Access to this API is blocked due to static IP restrictions."),
    "UDAPI1156": (400, "The algo name is not valid"),
    "UDAPI1158": (400, "Market orders are not allowed. Try placing an order with market protection."),
    "UDAPI1159": (400, "market_protection must not be above 25"),
    "UDAPI1161": (400, "MCX orders through the API are temporarily disabled"),
    "UDAPI1169": (400, "query is required, of at most 50 characters"),
    "UDAPI1170": (400, "Invalid exchanges"),
    "UDAPI1171": (400, "Invalid segments"),
    "UDAPI1172": (400, "Invalid instrument_types"),
    "UDAPI1173": (400, "Invalid expiry"),
    "UDAPI1174": (400, "Invalid page_number"),
    "UDAPI1175": (400, "Invalid records: between 1 and 30"),
    "UDAPI1176": (400, "Invalid market_protection: -1, or between 1 and 25"),
    "UDAPI1177": (400, "market_protection is allowed for MARKET and SL-M orders only"),
}
"""Code -> usual HTTP status and text. Which of 1169-1175 means which search parameter is not documented, nor which of
1126-1145 means which fault of a GTT order (but for 1134-1137, 1141, 1143), nor the status of 100067 and 100074."""


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


def entry(error: BrokerError) -> dict[str, object]:
    """One error of an envelope, every member in both spellings."""
    return {
        "errorCode": error.code,
        "message": error.plain,
        "propertyPath": error.property_path,
        "invalidValue": error.invalid_value,
        "error_code": error.code,
        "property_path": error.property_path,
        "invalid_value": error.invalid_value,
    }


def failure(request: HTTPConnection, error: BrokerError) -> Response:
    """The error envelope: no `data`."""
    return send_json(request, {"status": "error", "errors": [entry(error)]}, status=error.status)


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

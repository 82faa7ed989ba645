"""What the broker wraps around every answer: success, error, or something that is neither (an HTML page, nothing)."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

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
from services.wire.redaction import remove_secrets

TEXT_LIMIT = 200
"""No more characters than these of a foreign text ever stand in a message of ours."""

_BY_CODE: dict[str, type[BrokerError]] = {
    "UDAPI100060": RouteMissing,
    "UDAPI10000": RouteMissing,
    "UDAPI10005": RateLimited,
    "UDAPI100050": TokenRejected,
    "UDAPI100067": AccessDenied,
    "UDAPI100049": AccessDenied,
    "UDAPI1149": AccessDenied,
    "UDAPI1154": AccessDenied,
    "UDAPI1179": AccessDenied,
    "UDAPI100072": ServiceClosed,
    "UDAPI100074": ServiceClosed,
    "UDAPI100500": BrokerFault,
    # Login: bad client, secret, redirect address or code. Not a dead token, whatever the status.
    "UDAPI100016": RequestRefused,
    "UDAPI100057": RequestRefused,
    "UDAPI100068": RequestRefused,
    "UDAPI100069": RequestRefused,
    "UDAPI100070": RequestRefused,
    "UDAPI100073": RequestRefused,
    # One key of the request: unknown, in a bad form, or not listed any more.
    "UDAPI1087": BadInstrumentKey,
    "UDAPI1011": BadInstrumentKey,
    "UDAPI1021": BadInstrumentKey,
    "UDAPI100011": BadInstrumentKey,
}
_BY_STATUS: dict[int, type[BrokerError]] = {
    401: TokenRejected,
    403: AccessDenied,
    404: RouteMissing,
    405: RouteMissing,
    410: RouteMissing,
    423: ServiceClosed,
    429: RateLimited,
}
_IN_WORDS: dict[type[BrokerError], str] = {
    RouteMissing: "the broker does not know this path",
    TokenRejected: "the broker refuses the token",
    AccessDenied: "the broker denies access",
    RateLimited: "too many requests",
    ServiceClosed: "the broker does not serve this call at this hour",
    RequestRefused: "the broker refuses the request",
    BadInstrumentKey: "the broker does not know an instrument key of the request",
    BrokerFault: "the broker has trouble of its own",
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """A successful answer: its `data`, and whatever paging block came with it (three spellings exist)."""

    data: object
    metadata: Mapping[str, object] = field(default_factory=dict)


def unwrap(
    status: int,
    body: bytes,
    *,
    endpoint: str,
    request_id: str | None,
    content_type: str,
    retry_after: float | None = None,
) -> Envelope:
    """The envelope's content. Raises the `BrokerError` that fits status and code, or `MalformedPayload`."""
    answer = _object_in(body)
    if not 200 <= status < 300:
        raise _refusal(status, answer, body, endpoint, request_id, content_type, retry_after)
    if answer is None:
        raise MalformedPayload(_not_json(status, body, content_type), field="body")
    outcome = answer.get("status")
    if outcome == "error":
        raise _refusal(status, answer, body, endpoint, request_id, content_type, retry_after)
    if not isinstance(outcome, str):
        raise MalformedPayload("the broker's answer does not say whether it is a success", field="status")
    if outcome not in {"success", "partial_success"}:
        raise MalformedPayload(f"the broker's answer has the unknown status {outcome[:20]!r}", field="status")
    if "data" not in answer:
        raise MalformedPayload("the broker's answer holds no data", field="data")
    return Envelope(answer["data"], _metadata(answer))


def unwrap_flat(
    status: int, body: bytes, *, endpoint: str, request_id: str | None, content_type: str
) -> dict[str, object]:
    """The token call's answer, which comes without an envelope when it succeeds and with one when it does not."""
    answer = _object_in(body)
    if not 200 <= status < 300 or (answer is not None and answer.get("status") == "error"):
        raise _refusal(status, answer, body, endpoint, request_id, content_type, None)
    if answer is None:
        raise MalformedPayload(_not_json(status, body, content_type), field="body")
    inner = answer.get("data")
    if "access_token" not in answer and isinstance(inner, dict):
        return inner
    return answer


def broker_latency(body: bytes) -> float | None:
    """The broker's own time for an order, in milliseconds, where it tells that (`metadata.latency`)."""
    told = _metadata(_object_in(body) or {}).get("latency")
    return float(told) if isinstance(told, int | float) and not isinstance(told, bool) and told >= 0 else None


def plain_text(body: bytes) -> str:
    """At most 200 characters of a body that should have been JSON: no tags, no scripts, no secrets."""
    raw = body[:20_000].decode("utf-8", errors="replace")
    raw = re.sub(r"(?is)<(script|style|head)\b.*?(?:</\1\s*>|\Z)", _title_of, raw)
    raw = html.unescape(re.sub(r"(?s)<[^>]*(?:>|\Z)", " ", raw))
    raw = "".join(char if char.isprintable() else " " for char in raw)
    return remove_secrets(" ".join(raw.split()))[:TEXT_LIMIT].rstrip()


def _title_of(block: re.Match[str]) -> str:
    """Of a page's head only the title is worth telling."""
    title = re.search(r"(?is)<title[^>]*>(.*?)</title", block.group(0))
    return f" {title.group(1)}. " if title else " "


def _object_in(body: bytes) -> dict[str, object] | None:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None


def _metadata(answer: dict[str, object]) -> Mapping[str, object]:
    for name in ("metadata", "meta_data", "metaData"):
        block = answer.get(name)
        if isinstance(block, dict):
            return block
    return {}


def _not_json(status: int, body: bytes, content_type: str) -> str:
    if not body.strip():
        return f"the broker answered HTTP {status} with nothing in it"
    what = "a web page" if _is_html(body, content_type) else "something that is not a JSON object"
    return f"the broker answered HTTP {status} with {what}: {plain_text(body)}"


def _is_html(body: bytes, content_type: str) -> bool:
    return "html" in content_type.lower() or body.lstrip()[:1] == b"<"


def _refusal(
    status: int,
    answer: dict[str, object] | None,
    body: bytes,
    endpoint: str,
    request_id: str | None,
    content_type: str,
    retry_after: float | None,
) -> BrokerError | MalformedPayload:
    entry = _first_error(answer)
    code = _spelled(entry, "error_code", "errorCode") or ""
    kind = _BY_CODE.get(code) or _kind_of(status)
    if kind is RouteMissing and status == 404 and code and code not in _BY_CODE:
        kind = RequestRefused  # the route exists; what it was asked for does not
    if 300 <= status < 400:
        return MalformedPayload(f"the broker answered HTTP {status}, a redirect, which no call expects", field="status")
    message = entry.get("message")
    if isinstance(message, str) and message.strip():
        told = remove_secrets(" ".join(message.split()))[:TEXT_LIMIT]
    elif answer is None and body.strip():
        what = "a web page" if _is_html(body, content_type) else "text"
        told = f"{_IN_WORDS[kind]}; it answered with {what}: {plain_text(body)}"
    else:
        told = _IN_WORDS[kind]
    invalid = _spelled(entry, "invalid_value", "invalidValue")
    error = kind(
        told,
        status=status,
        code=code,
        endpoint=endpoint,
        property_path=_spelled(entry, "property_path", "propertyPath"),
        invalid_value=None if invalid is None else remove_secrets(invalid)[:TEXT_LIMIT],
        request_id=request_id,
    )
    if isinstance(error, RateLimited):
        error.retry_after = retry_after
    return error


def _kind_of(status: int) -> type[BrokerError]:
    return _BY_STATUS.get(status) or (BrokerFault if status >= 500 else RequestRefused)


def _first_error(answer: dict[str, object] | None) -> dict[str, object]:
    errors = answer.get("errors") if answer else None
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return errors[0]
    return {}


def _spelled(entry: dict[str, object], *names: str) -> str | None:
    """The first member that is there under any of its spellings, as text."""
    for name in names:
        value = entry.get(name)
        if value is not None:
            return str(value)
    return None

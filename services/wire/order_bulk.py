"""Answers of calls about many orders. They say line by line what became of each; the status alone misleads.

An answer that names lines, or counts them, is a result, even if every line was refused and whatever the status says.
An error that speaks of the call as a whole is raised as everywhere else. A 5xx is always raised: what it says of the
lines is not believed, and the books must tell.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from services.domain.errors import MalformedPayload
from services.domain.orders import BulkResult, LineError
from services.wire.envelope import TEXT_LIMIT, unwrap
from services.wire.fields import Row, as_list, as_map, id_or_none, id_text, text_or_none, whole_or_none
from services.wire.redaction import remove_secrets


def read_bulk(
    status: int,
    body: bytes,
    *,
    correlation_ids: Iterable[str] = (),
    endpoint: str,
    request_id: str | None,
    content_type: str,
    retry_after: float | None = None,
) -> BulkResult:
    """What became of each line. `correlation_ids` are those that were sent, for a call that places. Raises what
    `unwrap` raises."""
    answer = _lines_in(status, body)
    if answer is None:
        unwrap(
            status,
            body,
            endpoint=endpoint,
            request_id=request_id,
            content_type=content_type,
            retry_after=retry_after,
        )
        raise MalformedPayload("the broker's answer does not say what became of the lines", field="summary")
    sent = tuple(correlation_ids)
    errors = tuple(_error(row, sent) for row in _list(answer, "errors"))
    placed = _placed(answer, sent)
    ids = _ids(answer, placed)
    summary = answer.get("summary")
    counted = as_map(summary, "summary") if summary is not None else {}
    succeeded = _count(counted, "success", len(placed) or len(ids))
    failed = _count(counted, "error", len(errors))
    return BulkResult(
        order_ids=ids,
        errors=errors,
        total=_count(counted, "total", succeeded + failed),
        succeeded=succeeded,
        failed=failed,
        payload_errors=_count(counted, "payload_error", 0),
        placed=placed,
    )


def _lines_in(status: int, body: bytes) -> Row | None:
    """The answer, if it speaks of lines."""
    if status >= 500 or 300 <= status < 400 or status in {401, 403, 404, 405, 410, 429}:
        return None
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(answer, dict) or answer.get("status") not in {"success", "partial_success", "error"}:
        return None
    errors = answer.get("errors")
    named = isinstance(errors, list) and any(isinstance(row, dict) and _names_a_line(row) for row in errors)
    if answer["status"] == "error" or status >= 400:
        return answer if isinstance(answer.get("summary"), dict) or named else None
    data = answer.get("data")
    return answer if isinstance(data, list) or (isinstance(data, dict) and "order_ids" in data) or named else None


def _names_a_line(row: Row) -> bool:
    return any(row.get(name) for name in ("correlation_id", "order_id", "instrument_key"))


def _list(answer: Row, name: str) -> list[object]:
    value = answer.get(name)
    return [] if value is None else as_list(value, name)


def _placed(answer: Row, sent: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Order ids by correlation id; of a call that cancels, nothing."""
    data = answer.get("data")
    if not isinstance(data, list):
        return {}
    placed: dict[str, tuple[str, ...]] = {}
    for place, row in enumerate(data):
        where = f"data[{place}]"
        item = as_map(row, where)
        name = _line(id_text(item, "correlation_id", where), sent)
        placed[name] = (*placed.get(name, ()), id_text(item, "order_id", where))
    return placed


def _line(told: str, sent: tuple[str, ...]) -> str:
    """The line that a correlation id belongs to: the children of a sliced one come as `x_1`, `x_2`."""
    if told in sent:
        return told
    base, mark, number = told.rpartition("_")
    return base if mark and number.isdigit() and base in sent else told


def _ids(answer: Row, placed: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    if placed:
        return tuple(one for ids in placed.values() for one in ids)
    data = answer.get("data")
    if not isinstance(data, dict):
        return ()
    return tuple(id_text({"order_ids": one}, "order_ids", "data") for one in _list(data, "order_ids"))


def _error(value: object, sent: tuple[str, ...]) -> LineError:
    row = as_map(value, "errors[]")
    told = id_or_none(row, "correlation_id", "errors[]")
    return LineError(
        code=text_or_none(row, "error_code", "errors[]") or text_or_none(row, "errorCode", "errors[]") or "",
        message=remove_secrets(" ".join((text_or_none(row, "message", "errors[]") or "").split()))[:TEXT_LIMIT],
        order_id=id_or_none(row, "order_id", "errors[]"),
        correlation_id=None if told is None else _line(told, sent),
        key=text_or_none(row, "instrument_key", "errors[]"),
    )


def _count(summary: Row, name: str, otherwise: int) -> int:
    told = whole_or_none(summary, name, "summary")
    return otherwise if told is None else told

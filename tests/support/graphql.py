"""Questions to a desk's own application, as a program sends them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from tests.support.asgi import Answer
from tests.support.doors import ask

HEADERS = {"content-type": "application/json"}


def question(
    app: Any,
    query: str,
    variables: Mapping[str, Any] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    **given: Any,
) -> tuple[int, Any]:
    """Status and answer, read."""
    answer = send(app, {"query": query, "variables": variables}, headers=headers, **given)
    return answer.status, orjson.loads(answer.text)


def send(app: Any, body: object, *, headers: Mapping[str, str] | None = None, **given: Any) -> Answer:
    """The answer to a body: bytes as they are, everything else as JSON."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return ask(app, "/graphql", method="POST", body=raw, headers={**HEADERS, **(headers or {})}, **given)


def refusals(found: Any) -> list[tuple[str, list[Any]]]:
    """Code and path of each error in an answer."""
    return [(one["extensions"]["code"], one.get("path", [])) for one in found.get("errors", [])]

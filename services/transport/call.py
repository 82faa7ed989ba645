"""What one call of the broker asks for, and how it looks on each of its routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from string import Formatter
from urllib.parse import quote

from services.domain.errors import InvalidRequest
from services.wire.endpoints import Operation, Route

GUIDE = "guide"


@dataclass(frozen=True, slots=True)
class Call:
    """An operation with its arguments. `members` fill the braces of the path; on a route of the guide, whose paths have
    fewer, the others travel in the query. A published route takes those that it names. `body` is what travels as JSON:
    the versions of one operation may differ in it."""

    operation: Operation
    members: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] | None = None
    body: Callable[[Route], object] | None = None

    def __post_init__(self) -> None:
        if self.keys is None:
            return
        most = self.operation.max_keys
        if not self.keys:
            raise InvalidRequest(f"{self.operation.name}: no instrument keys were given")
        if most is not None and len(self.keys) > most:
            raise InvalidRequest(f"{self.operation.name}: {len(self.keys)} instrument keys, at most {most} in one call")
        for key in self.keys:
            if not isinstance(key, str) or not key.strip() or "," in key:
                raise InvalidRequest(f"{str(key)[:60]!r} is not an instrument key")

    def fits(self, route: Route) -> bool:
        """Can it go this way? A candle interval that v2 does not have brings no member for v2's path."""
        return _braces(route) <= self.members.keys()


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One request, ready but for host and token."""

    method: str
    path: str
    params: Mapping[str, str]
    json: object


def request_line(call: Call, route: Route) -> RequestLine:
    """`call` on `route`. Members of the path are percent-encoded here, once (`|` is `%7C`); the query is left to the
    HTTP library. Instrument keys travel in the query, or in a JSON body where the route wants that."""
    named = _braces(route)
    path = route.path.format(**{name: _encoded(call.members[name]) for name in named})
    params = {name: value for name, value in call.members.items() if name not in named and route.version == GUIDE}
    params.update({name: value for name, value in call.params.items() if name not in named})
    if call.keys is None:
        return RequestLine(route.method, path, params, None if call.body is None else call.body(route))
    if route.keys_in == "json":
        return RequestLine(route.method, path, {}, {"instrument_keys": list(call.keys), **params})
    params["instrument_key"] = ",".join(call.keys)
    return RequestLine(route.method, path, params, None)


def _braces(route: Route) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(route.path) if name}


def _encoded(member: str) -> str:
    encoded = quote(member, safe="")
    if encoded in {"", ".", ".."}:
        raise InvalidRequest(f"{member!r} cannot be part of a path")  # the HTTP library would fold it away
    return encoded

"""The kill switch: DISABLE stops trading in a segment, ENABLE lifts that. A list of changes is done whole or not."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from services.paper.broker import Broker, Handlers
from services.paper.envelope import refusal, success
from services.paper.members import INVALID, as_list, as_object, read_json, word
from services.paper.routes_bulk import SEGMENTS
from services.paper.trading.values import Switch


async def tell(broker: Broker, request: Request) -> Response:
    return success(request, _told(broker.desk.kill_switches()))


async def change(broker: Broker, request: Request) -> Response:
    changes: dict[str, bool] = {}
    for line in as_list(await read_json(request)):
        body = as_object(line)
        segment = word(body, "segment", SEGMENTS, missing="UDAPI1108")
        action = word(body, "action", ("ENABLE", "DISABLE"), missing=INVALID)
        if changes.setdefault(segment, action == "DISABLE") != (action == "DISABLE"):
            raise refusal(INVALID, property_path="segment", invalid_value=segment, message="Named twice")
    if not changes:
        raise refusal(INVALID, property_path="segment", message="The request names no segment")
    return success(request, _told(broker.desk.set_kill_switches(changes)))


HANDLERS: Handlers = {
    ("kill_switch", "v2"): tell,
    ("kill_switch_set", "v2"): change,
}


def _told(switches: Iterable[Switch]) -> list[dict[str, object]]:
    return [
        {
            "segment": switch.segment,
            "segment_status": "ACTIVE" if switch.active else "INACTIVE",
            "kill_switch_enabled": switch.killed,
        }
        for switch in switches
    ]

"""The broker's kill switch, segment by segment."""

from __future__ import annotations

from collections.abc import Mapping

from services.domain.errors import InvalidRequest
from services.domain.instruments import SEGMENTS
from services.domain.margins import SegmentSwitch
from services.wire.fields import flag_or_none, malformed, rows_of, text


def parse_kill_switch(data: object) -> list[SegmentSwitch]:
    """Every segment that the broker names. One without a clear word about its switch is no answer."""
    switches = []
    for row, where in rows_of(data):
        killed = flag_or_none(row, "kill_switch_enabled", where)
        if killed is None:
            malformed(f"{where}.kill_switch_enabled", "true or false", None)
        active = text(row, "segment_status", where).upper() == "ACTIVE"
        switches.append(SegmentSwitch(text(row, "segment", where), active, killed))
    return switches


def kill_switch_body(trading: Mapping[str, bool]) -> list[dict[str, str]]:
    """`True`: the segment may trade. The broker's words are about trading, not about the switch: DISABLE stops it."""
    if not trading:
        raise InvalidRequest("no segment was named")
    for segment in trading:
        if segment not in SEGMENTS or segment.endswith("_INDEX"):
            raise InvalidRequest(f"{str(segment)[:20]!r} is not a segment that trades")
    return [{"segment": name, "action": "ENABLE" if may else "DISABLE"} for name, may in trading.items()]

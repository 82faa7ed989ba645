"""The broker's kill switch: a segment in which the account does not trade until the switch is lifted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from services.domain.clock import epoch_ms
from services.paper.envelope import refusal
from services.paper.trading.placing import KILLED_FOR, Placing
from services.paper.trading.values import Switch
from services.paper.trading.work import Work

SEGMENTS = ("MCX_FO", "NCD_FO", "NSE_EQ", "BCD_FO", "BSE_FO", "NSE_FO", "BSE_EQ", "NSE_COM")
"""In the order of the documented answer."""
_KILLED_MS = KILLED_FOR.total_seconds() * 1000
_SWITCHED_OFF = "The kill switch of the segment was set"


def check_segment(segment: str) -> None:
    """Refuse what is no segment; nothing means all of them."""
    if segment and segment not in SEGMENTS:
        raise refusal("UDAPI1108", property_path="segment", invalid_value=segment)


def switches(work: Work, active: Callable[[str], bool]) -> list[Switch]:
    """All segments as they stand."""
    found = []
    for segment in SEGMENTS:
        since = work.killed.get(segment)
        until = None if since is None else since + int(_KILLED_MS)
        found.append(Switch(segment, active(segment), since is not None, until))
    return found


def throw(work: Work, placing: Placing, wanted: Mapping[str, bool], now: datetime) -> None:
    """Set (True) or lift (False) switches. All that is wrong with one of them refuses the whole."""
    for segment, kill in wanted.items():
        check_segment(segment or "none")
        since = work.killed.get(segment)
        if kill and any(one.quantity and one.segment == segment for _, one in work.positions.items()):
            raise refusal("UDAPI100036", message=f"There are open positions in {segment}: close them first")
        if not kill and since is not None and epoch_ms(now) - since < _KILLED_MS:
            raise refusal("UDAPI100036", message=f"The kill switch of {segment} cannot be lifted for 12 hours")
    for segment, kill in wanted.items():
        if not kill:
            work.killed.put(segment, None)
        elif work.killed.get(segment) is None:
            work.killed.put(segment, epoch_ms(now))
            for order in work.live():
                if order.segment == segment:
                    placing.cancel(work, order, now, _SWITCHED_OFF)

"""The market feed's first message: the status of every segment, as the broker's calendar calls tell it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Protocol

from services.domain.clock import from_epoch_ms, ist_date
from services.wire.feed import feed_v3_pb2 as pb

EXCHANGE_OF_SEGMENT = {
    "NSE_EQ": "NSE",
    "NSE_FO": "NFO",
    "NSE_INDEX": "NSE",
    "NSE_COM": "NSCOM",
    "NCD_FO": "CDS",
    "BSE_EQ": "BSE",
    "BSE_FO": "BFO",
    "BSE_INDEX": "BSE",
    "BCD_FO": "BCD",
    "MCX_FO": "MCX",
    "MCX_INDEX": "MCX",
}
"""Every segment of the feed, and the exchange whose status it has."""
_AUCTION_SEGMENT = "NSE_EQ"
_LOOK_BACK_DAYS = 10
_NUMBERS = {
    "PRE_OPEN_START": pb.PRE_OPEN_START,
    "PRE_OPEN_END": pb.PRE_OPEN_END,
    "NORMAL_OPEN": pb.NORMAL_OPEN,
    "NORMAL_CLOSE": pb.NORMAL_CLOSE,
    "CLOSING_START": pb.CLOSING_START,
    "CLOSING_END": pb.CLOSING_END,
}


class Statuses(Protocol):
    """The answers of the calendar calls; `services.paper.sessions` has them."""

    def status(self, exchange: str, now: datetime) -> Mapping[str, object]:
        """`status`, `last_updated` (epoch ms) and, where there is one, `cas_eligible_status` with the same members."""

    def timings(self, day: date) -> list[dict[str, object]]:
        """`exchange`, `start_time`, `end_time` (epoch ms) of all that trade on `day`."""


def market_info(statuses: Statuses, now: datetime) -> pb.MarketInfo:
    """What is open at `now`."""
    told = {exchange: statuses.status(exchange, now) for exchange in sorted(set(EXCHANGE_OF_SEGMENT.values()))}
    info = pb.MarketInfo()
    for segment, exchange in EXCHANGE_OF_SEGMENT.items():
        info.segmentStatus[segment] = _number(str(told[exchange]["status"]))
    auction = told[EXCHANGE_OF_SEGMENT[_AUCTION_SEGMENT]].get("cas_eligible_status")
    if isinstance(auction, Mapping):
        _set(info.casMarketStatus[_AUCTION_SEGMENT], auction)
    before = _pre_open(statuses, now)
    if before is not None:
        _set(info.preOpenSessionStatus[_AUCTION_SEGMENT], before)
    return info


def _number(word: str) -> pb.MarketStatus:
    """The enum's member; a word that it lacks is no open market."""
    return _NUMBERS.get(word, pb.NORMAL_CLOSE)


def _set(held: pb.StatusInfo, told: Mapping[str, object]) -> None:
    held.status = str(told["status"])
    held.updatedTime = int(str(told["last_updated"]))


def _pre_open(statuses: Statuses, now: datetime) -> Mapping[str, object] | None:
    """The last change inside a pre-open session at or before `now`; `None` where there is no such session."""
    exchange = EXCHANGE_OF_SEGMENT[_AUCTION_SEGMENT]
    current = statuses.status(exchange, now)
    if str(current["status"]).startswith("PRE_OPEN"):
        return current
    today = ist_date(now)
    for back in range(_LOOK_BACK_DAYS):
        for row in statuses.timings(today - timedelta(days=back)):
            opened = int(str(row["start_time"]))
            if row["exchange"] == exchange and from_epoch_ms(opened) <= now:
                last = statuses.status(exchange, from_epoch_ms(opened - 1))
                return last if str(last["status"]).startswith("PRE_OPEN") else None
    return None

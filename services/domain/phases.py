"""The words for what can be done in a market at an instant: markets, phases, stages, and one session's windows.

Pure values. Which of them holds when is told by `services.domain.calendar`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Market(StrEnum):
    """An exchange segment with hours of its own, in the words of the broker's calendar calls."""

    NSE = "NSE"
    BSE = "BSE"
    NFO = "NFO"
    BFO = "BFO"
    CDS = "CDS"
    BCD = "BCD"
    MCX = "MCX"
    NSCOM = "NSCOM"


class Listing(StrEnum):
    """Instruments of one market whose hours differ from the market's ordinary ones."""

    ORDINARY = "ordinary"
    AUCTION = "closing auction"
    """A share with derivatives (`cas_eligible` in the instrument master): its close is found in the closing auction."""
    NEAR_FUTURE = "near future"
    """A future that takes part in the pre-open of the derivatives."""
    EXPIRING_INDEX = "expiring index contract"
    """An index future or option on its last day."""
    EXPIRING_CURRENCY = "expiring currency contract"
    AGRICULTURAL = "agricultural"
    """A commodity that trades in the morning session only."""


class Phase(StrEnum):
    """What can be done now in a segment."""

    PRE_OPEN = "pre-open"
    OPEN = "open"
    CLOSING_AUCTION = "closing auction"
    POST_CLOSE = "post-close"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """The step within a phase."""

    ORDERS = "orders"
    LIMIT_ONLY = "limit orders only"
    MATCHING = "matching"
    CANCELLATIONS = "cancellations only"
    BUFFER = "buffer"
    REFERENCE = "reference price"
    CONTINUOUS = "continuous"
    CLOSING_PRICE = "at the closing price"
    NONE = ""


class Accepts(StrEnum):
    """Which new orders the exchange takes."""

    ALL = "all orders"
    LIMIT_AND_MARKET = "limit and market orders"
    LIMIT = "limit orders"
    CLOSING_PRICE = "orders at the closing price"
    NOTHING = "no orders"


TRADING = frozenset({Phase.PRE_OPEN, Phase.OPEN, Phase.CLOSING_AUCTION})
"""Phases in which prices may move."""


@dataclass(frozen=True, slots=True)
class SessionWindow:
    """A stretch of a trading day, `start <= instant < end` (aware, UTC)."""

    start: datetime
    end: datetime
    phase: Phase
    stage: Stage
    accepts: Accepts


@dataclass(frozen=True, slots=True)
class PhaseNow:
    """The phase at an instant, why, and when it ends (aware, UTC; `until=None`: not known)."""

    phase: Phase
    reason: str
    until: datetime | None
    stage: Stage = Stage.NONE
    accepts: Accepts = Accepts.NOTHING
    then: Phase | None = None
    """What follows at `until`, `None` = not known."""
    source: str = ""
    """Who says so: a circular, or the broker."""
    confirmed: bool = True
    """False: the source itself is doubtful, and screens say so."""

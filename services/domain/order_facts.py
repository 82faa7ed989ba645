"""What the checks before an order look at: the desk's limits, the facts of the moment, and what they find."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from enum import StrEnum

from services.domain.accounts import TokenKind
from services.domain.errors import InvalidRequest
from services.domain.instruments import Instrument
from services.domain.margins import SegmentSwitch
from services.domain.phases import PhaseNow

REGISTERED_FROM = 10
"""Above so many orders a second an algorithm must be registered with the exchange."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLimits:
    """What one order, and all of them together, may not exceed. Money in rupees, quantities as the order's."""

    max_value: Decimal = Decimal(2_500_000)
    """Quantity times the worst price, for derivatives the value of the contract."""
    max_quantity: int = 50_000
    max_orders_per_second: int = 8
    max_orders_per_day: int = 500
    price_distance_percent: Decimal = Decimal(5)
    """How much worse than the last price a limit may be: the guard against a slip of the finger."""
    option_distance_percent: Decimal = Decimal(40)
    """The same for options, whose prices move in other steps."""
    max_quote_age_seconds: float = 15.0

    def __post_init__(self) -> None:
        for name in ("max_value", "price_distance_percent", "option_distance_percent"):
            value = Decimal(getattr(self, name))
            if not value.is_finite() or value <= 0:
                raise InvalidRequest(f"the limit {name} is a number above 0")
        for name in ("max_quantity", "max_orders_per_second", "max_orders_per_day"):
            count = getattr(self, name)
            if not isinstance(count, int) or isinstance(count, bool) or count < 1:
                raise InvalidRequest(f"the limit {name} is a whole number of at least 1")
        if self.max_orders_per_second > REGISTERED_FROM:
            raise InvalidRequest(f"above {REGISTERED_FROM} orders a second an algorithm must be registered")
        if not 0 < self.max_quote_age_seconds <= 3600:
            raise InvalidRequest("the oldest quote to trade on is between a moment and an hour old")


class StaticIp(StrEnum):
    """Does the broker take orders from this machine's address?"""

    NOT_NEEDED = "not needed"
    """Paper."""
    ACCEPTED = "accepted"
    """The last order call was not refused for its address."""
    UNTRIED = "untried"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """Everything that is known at the moment of the check; `None` = not known, which blocks where a check needs it."""

    mode: str | None = None
    """`paper`, `live` or `rehearsal`."""
    now: datetime | None = None
    """Aware."""
    practice: bool = False
    """The paper broker takes every order at every hour."""
    instrument: Instrument | None = None
    phase: PhaseNow | None = None
    """Of this instrument's listing."""
    ltp: Decimal | None = None
    quote_age_seconds: float | None = None
    """Since the price was received, not since it was traded."""
    lower_band: Decimal | None = None
    upper_band: Decimal | None = None
    """Today's circuit limits."""
    own_kill_switch: bool | None = None
    broker_switch: SegmentSwitch | None = None
    """Of the instrument's segment."""
    token: TokenKind | None = None
    static_ip: StaticIp | None = None
    mcx_orders: bool = False
    """Does this broker take MCX orders through its API?"""
    orders_last_second: int | None = None
    orders_today: int | None = None
    margin_available: Decimal | None = None
    margin_required: Decimal | None = None
    position_quantity: int | None = None
    """Net, signed, in the order's product."""
    sellable: int | None = None
    """Delivered shares that are free."""
    t1_quantity: int = 0
    delivery_authorised: bool | None = None
    """DDPI, or EDIS for today."""
    square_off: time | None = None
    """When the broker closes intraday positions (IST); `None`: the usual time of the segment."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know before sending. `text` is for a person; `blocks`: it is not sent."""

    code: str
    text: str
    blocks: bool

    @classmethod
    def block(cls, code: str, text: str) -> Finding:
        return cls(code, text, blocks=True)

    @classmethod
    def warn(cls, code: str, text: str) -> Finding:
        return cls(code, text, blocks=False)

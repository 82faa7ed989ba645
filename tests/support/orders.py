"""Orders for tests: wishes and what a broker tells of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from services.domain.instruments import Instrument
from services.domain.orders import BookOrder, OrderRequest, OrderType, Side, Status

RELIANCE = "NSE_EQ|INE002A01018"
MORNING = datetime(2026, 11, 20, 4, 1, 12, tzinfo=UTC)
"""09:31:12 in India."""


def a_request(**changes: Any) -> OrderRequest:
    """Buy 10 RELIANCE at a limit of 1,470, delivery, today."""
    given: dict[str, Any] = {
        "key": RELIANCE,
        "side": Side.BUY,
        "quantity": 10,
        "order_type": OrderType.LIMIT,
        "price": Decimal("1470.00"),
    }
    given |= changes
    if not given["order_type"].needs_price and "price" not in changes:
        del given["price"]
    return OrderRequest(**given)


def told(status: str = Status.OPEN, **changes: Any) -> BookOrder:
    """The same order as the broker tells it."""
    order = BookOrder(
        order_id="261120010123456",
        key=RELIANCE,
        side=Side.BUY,
        quantity=10,
        order_type="LIMIT",
        product="D",
        validity="DAY",
        price=Decimal("1470.0"),
        trigger_price=Decimal(0),
        status=status,
        pending_quantity=10,
        request_id="1",
        placed_at=MORNING,
    )
    return replace(order, **changes)


def a_share(**changes: Any) -> Instrument:
    """RELIANCE as the instrument master tells it."""
    return replace(
        Instrument(
            key=RELIANCE,
            segment="NSE_EQ",
            exchange="NSE",
            symbol="RELIANCE",
            name="RELIANCE INDUSTRIES LTD",
            type="EQ",
            tick_size=Decimal("0.10"),
            lot_size=1,
            freeze_quantity=100_000,
            qty_multiplier=Decimal(1),
        ),
        **changes,
    )


def an_option(**changes: Any) -> Instrument:
    """A NIFTY call."""
    return replace(
        Instrument(
            key="NSE_FO|56983",
            segment="NSE_FO",
            exchange="NSE",
            symbol="NIFTY 26000 CE 24 NOV 26",
            name="NIFTY",
            type="CE",
            tick_size=Decimal("0.05"),
            lot_size=65,
            freeze_quantity=1755,
            qty_multiplier=Decimal(1),
        ),
        **changes,
    )

"""Fills for tests of lots, short to write."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import count

from hypothesis import strategies as st

from services.domain.orders import Side
from services.portfolio.lots.fills import Asset, Fill
from services.portfolio.money import price_units

FIRST = date(2026, 4, 6)
_numbers = count(1)


def fill(
    side: str,
    quantity: int,
    price: str,
    day: int | date = 0,
    *,
    at: int | None = None,
    instrument: str = "INE002A01018",
    symbol: str = "RELIANCE",
    asset: Asset = Asset.SHARE,
    trade_id: str = "",
    order_id: str = "",
    product: str = "D",
    multiplier: int = 1,
    account: str = "A",
    expiry: date | None = None,
    exchange: str = "NSE",
) -> Fill:
    """One fill; `day` counts days from `FIRST`, `at` minutes of it. Without an id it gets the next number."""
    on = day if isinstance(day, date) else FIRST + timedelta(days=day)
    at_ms = None if at is None else (on - date(1970, 1, 1)).days * 86_400_000 + at * 60_000
    return Fill(
        account, instrument, symbol, asset, exchange, Side(side), quantity, price_units(price), on,
        trade_id or f"T{next(_numbers):06d}", order_id, at_ms, product, multiplier, expiry=expiry,
    )  # fmt: skip


def plain_fifo(fills: Sequence[Fill]) -> tuple[int, dict[str, int]]:
    """Realised gain (ten-thousandths of a rupee) and open units by instrument, unit by unit, shorts and flips allowed,
    without regard to days. Slow and obvious."""
    queues: dict[str, deque[tuple[int, int]]] = {}
    realised = 0
    for one in fills:
        queue = queues.setdefault(one.instrument, deque())
        for _ in range(one.quantity):
            sign, price = one.side.sign, one.price * one.multiplier
            if queue and queue[0][0] != sign:
                realised += (price - queue.popleft()[1]) * -sign
            else:
                queue.append((sign, price))
    return realised, {name: sum(sign for sign, _ in queue) for name, queue in queues.items()}


def total(amounts: Iterable[int]) -> int:
    return sum(int(amount) for amount in amounts)


@st.composite
def markets(draw: st.DrawFn, assets: tuple[Asset, ...] = (Asset.SHARE, Asset.OPTION)) -> list[Fill]:
    """Fills of two instruments over some days, each at a minute of its own."""
    fills = []
    for number in range(draw(st.integers(1, 14))):
        asset = draw(st.sampled_from(assets))
        fills.append(
            fill(
                draw(st.sampled_from(["BUY", "SELL"])),
                draw(st.integers(1, 12)),
                str(draw(st.integers(1, 4000)) / Decimal(20)),
                draw(st.integers(0, 4)) * 20,
                at=540 + number,
                instrument=f"{asset.value} {draw(st.integers(1, 2))}",
                asset=asset,
                trade_id=f"T{number}",
                product=draw(st.sampled_from(["I", "D"])),
            )
        )
    return sorted(fills, key=lambda one: (one.day, one.at_ms))

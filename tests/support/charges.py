"""Trades for tests of charges, short to write."""

from __future__ import annotations

from datetime import date

from services.domain.orders import Side
from services.portfolio.charges.engine import Charged, Part, charge
from services.portfolio.charges.kinds import Group, Kind
from services.portfolio.charges.lines import Lines, total_of
from services.portfolio.charges.plan import STANDARD_PLAN, Plan
from services.portfolio.charges.table import STANDARD, RateTable
from services.portfolio.money import price_units

IN_2026 = date(2026, 11, 20)


def part(
    kind: Kind,
    side: str,
    quantity: int,
    price: str,
    *,
    number: int = 1,
    order: str = "",
    exchange: str = "NSE",
    day: date = IN_2026,
    multiplier: int = 1,
    group: Group = Group.NONE,
    scrip: str = "INE002A01018",
    assisted: bool = False,
) -> Part:
    """One fill; without `order` an order of its own."""
    trade_id = f"T{number:05d}"
    return Part(
        trade_id,
        order or f"O{number:05d}",
        day,
        exchange,
        kind,
        Side(side),
        quantity,
        price_units(price),
        multiplier,
        scrip if kind.of_shares else "",
        group,
        assisted,
    )


def round_trip(
    kind: Kind,
    quantity: int,
    buy: str,
    sell: str,
    *,
    exchange: str = "NSE",
    day: date = IN_2026,
    multiplier: int = 1,
    rates: RateTable = STANDARD,
    plan: Plan = STANDARD_PLAN,
) -> Charged:
    """Bought in one order and sold in another, the same day."""
    bought = part(kind, "BUY", quantity, buy, number=1, exchange=exchange, day=day, multiplier=multiplier)
    sold = part(kind, "SELL", quantity, sell, number=2, exchange=exchange, day=day, multiplier=multiplier)
    return charge([bought, sold], rates=rates, plan=plan)


def by_order(charged: Charged) -> dict[tuple[str, date, str], Lines]:
    """What each order cost: account, day and id."""
    parts: dict[tuple[str, date, str], list[Lines]] = {}
    for one, lines in zip(charged.parts, charged.lines, strict=True):
        parts.setdefault((one.account, one.day, one.order_id), []).append(lines)
    return {order: total_of(lines) for order, lines in parts.items()}

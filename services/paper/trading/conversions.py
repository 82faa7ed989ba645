"""A position, or a part of it, held under another product."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.domain.orders import PLACEABLE, Product
from services.paper.envelope import refusal
from services.paper.trading.account import put_in, taken_out
from services.paper.trading.floor import Floor
from services.paper.trading.position_values import Position
from services.paper.trading.treasury import Treasury
from services.paper.trading.values import rupees
from services.paper.trading.work import Work


def convert(
    work: Work,
    floor: Floor,
    treasury: Treasury,
    now: datetime,
    key: str,
    *,
    buys: bool,
    quantity: int,
    old: str,
    new: str,
) -> Position:
    """Move `quantity` of today's from product `old` to `new`, at what it has cost. Raises `BrokerError`."""
    open_ones = [position for _, position in work.positions.items() if position.quantity]
    if not open_ones:
        raise refusal("UDAPI1034")
    position = work.positions.get((key, old))
    if position is None or old == new or quantity < 1 or quantity > _today(position, old, buys=buys):
        raise refusal("UDAPI1035")
    _check(work, floor, treasury, now, position, quantity, old, new)
    before = treasury.money(work, now).available
    less, cost = taken_out(position, quantity)
    there = work.positions.get((key, new)) or Position(
        key, new, position.segment, position.exchange, position.symbol, position.multiplier
    )
    moved = put_in(there, buys=buys, quantity=quantity, value=cost)
    book = work.book
    work.positions.put((key, old), less if _anything(less) else None)
    work.positions.put((key, new), moved.position)
    work.book = replace(book, balance=book.balance + moved.realised)
    after = treasury.money(work, now).available
    if after < 0 and after < before:
        work.book = book
        work.positions.put((key, old), position)
        work.positions.put((key, new), there if _anything(there) else None)
        raise refusal(
            "UDAPI100036",
            message=f"You need to add Rs. {-rupees(after):.2f} in your account to convert this position.",
        )
    return moved.position


def _today(position: Position, product: str, *, buys: bool) -> int:
    """How much of the position on this side may be converted: what is carried from before may not."""
    net = position.quantity
    if net == 0 or (net > 0) is not buys:
        return 0
    if product == Product.INTRADAY:
        return abs(net)
    return min(abs(net), position.day_buy_quantity if buys else position.day_sell_quantity)


def _check(
    work: Work,
    floor: Floor,
    treasury: Treasury,
    now: datetime,
    position: Position,
    quantity: int,
    old: str,
    new: str,
) -> None:
    instrument = floor.instrument(position.key, now)
    if instrument is None:
        raise refusal("UDAPI1033")
    if new not in PLACEABLE or (
        new == Product.MTF and not (instrument.share and instrument.listing.row.get("mtf_enabled"))
    ):
        raise refusal("UDAPI1054", property_path="new_product", invalid_value=new)
    due = floor.hours.square_off(instrument, floor.hours.today(now))
    if Product.INTRADAY in (old, new) and (due is None or now >= due):
        raise refusal("UDAPI1033", message="Positions cannot be converted any more: intraday trading is over for today")
    if not instrument.share:
        return
    if position.quantity > 0 and old != Product.INTRADAY:
        # What leaves delivery can no longer be delivered by the orders that sell it.
        free = treasury.sellable(work, position.key, old)
        if quantity > free:
            raise refusal(
                "UDAPI100036", message=f"Only {max(free, 0)} of these shares are not being sold by open orders"
            )
    if position.quantity < 0 and new != Product.INTRADAY:
        free = treasury.sellable(work, position.key, new) if new == Product.DELIVERY else 0
        if quantity > free:
            raise refusal("UDAPI100036", message=f"Only {max(free, 0)} shares are held and free to be delivered")


def _anything(position: Position) -> bool:
    """Is there anything to be told of it, now or of today?"""
    return bool(position.quantity or position.realised or position.day_buy_quantity or position.day_sell_quantity)

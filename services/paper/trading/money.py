"""What positions and orders block of the account's money. Pure; the rates are those of `margins`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from services.domain.orders import Product
from services.paper.trading.margins import LineMargin, line_margin
from services.paper.trading.position_values import Position
from services.paper.trading.standing import Demand
from services.paper.trading.values import UNITS_OF_PAISA, rupees


@dataclass(frozen=True, slots=True)
class Blocked:
    """Money that one instrument under one product binds; `sold` is what shares sold out of the holdings bring in."""

    delivery: int = 0
    intraday_and_funded: int = 0
    span: int = 0
    exposure: int = 0
    premium: int = 0
    sold: int = 0

    @property
    def total(self) -> int:
        return self.delivery + self.intraday_and_funded + self.span + self.exposure + self.premium

    def __add__(self, other: Blocked) -> Blocked:
        return Blocked(
            self.delivery + other.delivery,
            self.intraday_and_funded + other.intraday_and_funded,
            self.span + other.span,
            self.exposure + other.exposure,
            self.premium + other.premium,
            self.sold + other.sold,
        )


NOTHING = Blocked()


def pays_in_full(row: Mapping[str, object], product: str, quantity: int) -> bool:
    """Is a position of this sign worth what was paid, so that a falling price cannot cost more?"""
    if str(row["segment"]).endswith("_EQ"):
        return product == Product.DELIVERY
    return row.get("instrument_type") in {"CE", "PE"} and quantity > 0


def blocked(
    row: Mapping[str, object], product: str, position: Position | None, bought: Demand, sold: Demand, spot: int
) -> Blocked:
    """What `position` (if any) and the living orders of one instrument and product block together; `bought` and `sold`
    is what these ask for on either side.

    Orders that would close the position block nothing. Of the other ones only one side counts, the dearer: the one
    closes what the other opens. `spot`: of the underlying, which counts for sold options.
    """
    net = position.quantity if position is not None else 0
    found = _held(row, product, position, spot) if position is not None and net else NOTHING
    sides = (
        _ordered(row, product, bought, max(0, -net), spot, buys=True),
        _ordered(row, product, sold, max(0, net), spot, buys=False),
    )
    return found + max(sides, key=lambda side: side.total)


def _held(row: Mapping[str, object], product: str, position: Position, spot: int) -> Blocked:
    net, cost = position.quantity, position.cost * position.multiplier
    if pays_in_full(row, product, net):
        if not str(row["segment"]).endswith("_EQ"):
            return Blocked(premium=cost)
        return Blocked(delivery=cost) if net > 0 else Blocked(sold=-cost)
    price = Decimal(abs(position.cost)) / abs(net)
    return _parts(row, product, buys=net > 0, quantity=abs(net), price=price, spot=spot)


def _ordered(
    row: Mapping[str, object], product: str, demand: Demand, closing: int, spot: int, *, buys: bool
) -> Blocked:
    """What the orders of one side block: all beyond `closing`, at the average of their prices."""
    opening = demand.quantity - closing
    if opening <= 0:
        return NOTHING
    price = Decimal(demand.amount) / demand.quantity
    return _parts(row, product, buys=buys, quantity=opening, price=price, spot=spot)


def _parts(row: Mapping[str, object], product: str, *, buys: bool, quantity: int, price: Decimal, spot: int) -> Blocked:
    line: LineMargin = line_margin(
        row, buys=buys, product=product, quantity=quantity, price=price.scaleb(-4), spot=rupees(spot)
    )
    equity = line.equity * UNITS_OF_PAISA
    return Blocked(
        delivery=equity if product == Product.DELIVERY else 0,
        intraday_and_funded=0 if product == Product.DELIVERY else equity,
        span=line.span * UNITS_OF_PAISA,
        exposure=(line.exposure + line.additional + line.tender) * UNITS_OF_PAISA,
        premium=line.net_buy_premium * UNITS_OF_PAISA,
    )

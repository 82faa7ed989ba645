"""How much money there is, how much of it is bound, and whether an order can be paid for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.domain.clock import epoch_ms
from services.domain.orders import Product
from services.paper.trading.floor import Floor
from services.paper.trading.instruments import Instrument
from services.paper.trading.money import NOTHING, Blocked, blocked, pays_in_full
from services.paper.trading.order_values import Order
from services.paper.trading.position_values import Position
from services.paper.trading.standing import Demand, demand_of
from services.paper.trading.state import Held
from services.paper.trading.values import MoneyState, units
from services.paper.trading.work import Work, isin_of

_Parts = tuple[Position | None, Demand, Demand]
"""What binds money in one instrument and product: the position, and what orders buy and sell."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What an order needs, and what there is."""

    required: int
    available: int


class Treasury:
    """Answers out of a piece of work. What it keeps is a cache."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._found: dict[Held, tuple[_Parts, Blocked]] = {}
        self._second = -1
        self._last: dict[str, int] = {}  # prices seen in that second

    def money(self, work: Work, at: datetime) -> MoneyState:
        """The account's money at the prices of `at`."""
        self._last = {}
        bound = self._bound(work, at)
        book = work.book
        losing = self._unrealised(work, at)
        return MoneyState(
            opening=book.day_opening,
            balance=book.balance,
            available=book.balance + bound.sold - bound.total + min(0, losing),
            used=bound.total,
            delivery=bound.delivery,
            intraday_and_funded=bound.intraday_and_funded,
            span=bound.span,
            exposure=bound.exposure,
            premium=bound.premium,
            realised=sum(position.realised for _, position in work.positions.items()),
            unrealised=losing,
            charges=book.day_charges,
            sold_holdings=bound.sold,
        )

    def shortfall(self, work: Work, order: Order, instrument: Instrument, at: datetime) -> Shortfall | None:
        """Does `order` (new, or changed) bind more money than there is? An order that binds none is never refused."""
        held = order.key, order.product
        mine, wanted = demand_of(work.orders.get(order.order_id)), demand_of(order)
        same, other = work.demand(held, buys=order.buys) - mine, work.demand(held, buys=not order.buys)
        position, spot = work.positions.get(held), self._floor.spot(instrument, at)
        row = instrument.listing.row

        def binds(demand: Demand) -> Blocked:
            bought, sold = (demand, other) if order.buys else (other, demand)
            return blocked(row, order.product, position, bought, sold, spot)

        # Money for what is left of it: what was filled is in the position.
        without = binds(same)
        required = binds(same + wanted).total - without.total
        if required <= 0:
            return None
        now = self._bound(work, at, instead={held: without})
        available = work.book.balance + now.sold - now.total + min(0, self._unrealised(work, at))
        return Shortfall(required, available) if required > available else None

    def sellable(self, work: Work, key: str, product: str, besides: Order | None = None) -> int:
        """Shares that a delivery or funded sale may deliver: held ones and today's, less what orders (but for
        `besides`) sell already."""
        position = work.positions.get((key, product))
        net = position.quantity if position is not None else 0
        keys = {key}
        if product == Product.DELIVERY:
            isin = isin_of(key)
            holding = work.holdings.get(isin)
            net = max(net, 0) + (holding.quantity - work.used(isin) if holding is not None else 0)
            keys = {one for one, _ in work.demanded() if isin_of(one) == isin}
        selling = sum(work.demand((one, product), buys=False).quantity for one in keys)
        return net - selling + (demand_of(work.orders.get(besides.order_id)).quantity if besides is not None else 0)

    def _bound(self, work: Work, at: datetime, instead: dict[Held, Blocked] | None = None) -> Blocked:
        positions = dict(work.positions.items())
        total = NOTHING
        found: dict[Held, tuple[_Parts, Blocked]] = {}
        for held in dict.fromkeys((*positions, *work.demanded())):
            if instead is not None and held in instead:
                total += instead[held]
                if held in self._found:
                    found[held] = self._found[held]
                continue
            parts = positions.get(held), work.demand(held, buys=True), work.demand(held, buys=False)
            known = self._found.get(held)
            if known is None or known[0] != parts:
                known = parts, self._blocked(held, parts, at)
            found[held] = known
            total += known[1]
        self._found = found
        return total

    def _blocked(self, held: Held, parts: _Parts, at: datetime) -> Blocked:
        instrument = self._floor.instrument(held[0], at)
        if instrument is None:
            return NOTHING  # listed no more: it is settled at the end of the day
        return blocked(instrument.listing.row, held[1], *parts, self._floor.spot(instrument, at))

    def _unrealised(self, work: Work, at: datetime) -> int:
        """Profit and loss of what is held on margin. Prices are asked for once a second: each order asks for it."""
        margined: list[Position] = []
        for (key, product), position in work.positions.items():
            instrument = self._floor.instrument(key, at) if position.quantity else None
            if instrument is not None and not pays_in_full(instrument.listing.row, product, position.quantity):
                margined.append(position)
        second = epoch_ms(at) // 1000
        if second != self._second:
            self._second, self._last = second, {}
        unknown = [position.key for position in margined if position.key not in self._last]
        if unknown:
            self._last |= {key: units(snap.ltp) for key, snap in self._floor.snapshots(unknown, at).items()}
        return sum(position.unrealised(self._last[position.key]) for position in margined)

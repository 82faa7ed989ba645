"""The account in the schema: orders, fills, what is held. As the desk knows it: a question asks
the broker for nothing that the desk does not ask for by itself."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import strawberry

from dashboard.graphql_api.loads import Loads
from dashboard.graphql_api.market import Instrument
from dashboard.graphql_api.values import Count, Price, Rupees, age, asked, perhaps_price, perhaps_rupees, price, rupees
from services.domain.errors import NotPublished, UpstoxError
from services.domain.order_records import StoredTrade
from services.domain.orders import BookOrder
from services.portfolio_book.marks import MarkedHolding, MarkedPosition, PriceFrom

FIRST_ANSWER_SECONDS = 3.0
"""A question waits so long for what the broker has not told this desk yet."""
_TOLD_BY = {PriceFrom.FEED: "live feed", PriceFrom.QUOTE: "quote", PriceFrom.BROKER: "broker"}


def _told(what: str, as_of: datetime | None, error: UpstoxError | str | None) -> datetime:
    """When `what` was told; what was never told is an error."""
    if as_of is not None:
        return as_of
    if isinstance(error, UpstoxError):
        raise error
    raise NotPublished(f"the broker has not told the {what} yet{f': {error}' if error else ''}")


def _known(amount: Decimal | None, what: str, symbol: str) -> Rupees:
    """A figure, or the error that it is not known: never nothing."""
    if amount is None:
        raise NotPublished(f"the {what} of {symbol or 'this'} is not known: a price or what was paid is missing")
    return rupees(amount)


@strawberry.interface(description="Something that the broker told. Source and age are of every figure in it.")
class Answer:
    source: str
    as_of: datetime = strawberry.field(description="When the broker told it.")
    age_seconds: float
    problem: str | None = strawberry.field(description="What keeps it from being renewed; null: nothing.")
    total: int = strawberry.field(description="Rows there are, of which `first` were asked for.")


@strawberry.type
class Order:
    order_id: str
    instrument: Instrument
    symbol: str
    side: str
    product: str
    type: str
    validity: str
    status: str
    quantity: Count
    filled_quantity: Count
    pending_quantity: Count
    price: Price = strawberry.field(description="0.00: none was given.")
    trigger_price: Price
    average_price: Price = strawberry.field(description="Of what is filled; 0.00: nothing is.")
    placed_at: datetime | None
    message: str | None = strawberry.field(description="The broker's reason.")
    tag: str | None

    @classmethod
    def of(cls, told: BookOrder) -> Order:
        return cls(
            order_id=told.order_id,
            instrument=Instrument(key=told.key),
            symbol=told.symbol,
            side=str(told.side),
            product=told.product,
            type=told.order_type,
            validity=told.validity,
            status=told.status,
            quantity=Count(told.quantity),
            filled_quantity=Count(told.filled_quantity),
            pending_quantity=Count(told.pending_quantity),
            price=price(told.price),
            trigger_price=price(told.trigger_price),
            average_price=price(told.average_price),
            placed_at=told.placed_at,
            message=told.message,
            tag=told.tag,
        )


@strawberry.type(description="The orders of the day, the newest first.")
class Orders(Answer):
    live: bool = strawberry.field(description="Does the order stream tell each change as it happens?")
    rows: list[Order]

    @classmethod
    def read(cls, first: int, loads: Loads) -> Orders:
        view = loads.runtime.orders.book()
        as_of = _told("orders", view.as_of, view.error)
        return cls(
            source=loads.broker,
            as_of=as_of,
            age_seconds=age(loads.now, as_of),
            problem=view.error,
            total=len(view.orders),
            live=view.live,
            rows=[Order.of(one) for one in view.orders[:first]],
        )


@strawberry.type
class Trade:
    trade_id: str
    order_id: str
    instrument: Instrument
    symbol: str
    side: str
    product: str
    quantity: Count
    price: Price
    traded_at: datetime | None

    @classmethod
    def of(cls, told: StoredTrade) -> Trade:
        return cls(
            trade_id=told.trade_id,
            order_id=told.order_id,
            instrument=Instrument(key=told.key),
            symbol=told.symbol,
            side=str(told.side),
            product=told.product,
            quantity=Count(told.quantity),
            price=price(told.price),
            traded_at=told.traded_at,
        )


@strawberry.type(description="The fills of the day, the newest first.")
class Trades(Answer):
    rows: list[Trade]

    @classmethod
    def read(cls, first: int, loads: Loads) -> Trades:
        view = loads.runtime.orders.trades()
        as_of = _told("trades", view.as_of, view.error)
        return cls(
            source=loads.broker,
            as_of=as_of,
            age_seconds=age(loads.now, as_of),
            problem=view.error,
            total=len(view.trades),
            rows=[Trade.of(one) for one in view.trades[:first]],
        )


@strawberry.type(description="The price that a position or holding is marked at.")
class Mark:
    ltp: Price
    told_by: str
    received_at: datetime | None
    age_seconds: float | None


@strawberry.type
class _Marked:
    """What a position and a holding have in common."""

    row: strawberry.Private[MarkedPosition | MarkedHolding]
    now: strawberry.Private[datetime]
    instrument: Instrument
    symbol: str

    @strawberry.field
    def mark(self) -> Mark | None:
        given = self.row.price
        if given.ltp is None:
            raise NotPublished(f"no price of {self.symbol or 'this'} is known")
        return Mark(
            ltp=price(given.ltp),
            told_by=_TOLD_BY[given.told_by],
            received_at=given.at,
            age_seconds=None if given.at is None else age(self.now, given.at),
        )

    @strawberry.field
    def pnl_today(self) -> Rupees | None:
        return _known(self.row.pnl_today, "result of today", self.symbol)


@strawberry.type(description="One instrument in one product. Money before charges.")
class Position(_Marked):
    row: strawberry.Private[MarkedPosition]
    product: str
    quantity: Count = strawberry.field(description="Net and signed; 0: closed today.")
    average_price: Price | None = strawberry.field(description="Of the open side; null: closed, or not to be told.")

    @asked("Since entry, realised and open.")
    def pnl(self) -> Rupees | None:
        return _known(self.row.pnl, "profit", self.symbol)

    @strawberry.field
    def realised(self) -> Rupees | None:
        return _known(self.row.realised, "realised profit", self.symbol)

    @strawberry.field
    def unrealised(self) -> Rupees | None:
        return _known(self.row.unrealised, "open profit", self.symbol)

    @classmethod
    def of(cls, row: MarkedPosition, now: datetime) -> Position:
        told = row.position
        return cls(
            row=row,
            now=now,
            instrument=Instrument(key=told.key),
            symbol=told.symbol,
            product=told.product,
            quantity=Count(told.quantity),
            average_price=perhaps_price(None if row.average is None else row.average.quantize(Decimal("0.0001"))),
        )


@strawberry.type(description="The positions, open ones first.")
class Positions(Answer):
    rows: list[Position]

    @classmethod
    def read(cls, first: int, loads: Loads) -> Positions:
        view = loads.runtime.portfolio.positions(wait=FIRST_ANSWER_SECONDS)
        as_of = _told("positions", view.as_of, view.error)
        problem = view.error or view.without
        return cls(
            source=loads.broker,
            as_of=as_of,
            age_seconds=age(loads.now, as_of),
            problem=None if problem is None else str(problem),
            total=len(view.rows),
            rows=[Position.of(one, loads.now) for one in view.rows[:first]],
        )


@strawberry.type(description="Shares in the demat account. Money before charges.")
class Holding(_Marked):
    row: strawberry.Private[MarkedHolding]
    isin: str
    quantity: Count
    average_price: Price | None = strawberry.field(description="null: the broker does not tell it.")
    invested: Rupees | None = strawberry.field(description="null: the broker does not tell the average price.")

    @strawberry.field
    def value(self) -> Rupees | None:
        return _known(self.row.value, "value", self.symbol)

    @asked("Since purchase.")
    def pnl(self) -> Rupees | None:
        return _known(self.row.pnl, "profit", self.symbol)

    @classmethod
    def of(cls, row: MarkedHolding, now: datetime) -> Holding:
        told = row.holding
        return cls(
            row=row,
            now=now,
            instrument=Instrument(key=told.key),
            symbol=told.symbol,
            isin=told.isin,
            quantity=Count(told.quantity),
            average_price=perhaps_price(told.average_price),
            invested=perhaps_rupees(row.invested),
        )


@strawberry.type(description="The holdings, by symbol.")
class Holdings(Answer):
    rows: list[Holding]

    @classmethod
    def read(cls, first: int, loads: Loads) -> Holdings:
        view = loads.runtime.portfolio.holdings(wait=FIRST_ANSWER_SECONDS)
        as_of = _told("holdings", view.as_of, view.error)
        return cls(
            source=loads.broker,
            as_of=as_of,
            age_seconds=age(loads.now, as_of),
            problem=None if view.error is None else str(view.error),
            total=len(view.rows),
            rows=[Holding.of(one, loads.now) for one in view.rows[:first]],
        )

"""Orders, as the v3 guide promises them: placed, changed and cancelled by calls that are each sent once.

from services.order_manager_v3 import OrderManagerV3

orders = OrderManagerV3()
order_id = orders.place_order(symbol="INFY", side="BUY", quantity=1, order_type="LIMIT", price=1500.0)
orders.cancel_order(order_id)
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, SupportsIndex, TypeVar

if __name__ == "__main__":  # run as a file, Python looks for `services` beside it and not where it is
    import sys
    from pathlib import Path

    sys.path[0] = str(Path(__file__).resolve().parents[1])

from services.acting import acting
from services.domain.actors import Actor
from services.domain.clock import ist_date
from services.domain.errors import InvalidRequest, NotSent, OrderOutcomeUnknown, RequestRefused, UpstoxError
from services.domain.intents import IntentState
from services.domain.orders import BookOrder, OrderChange, OrderRequest, OrderType, Side, Trade, Validity, read_product
from services.orders.symbols import instrument_named
from services.orders.views import Outcome
from services.runtime import get_runtime
from services.self_check import INFOSYS, assure, main

T = TypeVar("T", OrderType, Side, Validity)
Price = Decimal | float | int | str


class ToldList(list[dict[str, Any]]):  # Any: members of several kinds
    """A list of rows that says how old it is."""

    as_of: datetime | None = None
    """When the broker told it (aware, UTC)."""
    error: str | None = None
    """Why it could not be told anew just now; the rows are then those of `as_of`."""
    failure: UpstoxError | None = None
    """The error behind those words."""


class OrderManagerV3:
    """Orders of the account that is logged in, through the process's desk. Cheap to make.

    Every write takes `intent_id` (the same one again gives the first result and sends nothing) and `actor` (else
    the person at the screen, or the user of the operating system). Limits, kill switch and counts are those of the
    ledger, which a desk in another process shares.
    """

    def __init__(self, db_path: str = "market_data.db", use_v3: bool = True) -> None:
        """`db_path`: the market file, relative to the data folder; orders stand in the ledger beside it, of which a
        folder has one. `use_v3` is kept for those who pass it: every order goes the one way that the desk has, v3, and
        v2 where v3 certainly did not take it."""
        self._runtime = get_runtime()
        self._db_path = db_path
        self._use_v3 = use_v3

    # -- writes ------------------------------------------------------------------------------------------------

    def place_order(
        self,
        symbol: str,
        side: str,
        quantity: int,
        order_type: str = "MARKET",
        price: Price | None = None,
        trigger_price: Price | None = None,
        product_type: str = "D",
        validity: str = "DAY",
        disclosed_quantity: int | None = None,
        instrument_key: str | None = None,
        *,
        amo: bool = False,
        market_protection: Price | None = None,
        slice: bool = False,
        label: str = "",
        intent_id: str | None = None,
        actor: Actor | None = None,
    ) -> str:
        """Place an order; its id (the first one, where it is sliced: `order_ids` in the outcome has all).

        A bare symbol means the share of series EQ on NSE, else the one on BSE; `instrument_key` names anything else.
        `product_type`: I, D, MTF, or another broker's MIS, CNC, NRML. `market_protection` in percent, for MARKET and
        SL-M; left out it is the broker's choice (-1). `label` is added to the order's tag.

        Raises `InvalidRequest` for nonsense, an ambiguous symbol, and what the desk's checks refuse;
        `LoginRequired`; `RequestRefused` with the broker's code; `NotSent`; `OrderOutcomeUnknown` where no answer came:
        the desk looks for it, and only a person may place it anew, with another `intent_id`.
        """
        instrument = instrument_named(instrument_key or symbol, self._runtime.instruments)
        request = OrderRequest(
            key=instrument.key,
            side=_word(Side, side, "side"),
            quantity=_whole("quantity", quantity),
            order_type=_word(OrderType, order_type, "order type"),
            product=read_product(product_type),
            price=_price("price", price),
            trigger_price=_price("trigger price", trigger_price),
            validity=_word(Validity, validity, "validity"),
            disclosed_quantity=0 if disclosed_quantity is None else _whole("disclosed quantity", disclosed_quantity),
            amo=amo,
            market_protection=_price("market protection", market_protection),
            slice=slice,
        )
        outcome = self._runtime.orders.place(
            request, intent_id=intent_id or str(uuid.uuid4()), actor=actor or acting(), label=label
        )
        if outcome.state is IntentState.REFUSED:
            raise RequestRefused(outcome.reason, status=400, code=outcome.code, endpoint="place order")
        _raise_unless_told(outcome)
        return outcome.order_ids[0] if outcome.order_ids else ""

    def modify_order(
        self,
        order_id: str,
        quantity: int | None = None,
        price: Price | None = None,
        trigger_price: Price | None = None,
        order_type: str | None = None,
        validity: str | None = None,
        *,
        disclosed_quantity: int | None = None,
        market_protection: Price | None = None,
        intent_id: str | None = None,
        actor: Actor | None = None,
    ) -> bool:
        """Change an order; what is left out stays, `quantity` is the new total. True: the broker took the change.
        False: it was refused, because the order has ended or for a reason that the ledger has.

        Raises as `place_order` does for everything else.
        """
        change = OrderChange(
            quantity=None if quantity is None else _whole("quantity", quantity),
            price=_price("price", price),
            trigger_price=_price("trigger price", trigger_price),
            order_type=None if order_type is None else _word(OrderType, order_type, "order type"),
            validity=None if validity is None else _word(Validity, validity, "validity"),
            disclosed_quantity=None if disclosed_quantity is None else _whole("disclosed quantity", disclosed_quantity),
            market_protection=_price("market protection", market_protection),
        )
        outcome = self._runtime.orders.modify(
            order_id, change, intent_id=intent_id or str(uuid.uuid4()), actor=actor or acting()
        )
        return _accepted(outcome)

    def cancel_order(self, order_id: str, *, intent_id: str | None = None, actor: Actor | None = None) -> bool:
        """Cancel an order. True: the broker took the cancellation. False: it refused, and the ledger has the reason.

        Raises as `place_order` does for everything else.
        """
        outcome = self._runtime.orders.cancel(
            order_id, intent_id=intent_id or str(uuid.uuid4()), actor=actor or acting()
        )
        return _accepted(outcome)

    # -- reads -------------------------------------------------------------------------------------------------

    def get_order_book(self) -> ToldList:
        """The orders of today, the newest first, asked for now. If the broker does not tell, the rows are those that
        were told last, with `as_of` and `error`; never an empty list for a failure: where nothing was ever told, the
        error itself is raised."""
        desk = self._runtime.orders
        failure = _failure_of(desk.refresh)
        view = desk.book()
        if failure is not None and view.as_of is None and not view.orders:
            raise failure
        rows = ToldList(_order_row(order) for order in view.orders)
        rows.as_of, rows.error, rows.failure = view.as_of, None if failure is None else str(failure), failure
        return rows

    def get_trade_history(self, start: date | str | None = None, end: date | str | None = None) -> ToldList:
        """The fills of today, the newest first, asked for now; with dates those of `start` to `end`, both included,
        asked for as well, and kept. Failures as in `get_order_book`."""
        desk = self._runtime.orders
        if start is None and end is None:
            failure = _failure_of(desk.refresh)
            view = desk.trades()
            if failure is not None and view.as_of is None and not view.trades:
                raise failure
            rows = ToldList(_trade_row(trade) for trade in view.trades)
            rows.as_of, rows.failure = view.as_of, failure
            rows.error = view.error if failure is None else str(failure)
            return rows
        first, last = _day(start or end), _day(end or start)
        failure = _failure_of(lambda: desk.load_past_trades(first, last))
        if first <= ist_date(self._runtime.clock.now()) <= last:  # which the broker's history does not tell
            failure = _failure_of(desk.refresh) or failure
        kept = desk.past_trades(first, last)
        if failure is not None and not kept:
            raise failure
        rows = ToldList(_trade_row(trade) for trade in reversed(kept))
        rows.as_of = self._runtime.clock.now() if failure is None else None
        rows.error, rows.failure = None if failure is None else str(failure), failure
        return rows


def _accepted(outcome: Outcome) -> bool:
    """For the calls that answer yes or no: no is the broker's, everything else raises."""
    if outcome.state is IntentState.REFUSED:
        return False
    _raise_unless_told(outcome)
    return True


def _raise_unless_told(outcome: Outcome) -> None:
    if outcome.state is IntentState.ACCEPTED:
        return
    if outcome.state.is_open:
        raise OrderOutcomeUnknown(
            outcome.reason or "it is not known yet what became of this", intent_id=outcome.intent_id, tag=outcome.tag
        )
    raise NotSent(outcome.reason or "it never arrived at the broker")


def _failure_of(ask: Any) -> UpstoxError | None:  # Any: whatever is asked, its result is not needed
    try:
        ask()
    except UpstoxError as error:
        return error
    return None


def _word(kind: type[T], text: object, name: str) -> T:
    word = str(text).strip().upper()
    for one in kind:
        if one.value == word:
            return one
    raise InvalidRequest(f"{name} {str(text)[:20]!r}: {', '.join(one.value for one in kind)}")


def _whole(name: str, number: SupportsIndex) -> int:
    """A whole number as Python counts with (numpy's and pandas' too); a fraction is refused."""
    try:
        if isinstance(number, bool):
            raise TypeError
        return number.__index__()
    except (AttributeError, TypeError):
        raise InvalidRequest(f"the {name} is a whole number, not {number!r}") from None


def _price(name: str, price: Price | None) -> Decimal | None:
    """An exact price: a float is taken as it is written."""
    if price is None:
        return None
    try:
        return Decimal(str(price))
    except InvalidOperation:
        raise InvalidRequest(f"the {name} {str(price)[:20]!r} is not a number") from None


def _day(text: date | str | None) -> date:
    if isinstance(text, datetime):
        return text.date()
    if isinstance(text, date):
        return text
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise InvalidRequest(f"{str(text)[:20]!r} is not a date (YYYY-MM-DD)") from None


def _order_row(order: BookOrder) -> dict[str, Any]:
    """The guide's names first, then all the rest."""
    told = {field.name: getattr(order, field.name) for field in fields(order)}
    first = {"order_id": order.order_id, "symbol": order.symbol, "instrument_key": order.key, "status": order.status}
    told.pop("key")
    return {**first, **told, "side": str(order.side)}


def _trade_row(trade: Trade) -> dict[str, Any]:
    told = {field.name: getattr(trade, field.name) for field in fields(trade)}
    told.pop("key")
    first = {
        "trade_id": trade.trade_id,
        "order_id": trade.order_id,
        "symbol": trade.symbol,
        "instrument_key": trade.key,
    }
    return {**first, **told, "side": str(trade.side)}


def check_itself() -> Iterator[str]:
    """An order that waits is placed, changed and cancelled, and one for nothing is refused."""
    orders = OrderManagerV3()
    last = get_runtime().quotes.get([INFOSYS]).quotes[INFOSYS]["ltp"]
    assure(isinstance(last, float), "no price of Infosys")
    price = round(Decimal(str(last)) * Decimal("0.98"))
    order_id = orders.place_order("INFY", "BUY", 1, order_type="LIMIT", price=price)
    yield f"placed {order_id}: BUY 1 INFY at ₹{price}"
    assure(orders.modify_order(order_id, quantity=2), "the change was refused")
    assure(orders.cancel_order(order_id), "the cancellation was refused")
    (order,) = [row for row in orders.get_order_book() if row["order_id"] == order_id]
    assure((order["status"], order["quantity"]) == ("cancelled", 2), f"it is {order['status']}, {order['quantity']}")
    yield "changed to 2, cancelled, and so it stands in the book"
    try:
        orders.place_order("INFY", "BUY", 0)
    except InvalidRequest as refused:
        yield f"an order for 0 is refused: {refused}"
    else:
        assure(False, "an order for 0 was taken")


if __name__ == "__main__":
    main(check_itself)

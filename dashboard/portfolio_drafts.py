"""What somebody wants done with positions and holdings, as decisions to be confirmed: pure.

An exit is an order against the position, in its own product. What is confirmed, sent and told about it is the order
page's (`order_drafts`): one habit for everything that costs money.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from dashboard.formatting import quantity
from dashboard.order_drafts import MOST_LEGS, OrderDraft, What, basket_draft, exit_all_draft, name_of, new_id
from dashboard.order_drafts import place_draft as order_draft
from dashboard.ticket_form import SIDE_NAMES, product_name, units_of_lot
from services.domain.errors import InvalidRequest
from services.domain.instruments import Instrument
from services.domain.order_words import order_sentence
from services.domain.orders import BookOrder, OrderRequest, OrderType, Product, Side
from services.domain.positions import Holding, Position
from services.portfolio_book.marks import MarkedPosition

DELIVERY_SEGMENTS = ("NSE_EQ", "BSE_EQ")
TOO_MANY = (
    f"Up to {MOST_LEGS} positions can be exited together, each by an order of its own. “Exit all” closes every one."
)

Names = Mapping[str, Instrument]


def exit_request(
    position: Position, instrument: Instrument | None, *, units: int | None = None, limit: Decimal | None = None
) -> OrderRequest:
    """The order that closes `units` of `position` (all of it if not said), at a limit or at the market. Raises
    `InvalidRequest` for what is closed, or more than is held."""
    if position.side is None:
        raise InvalidRequest("this position is closed already")
    held = abs(position.quantity)
    wanted = held if units is None else units
    if wanted > held:
        raise InvalidRequest(f"only {quantity(held)} are held: an order for more would open a position the other way")
    product = next((one for one in Product if one == position.product), None)
    if product is None or product is Product.COVER:
        raise InvalidRequest(f"positions of the product {position.product} are closed at the broker's own screens")
    return _order(position.key, position.side.other, wanted, product, limit, instrument)


def sale_request(
    holding: Holding, sellable: int, instrument: Instrument | None, *, units: int | None = None,
    limit: Decimal | None = None,
) -> OrderRequest:  # fmt: skip
    """The order that sells `units` of `holding` (all that can be sold if not said)."""
    wanted = sellable if units is None else units
    if wanted > sellable:
        raise InvalidRequest(f"{quantity(sellable)} of these can be sold now; the others are blocked or not delivered")
    return _order(holding.key, Side.SELL, wanted, Product.DELIVERY, limit, instrument)


def exit_draft(
    request: OrderRequest, instrument: Instrument | None, *, rest: int, open_orders: Iterable[BookOrder]
) -> OrderDraft:
    """One position closed, or a part of it; `rest` units stay."""
    draft = _draft(request, instrument, open_orders)
    who = instrument.symbol if instrument else request.key
    title = f"Exit {who}?" if not rest else f"Exit a part of {who}?"
    facts = (("Stays open", quantity(rest)),) if rest else ()
    return replace(draft, title=title, facts=facts)


def sale_draft(
    request: OrderRequest, instrument: Instrument | None, *, rest: int, open_orders: Iterable[BookOrder]
) -> OrderDraft:
    """Shares of the demat account sold; `rest` units stay."""
    draft = _draft(request, instrument, open_orders)
    return replace(draft, facts=(("Stays held", quantity(rest)),) if rest else ())


def exits_draft(requests: Sequence[OrderRequest], names: Names, *, open_orders: Sequence[BookOrder]) -> OrderDraft:
    """Several positions closed, each by an order of its own; what was sold short is bought back first, which frees
    margin for the others. Raises `InvalidRequest` for too many."""
    if len(requests) > MOST_LEGS:
        raise InvalidRequest(TOO_MANY)
    legs = sorted(requests, key=lambda leg: leg.side is Side.SELL)
    draft = basket_draft(legs, [order_sentence(leg, names.get(leg.key)) for leg in legs])
    doubts = [
        f"{name_of(names.get(leg.key), leg.key)}: {words}" for leg in legs for words in _against(leg, open_orders)
    ]
    count = f"{len(legs)} position{'' if len(legs) == 1 else 's'}"
    return replace(
        draft,
        what=What.EXITS,
        title=f"Exit {count}?",
        button=f"Exit {count}",
        warnings=(*draft.warnings, *doubts),
    )


def all_out_draft(positions: Sequence[MarkedPosition], open_orders: Sequence[BookOrder]) -> OrderDraft:
    """Everything closed by the broker's own call. What it may leave is said before it is confirmed."""
    shown = [one.position for one in positions if one.is_open]
    draft = exit_all_draft(len(shown), None)
    left = [one.symbol or one.key for one in shown if is_delivery(one)]
    doubts = []
    if left:
        names = ", ".join(left[:6]) + (f" and {len(left) - 6} more" if len(left) > 6 else "")
        doubts.append(
            f"Shares bought for delivery may not be part of the broker's exit: {names}. Exit these by orders of their "
            "own if they stay."
        )
    if alive := sum(not order.terminal for order in open_orders):
        doubts.append(f"{quantity(alive)} order{' is' if alive == 1 else 's are'} open now.")
    return replace(draft, warnings=(*draft.warnings, *doubts))


def convert_draft(position: Position, units: int, new: Product, instrument: Instrument | None) -> OrderDraft:
    """`units` of `position` held as another product from now on. Raises `InvalidRequest` for what cannot be."""
    side, old = position.side, next((one for one in Product if one == position.product), None)
    if side is None:
        raise InvalidRequest("this position is closed already")
    if old is None or old is new:
        raise InvalidRequest("there is nothing to convert")
    if not 1 <= units <= abs(position.quantity):
        raise InvalidRequest(f"between 1 and {quantity(abs(position.quantity))} units can be converted")
    segment = position.key.partition("|")[0]
    before, after = product_name(old, segment).lower(), product_name(new, segment).lower()
    who = name_of(instrument, position.symbol or position.key)
    held = "bought" if side is Side.BUY else "sold"
    return OrderDraft(
        intent_id=new_id(),
        what=What.CONVERT,
        title=f"Convert {instrument.symbol if instrument else position.symbol or position.key}?",
        sentences=(f"Convert {quantity(units)} {who}, {held}, from {before} to {after}",),
        button=f"Convert {quantity(units)} to {after}",
        carry_out=lambda orders, id, actor: orders.convert(
            position.key, side, units, old, new, intent_id=id, actor=actor
        ),
        warnings=tuple(conversion_warnings(position, units, new)),
        facts=(("Stays as it is", quantity(abs(position.quantity) - units)),) if units < abs(position.quantity) else (),
    )


def conversion_warnings(position: Position, units: int, new: Product) -> list[str]:
    """What a person should know before."""
    delivery = is_delivery(replace(position, product=Product.DELIVERY))
    if new is Product.INTRADAY:
        words = ["The broker squares off intraday positions before the close, and charges for it."]
        if position.overnight_quantity:
            words.append("Only what was opened today can become intraday.")
        return words
    if not delivery:
        return ["What is carried forward needs the full margin overnight."]
    if position.quantity < 0:
        return ["Shares sold short cannot be carried: they would have to be delivered. Expect the broker to refuse it."]
    return ["Delivery needs the full amount, where intraday needed a part of it: the rest is blocked at once."]


def is_delivery(position: Position) -> bool:
    """Shares that are, or will be, in the demat account?"""
    return position.product == Product.DELIVERY and position.key.partition("|")[0] in DELIVERY_SEGMENTS


def lot_step(instrument: Instrument | None) -> int:
    """What one press of an arrow key moves a quantity by."""
    return units_of_lot(instrument) if instrument is not None else 1


def _draft(request: OrderRequest, instrument: Instrument | None, open_orders: Iterable[BookOrder]) -> OrderDraft:
    sentence = order_sentence(request, instrument)
    return order_draft(request, instrument, sentence, warnings=_against(request, open_orders))


def _order(
    key: str, side: Side, units: int, product: Product, limit: Decimal | None, instrument: Instrument | None
) -> OrderRequest:
    freeze = instrument.freeze_quantity if instrument is not None else None
    return OrderRequest(
        key=key,
        side=side,
        quantity=units,
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        product=product,
        price=limit,
        slice=freeze is not None and units > freeze,
    )


def _against(request: OrderRequest, open_orders: Iterable[BookOrder]) -> tuple[str, ...]:
    """A word of caution where an order that is open already does the same: both may fill."""
    alike = [
        order
        for order in open_orders
        if not order.terminal and (order.key, order.side, order.product) == (request.key, request.side, request.product)
    ]
    if not alike:
        return ()
    waiting = sum(order.pending_quantity or order.quantity - order.filled_quantity for order in alike)
    many = "An order" if len(alike) == 1 else f"{len(alike)} orders"
    verb = SIDE_NAMES[request.side].lower()
    return (f"{many} to {verb} {quantity(waiting)} of it {'is' if len(alike) == 1 else 'are'} open already: if both "
            "fill, a position the other way remains. Cancel first what you do not want.",)  # fmt: skip

"""From a button of the portfolio tables to the confirmation, or to the form that comes before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from dashboard.components.position_forms import convert_dialog, part_dialog
from dashboard.components.position_table import Asked
from dashboard.order_drafts import OrderDraft
from dashboard.portfolio_drafts import (
    all_out_draft,
    exit_draft,
    exit_request,
    exits_draft,
    sale_draft,
    sale_request,
)  # fmt: skip
from dashboard.portfolio_rows import CONVERT, EXIT, EXIT_ALL, EXIT_PART, SELL, SELL_PART, TICKET, position_id
from dashboard.portfolio_words import quantities_are_old
from dashboard.reading import Reading
from dashboard.ticket_form import ticket_query
from services.domain.errors import InvalidRequest
from services.domain.orders import BookOrder
from services.portfolio_book.marks import MarkedHolding, MarkedPosition
from services.portfolio_book.views import HoldingsView, PositionsView

FORMS = frozenset({EXIT_PART, CONVERT, SELL_PART})
"""What asks for more before it is a decision: in a dialog, which the page draws in each whole run."""
GONE = "That is not among the positions any more; nothing was sent."


@dataclass(frozen=True, slots=True)
class Desk:
    """What is known when a button is pressed."""

    positions: PositionsView
    holdings: HoldingsView
    reading: Reading
    open_orders: Sequence[BookOrder]


def answer(asked: Asked, known: Desk) -> OrderDraft | None:
    """The decision to be confirmed; `None` where a form was opened that asks for more. Raises `InvalidRequest`, in
    words, for what cannot be done."""
    match asked.what:
        case value if value == EXIT_ALL:
            return _doubted(all_out_draft(known.positions.rows, known.open_orders), known.positions, known)
        case value if value == EXIT:
            return _exit(_positions(asked, known), known)
        case value if value == EXIT_PART:
            _exit_part(_positions(asked, known)[0], known)
        case value if value == CONVERT:
            one = _positions(asked, known)[0]
            convert_dialog(one.position, known.reading.instruments.get(one.position.key))
        case value if value == SELL:
            return _sale(_holding(asked, known), known, None, None)
        case value if value == SELL_PART:
            _sell_part(_holding(asked, known), known)
    return None


def ticket_link(asked: Asked, known: Desk) -> dict[str, str] | None:
    """The members of the address of a ticket that would close what was chosen; `None` where something else was asked
    for. Raises `InvalidRequest` for what is not there any more."""
    if asked.what != TICKET:
        return None
    held = {one.holding.key: one for one in known.holdings.rows}
    if len(asked.ids) == 1 and asked.ids[0] in held:
        return ticket_query(sale_request(held[asked.ids[0]].holding, held[asked.ids[0]].sellable, None))
    return ticket_query(exit_request(_positions(asked, known)[0].position, None))


def _exit(chosen: Sequence[MarkedPosition], known: Desk) -> OrderDraft:
    names = known.reading.instruments
    if len(chosen) == 1:
        return _one_exit(chosen[0], known, None, None)
    requests = [exit_request(one.position, names.get(one.position.key)) for one in chosen if one.is_open]
    return _doubted(exits_draft(requests, names, open_orders=known.open_orders), known.positions, known)


def _one_exit(one: MarkedPosition, known: Desk, units: int | None, limit: Decimal | None) -> OrderDraft:
    instrument = known.reading.instruments.get(one.position.key)
    request = exit_request(one.position, instrument, units=units, limit=limit)
    rest = abs(one.position.quantity) - request.quantity
    return _doubted(exit_draft(request, instrument, rest=rest, open_orders=known.open_orders), known.positions, known)


def _exit_part(one: MarkedPosition, known: Desk) -> None:
    instrument = known.reading.instruments.get(one.position.key)
    part_dialog(
        f"Exit a part of {instrument.symbol if instrument else one.position.symbol}",
        id=position_id(one),
        units=abs(one.position.quantity),
        instrument=instrument,
        ltp=one.price.ltp,
        make=lambda units, limit: _one_exit(one, known, units, limit),
    )


def _sale(one: MarkedHolding, known: Desk, units: int | None, limit: Decimal | None) -> OrderDraft:
    instrument = known.reading.instruments.get(one.holding.key)
    request = sale_request(one.holding, one.sellable, instrument, units=units, limit=limit)
    rest = one.holding.quantity - request.quantity
    return _doubted(sale_draft(request, instrument, rest=rest, open_orders=known.open_orders), known.holdings, known)


def _sell_part(one: MarkedHolding, known: Desk) -> None:
    instrument = known.reading.instruments.get(one.holding.key)
    part_dialog(
        f"Sell a part of {one.holding.symbol}",
        id=one.holding.key,
        units=one.sellable,
        instrument=instrument,
        ltp=one.price.ltp,
        make=lambda units, limit: _sale(one, known, units, limit),
    )


def _positions(asked: Asked, known: Desk) -> list[MarkedPosition]:
    """Those of that name that are still open, in the order of the table."""
    wanted = set(asked.ids)
    found = [one for one in known.positions.rows if position_id(one) in wanted and one.is_open]
    if not found:
        raise InvalidRequest(GONE)
    return found


def _holding(asked: Asked, known: Desk) -> MarkedHolding:
    by_key: Mapping[str, MarkedHolding] = {one.holding.key: one for one in known.holdings.rows}
    if len(asked.ids) != 1 or asked.ids[0] not in by_key:
        raise InvalidRequest("that is not among the holdings any more; nothing was sent")
    return by_key[asked.ids[0]]


def _doubted(draft: OrderDraft, view: PositionsView | HoldingsView, known: Desk) -> OrderDraft:
    """`draft` with a warning where the quantities that it goes by could not be renewed."""
    if view.error is None or view.as_of is None:
        return draft
    return replace(draft, warnings=(quantities_are_old(view.as_of, known.reading.now), *draft.warnings))

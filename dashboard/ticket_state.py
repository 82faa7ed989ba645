"""What the ticket of a session holds: begun by a link or a choice, then filled in by the person.

The fields are drawn anew, with other first values, whenever a ticket is loaded; in between they are the person's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from dashboard.late_links import is_late, leave
from dashboard.ticket_form import TicketForm
from services.domain.instruments import is_instrument_key
from services.domain.orders import OrderRequest, Product, Side

_FORM, _TIMES, _BASKET = "orders-ticket", "orders-ticket-times", "orders-basket"
_FRESH = "orders-ticket-fresh"
_PAGE = "orders"
_MOST_UNITS = 10**9


@dataclass(frozen=True, slots=True)
class Link:
    """What a link to the ticket asks for; `None` = nothing said of it."""

    key: str | None = None
    side: Side | None = None
    quantity: int | None = None
    product: Product | None = None


NOTHING = Link()


def read_link(words: Mapping[str, str]) -> Link:
    """What is meant by the members of an address; what makes no sense is left out: anybody may write a link."""
    key, side, units = words.get("key", ""), words.get("side", "").upper(), words.get("quantity", "")
    product = words.get("product", "").upper()
    return Link(
        key=key if is_instrument_key(key) else None,
        side=next((one for one in Side if one == side), None),
        quantity=int(units) if units.isascii() and units.isdigit() and 0 < int(units[:12]) <= _MOST_UNITS else None,
        product=next((one for one in (Product.DELIVERY, Product.INTRADAY, Product.MTF) if one == product), None),
    )


def take_link() -> Link:
    """What the address asks for, said once: it stays in the address as the instrument only, so that drawing the page
    again does not undo what was typed since."""
    link = read_link(st.query_params.to_dict())
    for name in ("side", "quantity", "product"):
        st.query_params.pop(name, None)
    return link


def loaded() -> TicketForm | None:
    """The ticket as it was when its fields were drawn first; `None` before there is one."""
    form: TicketForm | None = st.session_state.get(_FORM)
    return form


def load(form: TicketForm) -> None:
    """Another ticket, drawn with the next run."""
    st.session_state[_FORM] = form
    st.session_state[_TIMES] = times() + 1
    _write_link(form)


def choose(key: str, link: Link = NOTHING) -> None:
    """A new ticket for that instrument, on the side that was looked at. What nobody said is filled in as usual as soon
    as the instrument is known."""
    before = loaded()
    side = link.side or (before.side if before is not None else Side.BUY)
    load(TicketForm(key, side, quantity=link.quantity, product=link.product or Product.DELIVERY))
    st.session_state[_FRESH] = True


def begin() -> None:
    """Take over what the address asks for. Call it once in a full run, before the ticket is drawn."""
    link, form = take_link(), loaded()
    said = link.side is not None or link.quantity is not None or link.product is not None
    late = link.key is not None and is_late(_PAGE, {"key": link.key})
    if link.key is not None and (form is None or said or (form.key != link.key and not late)):
        choose(link.key, link)
    elif form is not None:
        _write_link(form)


def _write_link(form: TicketForm) -> None:
    there = st.query_params.get("key")
    if there != form.key:
        if there is not None:
            leave(_PAGE, {"key": there})
        st.query_params["key"] = form.key


def fresh_wanted() -> bool:
    """Is the ticket still to be filled in with the usual, now that the instrument is known? Said once."""
    return bool(st.session_state.pop(_FRESH, False))


def replace_form(form: TicketForm) -> None:
    """Fill in the ticket before its fields are drawn for the first time."""
    st.session_state[_FORM] = form


def times() -> int:
    """How often a ticket was loaded: part of the names of its fields."""
    return int(st.session_state.get(_TIMES, 0))


def field(name: str) -> str:
    """The name of a field of the ticket that is drawn now."""
    return f"ticket-{times()}-{name}"


def put(name: str, value: object) -> None:
    """For callbacks: fill in what is kept, or stands in a field, under `name`."""
    st.session_state[name] = value


def basket() -> tuple[OrderRequest, ...]:
    """The orders that are gathered to be placed together."""
    legs: tuple[OrderRequest, ...] = st.session_state.get(_BASKET, ())
    return legs


def set_basket(legs: tuple[OrderRequest, ...]) -> None:
    st.session_state[_BASKET] = legs

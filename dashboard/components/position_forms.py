"""Small forms before a confirmation: how much of a position or holding, at which price; how much to convert.

Nothing is sent from here: the button leads to the confirmation, which says it in words and has the one button that
does.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import streamlit as st

from dashboard.formatting import number, price_decimals, quantity
from dashboard.markup import plain
from dashboard.order_drafts import OrderDraft
from dashboard.order_session import ask_to_confirm
from dashboard.over_page import dismiss
from dashboard.portfolio_drafts import conversion_warnings, convert_draft, lot_step
from dashboard.portfolio_rows import CONVERTIBLE
from dashboard.ticket_form import exact, price_step, product_name, snap
from dashboard.words import in_words
from services.domain.errors import UpstoxError
from services.domain.instruments import Instrument
from services.domain.orders import Product
from services.domain.positions import Position

_MARKET, _LIMIT = "Market", "Limit"

Make = Callable[[int, Decimal | None], OrderDraft]
"""A draft of so many units at that limit (`None`: at the market)."""


def part_dialog(
    title: str, *, id: str, units: int, instrument: Instrument | None, ltp: Decimal | None, make: Make
) -> None:
    """Ask how many of `units`, and at which price; then for the confirmation."""

    @st.dialog(plain(title), width="small", on_dismiss=dismiss)
    def ask() -> None:
        wanted = _units(units, id, instrument)
        kind = st.segmented_control(
            "Price", [_MARKET, _LIMIT], default=_MARKET, required=True, key=f"portfolio-kind-{id}"
        )
        if not kind:  # None: one run followed another too closely: never to be read as "market"
            return
        limit = _price(id, instrument, ltp) if kind == _LIMIT else None
        if kind == _LIMIT and limit is None:
            _ways_on(None, None)
            return
        _ways_on("Review the order", lambda: make(wanted, limit))

    ask()


def convert_dialog(position: Position, instrument: Instrument | None) -> None:
    """Ask how many units are to be held as the other product; then for the confirmation."""
    segment, id = position.key.partition("|")[0], f"{position.key}/{position.product}"
    new = next(one for one in CONVERTIBLE if one != position.product)
    who = instrument.symbol if instrument else position.symbol or position.key

    @st.dialog(plain(f"Convert {who}"), width="small", on_dismiss=dismiss)
    def ask() -> None:
        before, after = _named(Product(position.product), segment), _named(new, segment)
        st.markdown(f"From {before} to {after}")
        wanted = _units(abs(position.quantity), id, instrument)
        for warning in conversion_warnings(position, wanted, new):
            st.caption(f":material/info: {plain(warning)}")
        _ways_on("Review the conversion", lambda: convert_draft(position, wanted, new, instrument))

    ask()


def _named(product: Product, segment: str) -> str:
    """What it is called, and what other desks call it."""
    code = "MIS" if product is Product.INTRADAY else "CNC" if segment.endswith("_EQ") else "NRML"
    return f"**{product_name(product, segment)}** ({code})"


def _units(held: int, id: str, instrument: Instrument | None) -> int:
    step = min(lot_step(instrument), held)
    wanted = st.number_input(
        f"Quantity, of {quantity(held)}",
        min_value=min(step, held),
        max_value=held,
        value=held,
        step=step,
        key=f"portfolio-units-{id}",
    )
    return int(wanted)


def _price(id: str, instrument: Instrument | None, ltp: Decimal | None) -> Decimal | None:
    step = price_step(instrument)
    decimals = price_decimals(step)
    start = None if ltp is None else float(snap(ltp, instrument.tick_size if instrument else None))
    given = st.number_input(
        "Limit",
        min_value=float(step),
        value=start,
        step=float(step),
        format=f"%.{decimals}f",
        key=f"portfolio-price-{id}",
        help=f"Tick {number(step, decimals)}",
    )
    return exact(given, decimals)


def _ways_on(label: str | None, make: Callable[[], OrderDraft] | None) -> None:
    """Back, or on to the confirmation."""
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if st.button("Back", key="portfolio-form-back"):
            dismiss()
            st.rerun()
        pressed = st.button(label or "Review", key="portfolio-form-on", type="primary", disabled=make is None)
    if not pressed or make is None:
        return
    try:
        draft = make()
    except UpstoxError as error:
        st.error(plain(in_words(error).text))
        return
    dismiss()
    ask_to_confirm(draft)
    st.rerun()

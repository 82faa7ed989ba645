"""The order ticket: what to buy or sell, how many, at what price; beside it the market, below it what it would cost.

One live part. Its fields are the person's own; what is drawn anew are prices, checks and figures. Nothing here sends:
the button at the end puts the order to the person once more, in words.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard.calendar_words import session_words
from dashboard.components.cards import card_title, fact_groups
from dashboard.components.chart_link import chart_link
from dashboard.components.depth import depth_ladder, fact_rows
from dashboard.components.gtt_ticket import gtt_fields
from dashboard.components.notices import show_problem
from dashboard.components.search import find_instrument
from dashboard.components.ticket_fields import fields
from dashboard.components.ticket_figures import show_figures, show_findings
from dashboard.markup import plain
from dashboard.order_drafts import MOST_LEGS, place_draft, terse
from dashboard.order_session import ask_to_confirm
from dashboard.order_twins import twin_warning
from dashboard.reading import Reading, first_read, read
from dashboard.resources import desk
from dashboard.state import first_time, say, say_later
from dashboard.ticket_form import (
    SIDE_NAMES,
    TicketForm,
    fresh,
    rules_of,
    suited,
    why_not_traded,
)
from dashboard.ticket_state import basket, choose, field, fresh_wanted, loaded, put, replace_form, set_basket
from dashboard.uses import TICKET, seen
from services.domain.calendar.days import market_of
from services.domain.clock import ist_date
from services.domain.errors import InvalidRequest
from services.domain.instruments import Instrument
from services.domain.orders import OrderRequest, Side
from services.orders.views import Preview

ORDER, GTT = "Order", "GTT"
_PRESSED, _REVIEW, _BASKET = "ticket-pressed", "review", "basket"


def ticket() -> None:
    """Draw the ticket of this session, or the search that begins one."""
    say()
    form = loaded()
    left, right = st.columns([1.25, 1], gap="small")
    with left, st.container(border=True):
        _search(form)
        if form is None:
            st.caption("Choose what to trade: type a symbol, a name or an ISIN above.")
            return
        look = first_read if first_time(f"ticket-{form.key}") else read
        reading = look(desk(), "ticket", (form.key,))
        seen(desk(), TICKET, (form.key,))
        instrument = reading.instruments.get(form.key)
        if instrument is None:
            st.caption("The instrument list does not have it (yet); without its tick and lot no order can be made.")
            return
        if fresh_wanted():
            form = _filled_in(form, instrument, reading)
        _title(instrument, st.session_state.get(field("side"), form.side))
        _session(instrument)
        if why := why_not_traded(instrument):
            st.info(why, icon=":material/info:")
        else:
            _ticket_of(form, instrument, reading)
    with right:
        _market(reading, instrument)


def _search(form: TicketForm | None) -> None:
    find_instrument(
        "orders-search",
        label="Instrument",
        placeholder="Trade: symbol, name, ISIN, or nifty 25000 ce",
        verb="Trade",
        had=() if form is None else (form.key,),
        had_words="in the ticket",
        on_pick=choose,
    )


def _filled_in(form: TicketForm, instrument: Instrument, reading: Reading) -> TicketForm:
    """The ticket with the usual in it where nothing was said."""
    row = reading.rows.get(instrument.key)
    usual = fresh(instrument, form.side, last=row["ltp"] if row is not None else None)
    filled = suited(replace(usual, quantity=form.quantity or usual.quantity, product=form.product), instrument)
    replace_form(filled)
    return filled


def _title(instrument: Instrument, side: Side) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(SIDE_NAMES[side], color="green" if side is Side.BUY else "red")
        card_title(instrument.symbol, f"{instrument.name} · {instrument.segment.replace('_', ' ')}")
        chart_link(instrument.key)


def _session(instrument: Instrument) -> None:
    """Say that the instrument trades at hours of its own today, and at which."""
    runtime = desk()
    now = runtime.clock.now()
    plan = runtime.calendar.current.day(market_of(instrument.segment), ist_date(now))
    if words := session_words(plan, now):
        st.markdown(f":violet[:material/event: {plain(words)}]")


def _market(reading: Reading, instrument: Instrument) -> None:
    with st.container(border=True):
        if reading.problem is not None:
            show_problem(reading.problem)
        card_title("Market", rules_of(instrument))
        depth_ladder(reading, instrument.key, key="orders-depth", on_price=_take_price)
        st.caption("A click on a price takes it over into the ticket.")
        wanted = ("Day range", "Circuits", "Volume / average", "Last trade")
        rows = [row for row in fact_rows(reading, instrument.key) if row["name"] in wanted]
        fact_groups([{"rows": rows}], key="orders-facts", across=1)


def _take_price(sent: object) -> None:
    """A level of the depth was clicked."""
    if isinstance(sent, int | float) and not isinstance(sent, bool) and 0 < sent < 10**9:
        gtt = st.session_state.get(field("mode")) == GTT
        put(field("gtt-entry") if gtt else field("price"), float(sent))


def _ticket_of(form: TicketForm, instrument: Instrument, reading: Reading) -> None:
    mode = st.segmented_control(
        "Kind",
        [ORDER, GTT],
        default=ORDER,
        required=True,
        key=field("mode"),
        label_visibility="collapsed",
        help="An order goes out now. A GTT waits at the broker, up to a year, until its price is traded.",
        persist_state="session",
    )
    if mode == GTT:
        gtt_fields(form, instrument)
        return
    now = fields(form, instrument, reading)
    if now.missing:
        st.caption(f":material/edit: {now.missing}")
        _buttons(None, None, instrument)
        return
    try:
        request = now.request()
    except InvalidRequest as error:
        st.markdown(f":red[:material/block:] {plain(_sentence(error))}")
        _buttons(None, None, instrument)
        return
    preview = desk().orders.preview(request)
    show_figures(preview)
    show_findings(preview.findings)
    _buttons(request, preview, instrument)


def _buttons(request: OrderRequest | None, preview: Preview | None, instrument: Instrument) -> None:
    """To the confirmation, or into the basket."""
    ready = request is not None and preview is not None and not preview.blocked
    label = f"Review: {terse(request, instrument)}" if request is not None else "Review"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            plain(label),
            key="ticket-review",
            type="primary",
            disabled=not ready,
            shortcut="Ctrl+Enter",
            on_click=put,
            args=(_PRESSED, _REVIEW),
        )
        full = len(basket()) >= MOST_LEGS
        st.button(
            "Add to basket",
            key="ticket-basket",
            icon=":material/add_shopping_cart:",
            disabled=request is None or full,
            help=f"Up to {MOST_LEGS} orders that are confirmed together",
            on_click=put,
            args=(_PRESSED, _BASKET),
        )
    # A press is noted before anything is drawn, so that a run that is cut off does not lose it, and is acted on here,
    # with what stands in the fields by now: a field that is still typed in sends its value together with the press.
    pressed = st.session_state.pop(_PRESSED, None)
    if pressed == _REVIEW and ready:
        assert request is not None and preview is not None  # `ready` says so  # noqa: PT018
        warnings = twin_warning(request, desk().orders.book().orders, desk().clock.now())
        ask_to_confirm(place_draft(request, instrument, preview.sentence, warnings=warnings))
        st.rerun()
    elif pressed == _BASKET and request is not None and not full:
        set_basket((*basket(), request))
        say_later(f"In the basket: {terse(request, instrument)}")
        st.rerun()


def _sentence(error: InvalidRequest) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."

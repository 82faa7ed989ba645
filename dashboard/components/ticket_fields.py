"""The fields of the order ticket: the person's own once they are drawn; prices beside them can be taken over."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from dashboard.components.notices import caution
from dashboard.formatting import age, ist_when, number, price_decimals, quantity, tick
from dashboard.push.fields import member
from dashboard.reading import Reading
from dashboard.ticket_form import (
    SIDE_NAMES,
    TYPE_HELP,
    TYPE_NAMES,
    VALIDITY_NAMES,
    TicketForm,
    exact,
    price_step,
    product_name,
    products_of,
    slices,
    tick_hint,
    trades_in_lots,
    units_of_lot,
)
from dashboard.ticket_state import field, put
from services.domain.instruments import Instrument
from services.domain.orders import AUTOMATIC_PROTECTION, OrderType, Product, Side, Validity

_TONES = {Side.BUY: "green", Side.SELL: "red"}


def fields(form: TicketForm, instrument: Instrument, reading: Reading) -> TicketForm:
    """Draw them, begun with `form`; what stands in them now."""
    top = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    with top:
        side = side_field(form)
        kind = st.segmented_control(
            "Type",
            list(OrderType),
            default=form.order_type,
            required=True,
            format_func=TYPE_NAMES.__getitem__,
            key=field("type"),
            label_visibility="collapsed",
            help=TYPE_HELP,
            persist_state="session",
        )
    kind = OrderType(kind)
    numbers = st.grid(3, gap="small", min_column_width=118)
    with numbers:
        units = quantity_fields(form, instrument)
        price = _price_field("price", "Price", form.price, instrument) if kind.needs_price else None
        trigger = _price_field("trigger", "Trigger", form.trigger, instrument) if kind.needs_trigger else None
    _price_buttons(instrument, reading, side, price if kind.needs_price else None)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        product = product_field(form, instrument)
        validity = form.validity
        if not kind.needs_trigger:
            validity = st.segmented_control(
                "Validity",
                list(Validity),
                default=form.validity,
                required=True,
                format_func=VALIDITY_NAMES.__getitem__,
                key=field("validity"),
                label_visibility="collapsed",
                help="Day: until the close. IOC: what cannot be filled at once is cancelled.",
                persist_state="session",
            )
        protection, disclosed, slicing = _more(form, instrument, kind, units)
    return TicketForm(
        key=form.key,
        side=side,
        order_type=kind,
        product=product,
        validity=Validity(validity),
        quantity=units,
        price=price,
        trigger=trigger,
        protection=protection,
        disclosed=disclosed,
        slicing=slicing,
    )


def side_field(form: TicketForm) -> Side:
    """Buy or sell: an order's and a GTT's alike, as the two that follow."""
    side = st.segmented_control(
        "Side",
        list(Side),
        default=form.side,
        required=True,
        format_func=lambda one: f":{_TONES[one]}[**{SIDE_NAMES[one]}**]",
        key=field("side"),
        label_visibility="collapsed",
        persist_state="session",
    )
    return Side(side)


def product_field(form: TicketForm, instrument: Instrument) -> Product:
    product = st.segmented_control(
        "Product",
        products_of(instrument),
        default=form.product,
        required=True,
        format_func=lambda one: product_name(one, instrument.segment),
        key=field("product"),
        label_visibility="collapsed",
        persist_state="session",
    )
    return Product(product)


def quantity_fields(form: TicketForm, instrument: Instrument) -> int | None:
    """Units, and lots beside them where the exchange wants whole ones: each follows the other."""
    lot, name, lots = units_of_lot(instrument), field("quantity"), field("lots")
    in_lots = trades_in_lots(instrument)
    unit = "Lots" if instrument.segment == "MCX_FO" else "Quantity"
    units = st.number_input(
        unit,
        min_value=0,
        max_value=10**9,
        value=form.quantity,
        step=lot,
        key=name,
        on_change=_lots_follow if in_lots else None,
        args=(name, lots, lot) if in_lots else None,
        persist_state="session",
    )
    if in_lots:
        st.number_input(
            f"Lots of {quantity(lot)}",
            min_value=0,
            max_value=10**6,
            value=(form.quantity or 0) // lot,
            step=1,
            key=lots,
            on_change=_units_follow,
            args=(name, lots, lot),
            persist_state="session",
        )
    return units or None


def _lots_follow(units: str, lots: str, lot: int) -> None:
    put(lots, int(st.session_state.get(units) or 0) // lot)


def _units_follow(units: str, lots: str, lot: int) -> None:
    put(units, int(st.session_state.get(lots) or 0) * lot)


def _price_field(name: str, label: str, first: Decimal | None, instrument: Instrument) -> Decimal | None:
    decimals = price_decimals(instrument.tick_size)
    typed = st.number_input(
        label,
        min_value=0.0,
        max_value=1e9,
        value=None if first is None else float(first),
        step=float(price_step(instrument)),
        format=f"%.{decimals}f",
        key=field(name),
        help=f"Arrow keys move it by the tick of {tick(instrument.tick_size)}" if instrument.tick_size else None,
        persist_state="session",
    )
    price = exact(typed, decimals)
    return price if price else None


def _price_buttons(instrument: Instrument, reading: Reading, side: Side, price: Decimal | None) -> None:
    """Bid, last and ask, to be taken over, with their age: they are renewed less often than the depth beside them. Grey
    where they are not of now. And the price on the tick in place of one between."""
    row = reading.rows.get(instrument.key)
    if price is None and st.session_state.get(field("type")) in (OrderType.MARKET, OrderType.STOP_MARKET):
        return
    decimals, old = price_decimals(instrument.tick_size), reading.is_old(instrument.key)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if row is not None:
            for name, value in (
                ("Bid", member(row, "bid")),
                ("Last", row["ltp"]),
                ("Ask", member(row, "ask")),
            ):
                if value:
                    label = f"{name} {number(value, decimals)}"
                    st.button(
                        f":gray[{label}]" if old else label,
                        key=field(f"take-{name}"),
                        type="tertiary",
                        on_click=put,
                        args=(field("price"), float(value)),
                    )
            if old:
                caution(f"{age(reading.age(instrument.key))} old, not current", width="content")
            else:
                st.markdown(f":gray[:small[{_from_when(instrument.key, reading)}]]", width="content")
        hint = tick_hint(price, instrument, side)
        if hint is not None:
            st.button(
                f"On the tick: {number(hint, decimals)}",
                key=field("snap"),
                icon=":material/straighten:",
                on_click=put,
                args=(field("price"), float(hint)),
            )


def _from_when(key: str, reading: Reading) -> str:
    """When the quote of `key` came: no age, for the depth beside it goes on meanwhile. Of a market that is closed, when
    its last trade was."""
    row = reading.rows[key]
    moves = key in reading.moving or row["last_trade_time"] is None
    at = row["received_at"] if moves else row["last_trade_time"]
    return f"as of {ist_when(at, reading.now, seconds=moves)}"


def _more(form: TicketForm, instrument: Instrument, kind: OrderType, units: int | None) -> tuple[Decimal, int, bool]:
    """What few orders need: protection of market orders, disclosed quantity, slicing."""
    with st.popover("More", icon=":material/tune:"):
        protection = AUTOMATIC_PROTECTION
        if kind.takes_protection:
            percent = st.number_input(
                "Market protection, percent",
                min_value=0,
                max_value=25,
                value=max(0, int(form.protection)),
                key=field("protection"),
                help="How far from the market it may be filled. 0: the broker chooses. 1 to 25 percent otherwise.",
                persist_state="session",
            )
            protection = Decimal(percent) if percent else AUTOMATIC_PROTECTION
        disclosed = st.number_input(
            "Disclosed quantity",
            min_value=0,
            max_value=10**9,
            value=form.disclosed,
            step=units_of_lot(instrument),
            key=field("disclosed"),
            help="How much of it the others may see: nothing given, or at least a tenth.",
            persist_state="session",
        )
        freeze = instrument.freeze_quantity
        slicing = st.checkbox(
            "Split above the freeze quantity" + (f" of {quantity(freeze)}" if freeze else ""),
            value=form.slicing,
            key=field("slice"),
            persist_state="session",
        )
        count = slices(units, freeze)
        if slicing and count > 1:
            st.caption(f"It goes out as {count} orders.")
        st.caption("Outside market hours the broker keeps it as an after-market order by itself.")
    return protection, disclosed or 0, slicing

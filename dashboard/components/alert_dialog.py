"""The dialog in which a price alert is made: from a row of quotes, a chart, an instrument's card, the health page."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from dashboard.alert_words import away_told, direction_of, level_told, price_state_told, read_level
from dashboard.components.alert_symbol import symbol_button
from dashboard.components.notices import problems_in_words, problems_said
from dashboard.components.search import find_instrument
from dashboard.formatting import age, number, percent, price_decimals
from dashboard.instrument_wanted import leave_if_wanted
from dashboard.markup import plain
from dashboard.order_session import actor
from dashboard.over_page import Over, dismiss, want
from dashboard.reading import first_read, read
from dashboard.resources import desk
from dashboard.state import first_time, say_later
from dashboard.words import in_words
from services.alerts import PriceAlertState, Side, Watched
from services.domain.errors import UpstoxError
from services.domain.instruments import is_instrument_key

_ANY = ""
"""No instrument is chosen yet."""
_KINDS = {Watched.PRICE: "Price", Watched.PERCENT: "Change of the day"}
_SIDES = {Side.ABOVE: "rises to it", Side.BELOW: "falls to it"}


def alert_button(*, key: str, instrument_key: str | None = None, label: str = "New price alert") -> None:
    """A button that opens the dialog, for that instrument or for one that is searched there."""
    small = instrument_key is not None
    if st.button(
        "Alert" if small else label,
        key=key,
        icon=None if small else ":material/add_alert:",
        type="tertiary" if small else "secondary",
        help="Be told when the price gets somewhere",
    ):
        want_alert(instrument_key or _ANY)
        st.rerun()


def want_alert(instrument_key: str) -> None:
    """Have the dialog opened by the next whole run: for what comes back from a browser. What is no key asks for one."""
    want(Over.ALERT, instrument_key if is_instrument_key(instrument_key) else _ANY)


@st.dialog("Price alert", icon=":material/add_alert:", on_dismiss=dismiss)
def alert_dialog(instrument_key: str) -> None:
    """For that instrument, or for one that is searched there first."""
    with problems_in_words():
        if not instrument_key:
            find_instrument(
                "alert-search",
                label="Instrument",
                placeholder="Symbol, name or ISIN",
                verb="Choose",
                had=(),
                had_words="",
                on_pick=want_alert,
            )
            st.space(330)  # what is found lies over it
            return
        _form(instrument_key)


def _form(key: str) -> None:
    look = first_read if first_time(f"alert-{key}") else read
    reading = look(desk(), f"alert-{key}", (key,))
    row, instrument = reading.rows.get(key), reading.instruments.get(key)
    name = instrument.symbol if instrument is not None else key
    ltp, change = (None, None) if row is None else (row["ltp"], row["change_percent"])
    places = price_decimals(instrument.tick_size if instrument else None)
    old = reading.age(key)
    told = "no price yet" if ltp is None else f"{number(ltp, places)} ({percent(change)}), {age(old)} old"
    st.markdown(f"**{plain(name)}** &ensp; {plain(told)}")
    measure = st.segmented_control(
        "What", list(_KINDS), format_func=_KINDS.__getitem__, default=Watched.PRICE, required=True,
        key="alert-measure", label_visibility="collapsed",
    ) or Watched.PRICE  # fmt: skip
    now = ltp if measure is Watched.PRICE else change
    text = st.text_input(
        "Level" if measure is Watched.PRICE else "Level, percent",
        key="alert-level",
        placeholder="for example " + (number((ltp or 100) * 1.02, places) if measure is Watched.PRICE else "+2"),
    )
    level = read_level(text)
    side = None if level is None else direction_of(level, now)
    if level is not None and now is None:
        side = st.segmented_control(
            "When it", list(_SIDES), format_func=_SIDES.__getitem__, default=Side.ABOVE, required=True, key="alert-side"
        )
    elif text and level is None:
        st.caption(":red[A number is wanted.]")
    elif level is not None and side is not None:
        away = f" ({away_told(level, now)})" if measure is Watched.PRICE and now else ""
        st.caption(f"You are told when it {_SIDES[side].removesuffix(' to it')} to that{plain(away)}.")
    elif level is not None:
        st.caption("It is there already.")
    note = st.text_input("Note (may be empty)", key="alert-note", max_chars=200)
    again = st.checkbox("Each time, not only once", key="alert-again")
    if st.button("Set the alert", key="alert-set", type="primary", disabled=level is None or side is None):
        assert level is not None
        assert side is not None
        _set(key, name, level, side, measure, note, once=not again)
    _others(key, name)
    st.caption("It is told on every page here, and over the channels of the health page, as long as this desk runs.")


def _set(key: str, name: str, level: Decimal, side: Side, measure: Watched, note: str, *, once: bool) -> None:
    try:
        made = desk().alert_desk.prices.add(
            key, name, actor(), level=level, direction=side, measure=measure, note=note, once=once
        )
    except UpstoxError as error:
        st.error(plain(in_words(error).text))
        return
    say_later(f"Alert set: {name} {level_told(made)}")
    dismiss()
    st.rerun()


def _others(key: str, name: str) -> None:
    mine = [one for one in desk().alert_desk.prices.states() if one.alert.instrument_key == key]
    if mine:
        st.markdown(f":small[**Alerts on {plain(name)}**]")
    for one in mine:
        price_alert_row(one, key="alert-mine", named=False)


def price_alert_row(state: PriceAlertState, *, key: str, named: bool = True) -> None:
    """One price alert with its buttons, as a line."""
    alert, now = state.alert, desk().clock.now()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if named:
            symbol_button(alert.symbol, alert.instrument_key, key=f"{key}-open-{alert.id}")
        with st.container(gap=None, width="stretch"):
            tone = ":orange-badge[rings] " if state.ringing else ""
            each = "" if alert.once else ", each time"
            st.markdown(f"{tone}{plain(level_told(alert))}{each}")
            note = f" · {alert.note}" if alert.note else ""
            st.caption(plain(price_state_told(state, now) + note))
        if not alert.waits and not state.ringing:
            st.button(
                "Again", key=f"{key}-again-{alert.id}", help="Wait for it anew", on_click=_again, args=(alert.id,)
            )
        st.button(
            "Remove",
            key=f"{key}-remove-{alert.id}",
            icon=":material/close:",
            type="tertiary",
            on_click=_remove,
            args=(alert.id,),
        )


def price_alert_list(*, key: str) -> None:
    """Every price alert, as a part of a live card."""
    leave_if_wanted()
    states = desk().alert_desk.prices.states()
    if not states:
        st.caption("No price alert is set. One is made here, in a row of quotes, or beside a chart.")
    for state in states:
        price_alert_row(state, key=key)


def _again(id: int) -> None:
    with problems_said():
        desk().alert_desk.prices.again(id, actor())
        say_later("The price alert waits anew")


def _remove(id: int) -> None:
    with problems_said():
        desk().alert_desk.prices.remove(id, actor())
        say_later("The price alert is removed")

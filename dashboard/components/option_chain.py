"""The option chain of one underlying and expiry, live, with the depth of the contract that was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import streamlit as st

from dashboard.components.notices import live_part, show_problem
from dashboard.components.side_panel import chosen_in, forget, remember, side_panel
from dashboard.components.web import browser_component
from dashboard.formatting import day
from dashboard.markup import plain
from dashboard.option_chains import ChainLook
from dashboard.option_choice import COUNTS, USUAL_COUNT, can_be_asked, labels, not_there, note_of, until
from dashboard.option_columns import CHOOSABLE, DEFAULT, columns, label
from dashboard.option_data import Chain, centre_of, chain_data, of_contracts
from dashboard.option_greeks import live_greeks
from dashboard.reading import FIRST_LOOK, Reading, first_read, read
from dashboard.resources import chain_keeper, desk, opening, push_tokens
from dashboard.state import first_time, push_door, say
from services.domain.clock import ist_date
from services.domain.instruments import Underlying
from services.domain.option_figures import around
from services.runtime import Runtime

_mount = browser_component("option_chain", live=True, parts=("option_paint", "option_figures"))

EVERY = 3.0
"""Prices, volume and open interest come by the push channel; this renews greeks, totals and ratios."""
_CENTRE = "chain-centre"
_PICKED = "chain"


def option_chain_tab() -> None:
    """Choose an underlying and an expiry; look at its options."""
    if not opening().master_ready.is_set():
        st.info("Option chains can be shown in a moment.", title="The instrument list is being loaded", icon="spinner")
        return
    master = desk().instruments
    offered = labels(master.with_options())
    if not offered:
        st.info("Today's instrument list has no options at all.", title="No options", icon=":material/table_rows:")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        asked = {name: st.query_params.get(key) for name, key in (("underlying", "of"), ("expiry", "expiry"))}
        underlying = _pick_underlying(list(offered), offered)
        expiries = {day(expiry): expiry for expiry in master.option_expiries(underlying)}
        expiry = expiries[_pick_expiry(list(expiries))]
        count = _pick_count()
        ids = _pick_columns()
    if missing := not_there(asked, {"underlying": list(offered), "expiry": list(expiries)}):
        st.caption(f":material/info: {plain(missing)}")
    live_part(EVERY, "quotes-chain")(_live)(underlying, expiry, count, ids)


def _pick_underlying(names: list[str], offered: dict[str, Underlying]) -> Underlying:
    if st.session_state.get("of") not in (None, *names):  # its last options have expired meanwhile
        del st.session_state["of"]
    name = st.selectbox(
        "Underlying",
        names,
        key="of",
        bind="query-params",
        persist_state="session",
        label_visibility="collapsed",
        width=190,
    )
    return offered[name]


def _pick_expiry(names: list[str]) -> str:
    if st.session_state.get("expiry") not in (None, *names):  # of another underlying
        del st.session_state["expiry"]
    return st.selectbox(
        "Expiry",
        names,
        key="expiry",
        bind="query-params",
        persist_state="session",
        label_visibility="collapsed",
        width=140,
    )


def _pick_count() -> int | None:
    name = st.segmented_control(
        "Strikes",
        list(COUNTS),
        default=USUAL_COUNT,
        required=True,
        key="strikes",
        bind="query-params",
        persist_state="session",
        label_visibility="collapsed",
    )
    return COUNTS[name or USUAL_COUNT]


def _pick_columns() -> list[str]:
    with st.popover("Columns", icon=":material/view_column:", help="Which figures beside the price"):
        ids: list[str] = st.multiselect(
            "Beside the price",
            list(CHOOSABLE),
            default=list(DEFAULT),
            format_func=label,
            key="figures",
            bind="query-params",
            persist_state="session",
            width=380,
        )
    return ids


def _live(underlying: Underlying, expiry: date, count: int | None, ids: Sequence[str]) -> None:
    say()
    rt = desk()
    look = _look(underlying, expiry)
    chain = _chain(rt, underlying, expiry, look)
    if not chain.rows:
        st.info("There is no contract of this expiry.", title="Nothing to show", icon=":material/table_rows:")
        return
    picked = chosen_in(_PICKED, chain.keys(chain.strikes))
    reading, strikes = _read(rt, chain, count, picked)
    if reading.problem is not None:
        show_problem(reading.problem)
    elif note := note_of(chain, look):
        st.caption(f":material/info: {plain(note)}")
    table, side = st.columns([2.15, 1], gap="small") if picked else (st.container(), st.container())
    with table:
        data = chain_data(chain, columns(ids), strikes, reading, live_greeks(rt, chain.keys(strikes)))
        _draw(data | {"expiry": day(expiry), "until": until(expiry, ist_date(reading.now)), "picked": picked})
    if picked is not None:
        with side:
            side_panel(reading, picked, key="chain-depth", on_close=lambda: forget(_PICKED))


def _draw(data: dict[str, Any]) -> None:
    key = "chain-table"

    def picked() -> None:
        sent = getattr(st.session_state.get(key), "picked", None)
        if isinstance(sent, str):
            remember(_PICKED, sent)

    _mount(key=key, data={**data, "push": push_door(push_tokens().renew)}, on_picked_change=picked)


def _look(underlying: Underlying, expiry: date) -> ChainLook:
    if underlying.key is None or not can_be_asked(underlying):
        return ChainLook()
    wait = FIRST_LOOK if first_time(f"chain-{underlying.key}-{expiry}") else 0.0
    return chain_keeper().look(underlying.key, expiry, wait=wait)


def _chain(rt: Runtime, underlying: Underlying, expiry: date, look: ChainLook) -> Chain:
    if look.rows:
        return Chain(underlying, expiry, look.rows, look.at)
    return of_contracts(underlying, expiry, rt.instruments.options(underlying, expiry))


def _read(rt: Runtime, chain: Chain, count: int | None, picked: str | None) -> tuple[Reading, Sequence[float]]:
    """The strikes around the money, and what is known of them. They stay where they are until the money has moved by a
    quarter of them; the whole of an expiry is watched where no chain of the broker tells of the rest."""
    name = f"chain-{chain.underlying.segment}-{chain.underlying.symbol}-{chain.expiry}-{count}"
    known: dict[str, float | None] = st.session_state.setdefault(_CENTRE, {})
    besides = [key for key in (chain.spot_key, picked) if key]
    every = chain.strikes
    before = _watched(chain, around(every, known.get(name), count)) if name in known else ()
    reading = read(rt, name, [*besides, *before])
    money = centre_of(chain, reading)
    if known.get(name) is None or _far(every, money, known.get(name), count):
        known[name] = money
    strikes = around(every, known[name], count)
    keys = [*besides, *_watched(chain, strikes)]
    if first_time(name):
        reading = first_read(rt, name, keys)
    elif not set(keys) <= set(reading.keys):
        reading = read(rt, name, keys)
    return reading, strikes


def _watched(chain: Chain, strikes: Sequence[float]) -> tuple[str, ...]:
    return chain.keys(strikes if chain.at is not None else chain.strikes)


def _far(strikes: Sequence[float], money: float | None, centre: float | None, count: int | None) -> bool:
    if count is None or money is None or centre not in strikes:
        return centre not in strikes
    return abs(strikes.index(money) - strikes.index(centre)) > max(count // 4, 1)

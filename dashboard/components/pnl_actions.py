"""Corporate actions and settlement prices, which no source tells: a person enters them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import streamlit as st

from dashboard.components.cards import card_title
from dashboard.components.pnl_entries import (
    ask_to_remove,
    back_button,
    entry,
    finish,
    open_form,
    opened_form,
    put_away,
    shown_entries,
)
from dashboard.formatting import day, ist_moment, rupees
from dashboard.markup import plain
from dashboard.order_session import actor
from dashboard.pnl_instruments import contract_words, contracts_of, expired_of, shares_of
from dashboard.pnl_record_words import action_name, action_words, plural, price_words
from dashboard.ticket_form import exact
from dashboard.words import in_words
from services.domain.clock import ist_date
from services.domain.errors import UpstoxError
from services.pnl.book import PnlBook
from services.pnl.views import PnlView
from services.portfolio.lots.actions import Action, Bonus, Demerger, Rename, Split
from services.portfolio.records import Settlement, StoredAction

ACTION, SETTLE = "action", "settlement"
_REMOVE_ACTION, _REMOVE_PRICE = "remove-action", "remove-settlement"
_SPLIT, _BONUS, _RENAME, _DEMERGER = "Split", "Bonus", "New ISIN or name", "Demerger"
_KINDS = (_SPLIT, _BONUS, _RENAME, _DEMERGER)
_EARLIEST = date(1995, 1, 1)


def actions_card(view: PnlView, book: PnlBook) -> None:
    """What was entered, and the way to enter more."""
    stored = book.actions.all()
    names = shares_of(view)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            card_title("Corporate actions", plural(len(stored), "entry", "entries") if stored else "")
            st.space("stretch")
            st.button("Enter an action", key="pnl-action", icon=":material/add:", on_click=open_form, args=(ACTION,))
        if not stored:
            st.caption("None yet. A tradebook cannot know of splits, bonus shares, new ISINs and demergers.")
        for one in shown_entries(stored, key="pnl-actions"):
            title = _title(one, names)
            note = f" · {one.note}" if one.note else ""
            small = f"{action_words(one.action)}{note} · entered {ist_moment(one.entered_at)} by {one.actor.name}"
            entry(title, small, key=f"pnl-action-{one.id}", form=(_REMOVE_ACTION, str(one.id)))
    for one in stored:
        if opened_form(_REMOVE_ACTION) == str(one.id):
            _remove_action(book, one, names)


def _remove_action(book: PnlBook, one: StoredAction, names: Mapping[str, str]) -> None:
    ask_to_remove(
        f"“{_title(one, names)}”",
        "Lots are worked out as if it had not happened.",
        lambda: book.actions.remove(one.id, actor()),
        key="pnl-action-remove",
        done="The corporate action was removed",
    )


def _title(one: StoredAction, names: Mapping[str, str]) -> str:
    return f"{names.get(one.action.instrument, one.action.instrument)} · {action_name(one.action)}"


def entry_forms(view: PnlView, book: PnlBook) -> None:
    """The form that is open, if it is one of these. Once in a run."""
    if (instrument := opened_form(ACTION)) is not None:
        action_dialog(view, book, instrument)
    elif (instrument := opened_form(SETTLE)) is not None:
        settle_dialog(view, book, instrument)


def action_dialog(view: PnlView, book: PnlBook, instrument: str = "") -> None:
    """Ask what happened to which shares. `instrument`: chosen already."""
    names = shares_of(view)

    @st.dialog("Enter a corporate action", icon=":material/call_split:", on_dismiss=put_away)
    def ask() -> None:
        if not names:
            st.caption("There are no shares in the book yet.")
            return
        kind = st.segmented_control("What happened", _KINDS, default=_SPLIT, required=True, key="pnl-action-kind")
        keys = list(names)
        chosen = st.selectbox(
            "Shares",
            keys,
            index=keys.index(instrument) if instrument in names else 0,
            format_func=lambda key: f"{names[key]} · {key}",
            key=f"pnl-action-shares-{instrument}",
        )
        on = st.date_input(
            "Ex-date",
            ist_date(view.now),
            min_value=_EARLIEST,
            max_value=ist_date(view.now),
            key="pnl-action-day",
            help="It holds for what was held before the opening of this day.",
        )
        made = _form(kind or _SPLIT, str(chosen), on, names)
        note = st.text_input(
            "Where it is known from",
            key="pnl-action-note",
            max_chars=200,
            placeholder="for example the exchange's notice",
        )
        if isinstance(made, str):
            st.caption(f":material/info: {plain(made)}")
        else:
            st.markdown(plain(_in_short(made, names)))
        with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
            back_button("pnl-action-back")
            pressed = st.button(
                "Enter it", key="pnl-action-go", type="primary", icon=":material/check:", disabled=isinstance(made, str)
            )
        if pressed and not isinstance(made, str):
            finish(lambda: book.actions.add(made, actor(), note=note), f"{names[made.instrument]}: entered")

    ask()


def _form(kind: str, instrument: str, on: date, names: Mapping[str, str]) -> Action | str:
    """The action that the fields make, or what is missing."""
    try:
        if kind == _SPLIT:
            old, new = _ratio("Each", "become", 1, 2)
            return Split(instrument, on, new, old, _into("New ISIN, if it changed"))
        if kind == _BONUS:
            old, new = _ratio("For each", "come free", 1, 1)
            lots = st.checkbox(
                "As lots of their own, bought for nothing (as the income tax sees bonus shares)", key="pnl-action-lots"
            )
            return Bonus(instrument, on, new, old, lots)
        if kind == _RENAME:
            into = _into("New ISIN")
            return Rename(instrument, on, into) if into else "Tell the new ISIN"
        old, new = _ratio("For each", "new ones come", 1, 1)
        into = _into("ISIN of the new company")
        percent = st.number_input(
            "Share of the cost that moves to it, percent", 0.0, 100.0, 0.0, 0.01, "%.4f", key="pnl-action-cost",
            help="The company publishes it with the demerger.",
        )  # fmt: skip
        cost = exact(percent, 4)
        return Demerger(instrument, on, into, new, old, cost or Decimal(0)) if into else "Tell the new company's ISIN"
    except UpstoxError as error:
        return in_words(error).text


def _ratio(before: str, after: str, old: int, new: int) -> tuple[int, int]:
    left, right = st.columns(2)
    first = left.number_input(before, 1, 100_000, old, key=f"pnl-action-old-{after}")
    second = right.number_input(after, 1, 100_000, new, key=f"pnl-action-new-{after}")
    return int(first), int(second)


def _into(label: str) -> str:
    return st.text_input(label, key=f"pnl-action-into-{label}", max_chars=40).strip().upper()


def _in_short(action: Action, names: Mapping[str, str]) -> str:
    """What it does to a hundred shares, so that a ratio entered the wrong way round is seen."""
    who, when = names[action.instrument], day(action.day)
    match action:
        case Split():
            return f"100 {who} held before {when} become {_units(100, action.new, action.old)}; their cost stays."
        case Bonus():
            return f"100 {who} held before {when} become {_units(100, action.new + action.old, action.old)}."
        case Rename():
            return f"{who} held before {when} go on as {action.into}, with the same lots."
        case Demerger():
            share = f"{action.cost_percent.normalize():f}"
            return (
                f"100 {who} held before {when} stay; {_units(100, action.new, action.old)} of {action.into} come, and "
                f"{share}% of the cost moves to them."
            )


def _units(held: int, new: int, old: int) -> str:
    whole, rest = divmod(held * new, old)
    return f"{whole}" if rest == 0 else f"{whole} and a fraction"


def settlements_card(view: PnlView, book: PnlBook) -> None:
    """Prices at which contracts were settled, and which are missing."""
    stored, expired = book.actions.settlements(), expired_of(view)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            card_title("Settlement prices", f"{plural(len(expired), 'contract')} without one" if expired else "")
            st.space("stretch")
            st.button("Enter a price", key="pnl-settle", icon=":material/add:", on_click=open_form, args=(SETTLE,))
        if not stored and not expired:
            st.caption("Needed only where a contract was open at its expiry and nobody told at what it was settled.")
        for flag in expired:
            title = contract_words(flag.instrument)
            form = (SETTLE, flag.instrument)
            entry(
                title, flag.words, key=f"pnl-settle-{flag.instrument}", label="Enter", icon=":material/edit:", form=form
            )
        for one in shown_entries(stored, key="pnl-settlements"):
            title = f"{contract_words(one.instrument)} · {price_words(one.price)}"
            small = f"entered {ist_moment(one.entered_at)} by {one.actor.name}"
            entry(title, small, key=f"pnl-settled-{one.instrument}", form=(_REMOVE_PRICE, one.instrument))
    for one in stored:
        if opened_form(_REMOVE_PRICE) == one.instrument:
            _remove_price(book, one)


def _remove_price(book: PnlBook, one: Settlement) -> None:
    ask_to_remove(
        f"the price of {contract_words(one.instrument)}",
        "What was open at its expiry is open again, and its result unknown.",
        lambda: book.actions.unsettle(one.instrument, actor()),
        key="pnl-settle-remove",
        done="The settlement price was removed",
    )


def settle_dialog(view: PnlView, book: PnlBook, instrument: str = "") -> None:
    """Ask for the price of a contract."""
    names = contracts_of(view)

    @st.dialog("Enter a settlement price", icon=":material/event_available:", on_dismiss=put_away)
    def ask() -> None:
        if not names:
            st.caption("There are no expired contracts in the book.")
            return
        chosen = st.selectbox(
            "Contract",
            names,
            index=names.index(instrument) if instrument in names else 0,
            format_func=contract_words,
            key=f"pnl-settle-contract-{instrument}",
        )
        option = str(chosen).endswith(("CE", "PE"))
        given = st.number_input(
            "What the option was worth, a unit" if option else "Settlement price",
            min_value=0.0,
            value=0.0 if option else None,
            step=0.05,
            format="%.4f",
            key="pnl-settle-price",
            help=(
                "The settlement price of the underlying less the strike (of a put the other way round); 0 if it ended "
                "worthless."
                if option
                else "The exchange's final settlement price of the contract."
            ),
        )
        price = exact(given, 4)
        if price is not None:
            st.markdown(plain(f"Everything open in {contract_words(str(chosen))} is closed at {rupees(price)} a unit."))
        with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
            back_button("pnl-settle-back")
            pressed = st.button(
                "Enter it", key="pnl-settle-go", type="primary", icon=":material/check:", disabled=price is None
            )
        if pressed and price is not None:
            finish(lambda: book.actions.settle(str(chosen), price, actor()), "The settlement price is entered")

    ask()
